"""The virtual file system of a host: paths over mounted volumes, with the refusals of the real one.

Every refusal is an OSError with the errno and text of the C library, as the tools of the host print it.
"""

from __future__ import annotations

import errno
import fnmatch
import posixpath
from collections.abc import Callable

from reconciler.simulator.nodes import STICKY, Node, Volume, walk
from reconciler.simulator.shell.streams import READ_SIZE, Stream, error

MAX_LINKS = 40
DOTS = ("", ".", "..")
FAT_FORBIDDEN = set('"*:<>?\\|')


class FileSystem:
    """Paths of one host. `now` tells the host's time in seconds since 1970."""

    def __init__(self, root: Volume, now: Callable[[], float]) -> None:
        self.root, self.now = root, now
        self.read_only: set[str] = set()

    # -- finding ---------------------------------------------------------------------------------------------

    def node(self, path: str, cwd: str = "/", follow: bool = True) -> Node:
        """What stands at `path`; raises ENOENT, ENOTDIR, ELOOP or EIO."""
        straight = self._straight(path) if path[:1] == "/" else None
        return straight or self._walk(path, cwd, follow)[0]

    def find(self, path: str, cwd: str = "/", follow: bool = True) -> Node | None:
        """What stands at `path`, or None when there is nothing or it can't be reached."""
        try:
            return self.node(path, cwd, follow)
        except OSError:
            return None

    def real(self, path: str, cwd: str = "/") -> str:
        """`path` without links, `.` and `..`."""
        return self._walk(path, cwd, True)[1]

    def place(self, path: str, cwd: str = "/") -> tuple[Node, str, str]:
        """The directory that holds `path`, its last name, and its real path, whether it stands there or not."""
        stripped = path.rstrip("/") or "/"
        parent, name = posixpath.split(stripped)
        if name in ("", ".", ".."):
            raise error(errno.EINVAL if name else errno.EEXIST)
        node, real = self._walk(parent or ".", cwd, True)
        if node.kind != "d":
            raise error(errno.ENOTDIR)
        if len(name.encode("utf-8", "surrogateescape")) > 255:
            raise error(errno.ENAMETOOLONG)
        return node, name, posixpath.join(real, name)

    def _straight(self, path: str) -> Node | None:
        """What `_walk` finds on the usual way: from the root, and without links and dots; else None."""
        here = self.root.root
        for name in path[1:].split("/"):
            here = here.entered()
            if here.kind != "d" or name in DOTS:
                return None
            child = here.children.get(name)
            if child is None:
                raise error(errno.ENOENT)
            here = child
        return None if here.kind == "l" else here.entered() if here.kind == "d" else here

    def _walk(self, path: str, cwd: str, follow: bool) -> tuple[Node, str]:
        if not path:
            raise error(errno.ENOENT)
        whole = path if path[0] == "/" else posixpath.join(cwd, path)
        todo = [part for part in reversed(whole.split("/")) if part]
        must_be_directory = path.endswith("/")
        stack: list[tuple[Node, str]] = [(self.root.root, "")]
        links = 0
        while todo:
            name = todo.pop()
            here = stack[-1][0].entered()
            if here.kind != "d":
                raise error(errno.ENOTDIR)
            if name == "..":
                del stack[max(1, len(stack) - 1) :]
                continue
            if name == ".":
                continue
            child = here.children.get(name)
            if child is None:
                raise error(errno.ENOENT)
            if child.kind == "l" and (todo or follow or must_be_directory):
                links += 1
                _follow(child, links, stack, todo)
                continue
            stack.append((child, name))
        node = stack[-1][0]
        node = node.entered() if node.kind == "d" else node
        if must_be_directory and node.kind != "d":
            raise error(errno.ENOTDIR)
        return node, "/" + "/".join(name for _, name in stack[1:])

    def names(self, path: str, cwd: str = "/") -> list[str]:
        """The names in a directory, in order."""
        node = self.node(path, cwd)
        if node.kind != "d":
            raise error(errno.ENOTDIR)
        return sorted(node.children)

    def read(self, path: str, cwd: str = "/") -> bytes:
        node = self.node(path, cwd)
        if node.kind == "d":
            raise error(errno.EISDIR)
        node.refuse_locked(writing=False)
        return node.data

    # -- changing --------------------------------------------------------------------------------------------

    def create(self, path: str, cwd: str = "/", mode: int = 0o644, kind: str = "f") -> Node:
        """A new node; raises EEXIST when something stands there."""
        parent, name, real = self.place(path, cwd)
        if name in parent.children:
            raise error(errno.EEXIST)
        self._may_write(real)
        self._may_name(parent, name)
        parent.volume.charge(0)
        if parent.volume.full:
            raise error(errno.ENOSPC)
        if parent.volume.kind == "vfat":
            mode = 0o700
        node = Node(parent.volume, kind, mode, self.now())
        if kind == "f" and mode & STICKY and parent.volume.kind == "visorfs":
            node.branched = True
        parent.children[name] = node
        parent.mtime = self.now()
        return node

    def _may_name(self, parent: Node, name: str) -> None:
        parent.volume.writable()
        if name.startswith(".#") and parent.volume.kind == "visorfs":
            raise error(errno.EPERM)
        if parent.volume.kind == "vfat" and set(name) & FAT_FORBIDDEN:
            raise error(errno.EINVAL)

    def for_writing(self, path: str, cwd: str = "/", mode: int = 0o644) -> Node:
        """The file at `path`, made when it is missing; a link is followed. Inode and mode of an old one stay."""
        try:
            node = self.node(path, cwd)
        except OSError as problem:
            if problem.errno != errno.ENOENT:
                raise
            return self.create(self._behind_link(path, cwd), cwd, mode)
        if node.kind == "d":
            raise error(errno.EISDIR)
        if node.kind == "f":
            self._may_write(self.real(path, cwd))
            node.volume.writable()
            node.refuse_locked(writing=True)
        return node

    def may_change(self, path: str, cwd: str = "/") -> None:
        """Raise what a change of mode or times is answered with, if it is refused."""
        self._may_write(self.real(path, cwd))
        node = self.node(path, cwd)
        if node.kind != "c":
            node.volume.reached()

    def _may_write(self, real: str) -> None:
        """Raise EROFS below a mount that is read-only on this host."""
        if any(real.startswith(mount + "/") for mount in self.read_only):
            raise error(errno.EROFS)

    def _behind_link(self, path: str, cwd: str) -> str:
        node = self.find(path, cwd, follow=False)
        if node is None or node.kind != "l":
            return path
        return posixpath.join(posixpath.dirname(path), node.target)

    def write(self, path: str, data: bytes, cwd: str = "/", mode: int = 0o644) -> Node:
        """Replace the content of a file in place."""
        node = self.for_writing(path, cwd, mode)
        node.truncate(0, self.now())
        node.put(0, data, self.now())
        return node

    def mkdir(self, path: str, cwd: str = "/", mode: int = 0o755) -> Node:
        return self.create(path, cwd, mode, "d")

    def makedirs(self, path: str, mode: int = 0o755) -> None:
        """All directories of an absolute path."""
        if self.find(path) is not None:
            return
        done = ""
        for part in [part for part in path.split("/") if part]:
            done += "/" + part
            if self.find(done) is None:
                self.mkdir(done, mode=mode)

    def symlink(self, target: str, path: str, cwd: str = "/") -> Node:
        parent, _, _ = self.place(path, cwd)
        if parent.volume.kind == "vfat":
            raise error(errno.EPERM)
        node = self.create(path, cwd, 0o755, "l")
        node.target = target
        return node

    def unlink(self, path: str, cwd: str = "/") -> None:
        """Remove a file or link."""
        parent, name, real = self.place(path, cwd)
        self._may_write(real)
        node = self._child(parent, name)
        if node.kind == "d":
            raise error(errno.EISDIR)
        self._remove(parent, name)

    def rmdir(self, path: str, cwd: str = "/") -> None:
        parent, name, real = self.place(path, cwd)
        self._may_write(real)
        node = self._child(parent, name)
        if node.kind != "d":
            raise error(errno.ENOTDIR)
        if node.mounted is not None:
            raise error(errno.EBUSY)
        if node.children:
            raise error(errno.ENOTEMPTY)
        self._remove(parent, name)

    def _child(self, parent: Node, name: str) -> Node:
        if name not in parent.children:
            raise error(errno.ENOENT)
        return parent.children[name]

    def _remove(self, parent: Node, name: str) -> None:
        parent.volume.writable()
        parent.children[name].refuse_locked(writing=True)
        parent.children.pop(name).discard()
        parent.mtime = self.now()

    def rename(self, source: str, target: str, cwd: str = "/") -> None:
        """Move within one volume; what stands at `target` goes. The moved file is not branched any more."""
        old_parent, old_name, old_real = self.place(source, cwd)
        parent, name, real = self.place(target, cwd)
        node = self._child(old_parent, old_name)
        if parent.volume is not old_parent.volume:
            raise error(errno.EXDEV)
        self._may_name(parent, name)
        self._may_write(real)
        old_parent.volume.writable()
        if parent.children.get(name) is node:
            return
        if node.kind == "d" and real.startswith(old_real + "/"):
            raise error(errno.EINVAL)
        for _, below in walk(node, ""):
            below.refuse_locked(writing=True)
        self._make_way(parent, name, node)
        del old_parent.children[old_name]
        parent.children[name] = node
        old_parent.mtime = parent.mtime = self.now()
        if node.kind == "f":
            node.set_mode(node.mode & ~STICKY)

    def _make_way(self, parent: Node, name: str, node: Node) -> None:
        old = parent.children.get(name)
        if old is None:
            return
        if old.kind == "d" and node.kind != "d":
            raise error(errno.EISDIR)
        if old.kind != "d" and node.kind == "d":
            raise error(errno.ENOTDIR)
        if old.children:
            raise error(errno.ENOTEMPTY)
        old.refuse_locked(writing=True)
        parent.children.pop(name).discard()

    def glob(self, parts: list[tuple[str, bool]], cwd: str) -> list[str]:
        """Paths that fit; each part of `parts` is a component and whether it is a pattern (in fnmatch's words)."""
        found = [""]
        for component, is_pattern in parts:
            found = [path for base in found for path in self._step(base, component, is_pattern, cwd)]
        return sorted(path for path in found if self.find(path, cwd, follow=False) is not None)

    def _step(self, base: str, component: str, is_pattern: bool, cwd: str) -> list[str]:
        if not is_pattern:
            return [base + component]
        directory = self.find(base or ".", cwd)
        if directory is None or directory.kind != "d":
            return []
        pattern, slash = component.rstrip("/"), "/" if component.endswith("/") else ""
        names = [name for name in directory.children if fnmatch.fnmatchcase(name, pattern)]
        if not pattern.startswith("."):
            names = [name for name in names if not name.startswith(".")]
        return [base + name + slash for name in names]


def _follow(link: Node, links: int, stack: list[tuple[Node, str]], todo: list[str]) -> None:
    """Go on at the target of a link."""
    if links > MAX_LINKS:
        raise error(errno.ELOOP)
    if link.target.startswith("/"):
        del stack[1:]
    todo.extend([part for part in link.target.split("/") if part][::-1])


class OpenFile(Stream):
    """A file of the virtual file system, opened for reading or writing."""

    def __init__(self, node: Node, now: Callable[[], float], append: bool = False) -> None:
        super().__init__()
        self.node, self._now, self._append = node, now, append
        self.offset = 0

    async def read(self, size: int = READ_SIZE) -> bytes:
        if self.node.kind == "d":
            raise error(errno.EISDIR)
        self.node.volume.reached()
        piece = self.node.read_at(self.offset, size)
        self.offset += len(piece)
        return piece

    async def write(self, data: bytes) -> None:
        self.node.volume.reached()
        offset = self.node.size if self._append else self.offset
        self.node.put(offset, data, self._now())
        self.offset = offset + len(data)
