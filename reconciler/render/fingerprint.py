"""What names a plan, so that a person's yes covers this one and no other."""

from __future__ import annotations

import hashlib
import json

from reconciler.report import HostReport


def fingerprint(host: HostReport) -> str:
    """SHA-256 in hex of each step: its resource, verb, fields and commands, in order."""
    steps = [
        [
            step.resource,
            step.verb,
            [[it.field, it.before, it.after] for it in step.fields],
            [action.commands for action in step.actions],
        ]
        for step in host.steps
    ]
    return hashlib.sha256(json.dumps([host.name, steps]).encode()).hexdigest()
