"""Eyes on this machine, where a repository may lie."""

from reconciler.observers.here.eyes import HereEyes

__all__ = ["HereEyes"]
