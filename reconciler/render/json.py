"""Documents as JSON. What a terminal would obey is escaped, so that it may be looked at there too."""

from __future__ import annotations

import json
from typing import Any

from reconciler.render.visible import HAZARD


def to_json(document: Any) -> str:
    """Over several lines, as people read it; no newline at the end."""
    return _escaped(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False), keep="\n")


def to_line(document: Any) -> str:
    """On one line, for JSON Lines; no newline at the end."""
    return _escaped(json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(", ", ": ")))


def _escaped(text: str, keep: str = "") -> str:
    return HAZARD.sub(lambda match: match[0] if match[0] in keep else json.dumps(match[0])[1:-1], text)
