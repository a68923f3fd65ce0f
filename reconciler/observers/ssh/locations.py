"""Where a file of a virtual machine lies: VMware's `[datastore] folder/file`, absolute and relative paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from reconciler.records import record

VOLUMES = "/vmfs/volumes/"
BRACKETS = re.compile(r"\[([^\]]*)\] ?")


@record
class Location:
    """A file on a volume, by the volume's id and the path on it; `volume` None: then `path` is what was written."""

    volume: str | None
    path: str

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)


class Volumes:
    """The volumes that one host lists, by name and by id: what a path means depends on the host that says it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` gives each volume's name ("" where it has none) by its id."""
        self._names = dict(names)
        self._ids = {name: volume for volume, name in names.items() if name}

    def locate(self, written: str, beside: Location | None = None) -> Location:
        """The file that is meant by `written`, in a file at `beside` where it is relative."""
        if written.startswith("["):
            return self._bracketed(written)
        if not written.startswith("/") and beside is not None and beside.volume is not None:
            written = f"{VOLUMES}{beside.volume}/{beside.folder}/{written}"
            return self._absolute(written)
        return self._absolute(written)

    def show(self, location: Location) -> str:
        """`[datastore1] vm/vm.vmx`, for people."""
        if location.volume is None:
            return location.path
        return f"[{self._names.get(location.volume) or location.volume}] {location.path}"

    def _bracketed(self, written: str) -> Location:
        """Names may hold brackets and blanks: the longest that fits is meant. An orphan is `[] /vmfs/volumes/…`."""
        fitting = (name for name in (*self._ids, *self._names) if name and written.startswith(f"[{name}]"))
        longest = max(fitting, key=len, default=None)
        if longest is not None:
            rest = written[len(longest) + 2 :].removeprefix(" ")
            return self._absolute(f"{VOLUMES}{self._ids.get(longest, longest)}/{rest}")
        match = BRACKETS.match(written)
        if match is not None and not match[1]:
            return self._absolute(written[match.end() :])
        return Location(None, written)

    def _absolute(self, written: str) -> Location:
        plain = re.sub(r"^/+", "/", posixpath.normpath(written))
        volume, _, path = plain.removeprefix(VOLUMES).partition("/")
        known = volume if volume in self._names else self._ids.get(volume)
        if not plain.startswith(VOLUMES) or known is None or not path:
            return Location(None, written)
        return Location(known, path)
