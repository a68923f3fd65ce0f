"""The loop: which host is due when, and what may be changed; the rest is a pass like any other."""
