"""Brings all programs of the hosts, and all that the shell can run, into their tables."""

from __future__ import annotations

import importlib
import pkgutil

from reconciler.simulator import esx, shell, tools


def load() -> None:
    """Import every module that registers programs; doing it twice does nothing."""
    for package in (shell, tools, esx):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
