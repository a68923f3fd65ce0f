"""The files of a simulated host, for tests and tools: safe to use from any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.simulator import images, locks
from reconciler.simulator.host import Host
from reconciler.simulator.nodes import STICKY, Node
from reconciler.simulator.vms.hand import Doer


@dataclass(frozen=True)
class Stat:
    """`branched`: the file is saved by a configuration backup."""

    inode: int
    mode: int
    branched: bool
    size: int


class Files:
    """The files of a host, below its shell: nothing that is done here is recorded."""

    def __init__(self, host: Host, do: Doer) -> None:
        self._host, self._do = host, do

    def read(self, path: str) -> bytes | None:
        """The content; None when there is no such file."""

        def work() -> bytes | None:
            node = self._host.files.find(path)
            return node.data if node is not None and node.kind == "f" else None

        return self._do(work)

    def exists(self, path: str) -> bool:
        return self._do(lambda: self._host.files.find(path, follow=False) is not None)

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """Write in place; folders are made. `mode` (0o1600: branched) is set when it is given."""

        def work() -> None:
            self._host.files.makedirs(path.rsplit("/", 1)[0] or "/")
            node = self._host.files.write(path, data)
            if mode is not None:
                node.set_mode(mode)

        self._do(work)

    def makedirs(self, path: str) -> None:
        self._do(lambda: self._host.files.makedirs(path))

    def remove(self, path: str) -> None:
        self._do(lambda: self._host.files.unlink(path))

    def names(self, path: str) -> list[str]:
        return self._do(lambda: self._host.files.names(path))

    def rmdir(self, path: str) -> None:
        self._do(lambda: self._host.files.rmdir(path))

    def rename(self, source: str, target: str) -> None:
        self._do(lambda: self._host.files.rename(source, target))

    def set_mode(self, path: str, mode: int) -> None:
        self._do(lambda: self._host.files.node(path).set_mode(mode))

    def set_time(self, path: str, seconds: float) -> None:
        """When it was last changed, in seconds since 1970."""
        self._do(lambda: setattr(self._host.files.node(path), "mtime", seconds))

    def lock(self, path: str, kind: str | None = "exclusive") -> None:
        """Somebody holds a lock on a file (None: not any more)."""

        def work() -> None:
            owner = f"somebody with {path} {id(self._host):x}"
            locks.release(owner)
            if kind is not None:
                locks.hold(self._host.files.node(path), kind, owner)

        self._do(work)

    # -- disks -----------------------------------------------------------------------------------------------

    def put_disk(
        self, path: str, size: int, content: Mapping[int, bytes], form: str = "thin", mode: int = 0o600
    ) -> None:
        """A disk whose descriptor is `path`; folders are made. `form`: thin, zeroedthick, 2gbsparse."""

        def work() -> None:
            folder, stem = self._folder_of(path)
            images.put_disk(folder, stem.removesuffix(".vmdk"), form, size, content, self._host.now(), mode)

        self._do(work)

    def put_files(self, path: str, real: Path, mode: int = 0o600) -> None:
        """All files of a folder of this machine, into the folder `path`; it is made."""

        def work() -> None:
            folder, _ = self._folder_of(f"{path}/x")
            for file in sorted(real.iterdir()):
                images.put_file(folder, file.name, file, self._host.now(), mode)

        self._do(work)

    def _folder_of(self, path: str) -> tuple[Node, str]:
        above, _, name = path.rpartition("/")
        self._host.files.makedirs(above)
        return self._host.files.node(above), name

    def disk_digest(self, path: str) -> str:
        """MD5 of all that a guest sees of the disk whose descriptor is `path`."""

        def work() -> str:
            folder, name, _ = self._host.files.place(path)
            return images.disk_digest(folder, name, self._host.files.node("/vmfs/volumes"))

        return self._do(work)

    def stat(self, path: str) -> Stat:
        """Raises OSError when nothing is there."""

        def work() -> Stat:
            node = self._host.files.node(path)
            return Stat(node.inode, node.mode, node.branched and bool(node.mode & STICKY), node.size)

        return self._do(work)
