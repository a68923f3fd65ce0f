"""Documents as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from reconciler.render.visible import HAZARD

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Plain(_Dumper):  # type: ignore[misc, valid-type]
    """Repeats what is repeated: an anchor would send the reader looking."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def to_yaml(document: Any) -> str:
    """Block style, keys in the document's order, ending with a newline.

    Where a text holds signs that a terminal would obey, everything beyond ASCII is escaped.
    """
    unicode = not _hazardous(document)
    return str(yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=unicode, width=100))


def _hazardous(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_hazardous, value.values()))
    if isinstance(value, list):
        return any(map(_hazardous, value))
    return isinstance(value, str) and HAZARD.search(value) is not None
