"""The ways to a host: sessions over SSH and over the vSphere SDK, opened as they are needed."""

from reconciler.contact.circumstances import Circumstances, PutOff
from reconciler.contact.opening import open_contact

__all__ = ["Circumstances", "PutOff", "open_contact"]
