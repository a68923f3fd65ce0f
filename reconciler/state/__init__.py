"""The state folder: what outlasts a run."""
