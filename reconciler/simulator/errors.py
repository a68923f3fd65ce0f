"""What the simulator says when something can't be done."""

from __future__ import annotations


class SimulatorError(Exception):
    """A simulated host, or the lab around it, can't do what was asked; the text says why and what to do next."""


class BootFailure(SimulatorError):
    """A host did not come up from its boot banks; the text is what its screen would show."""
