"""Eyes: what can be seen of a host, by the way that it is reached."""
