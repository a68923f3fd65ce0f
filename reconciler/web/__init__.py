"""The one port of the loop: pages and their JSON; metrics and health are handed in."""
