"""What a restart of the loop must not forget: small documents in the state folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.state.files import read_json, write_json
from reconciler.state.trouble import StateTrouble


class Memory:
    """Each document under a name of its own. `warn` is told of what can't be read or kept; the loop goes on."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self._folder, self._warn = folder, warn
        self._kept: dict[str, Any] = {}
        self._told: dict[str, str] = {}

    def recall(self, name: str) -> Any:
        """What was kept last; None: nothing."""
        return read_json(self._file(name), self._warn)

    def keep(self, name: str, document: Any) -> None:
        """Have it outlast a loss of power, when this returns."""
        if self._kept.get(name) == document:
            return
        try:
            write_json(self._file(name), document)
            self._kept[name] = document
            self._told.pop(name, None)
        except StateTrouble as trouble:
            if self._told.get(name) != str(trouble):
                self._told[name] = str(trouble)
                self._warn(f"a restart would forget the {name}: {trouble}")

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
