"""Specs in YAML into validated desired state, with file, line and column in every message."""

from reconciler.desired.explain import NoSuchField, explain
from reconciler.desired.host import DesiredHost
from reconciler.desired.load import Loaded, load
from reconciler.desired.mistakes import Mistake, SpecMistakes
from reconciler.desired.schema import schema
from reconciler.desired.trust import Trust

__all__ = [
    "DesiredHost",
    "Loaded",
    "Mistake",
    "NoSuchField",
    "SpecMistakes",
    "Trust",
    "explain",
    "load",
    "schema",
]
