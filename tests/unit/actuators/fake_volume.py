"""Two datastores in memory behind an SDK session: files, folders, tasks, and what HTTPS shows of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pyVmomi import vim

from reconciler.transports.sdk import HttpAnswer, Row, Want
from reconciler.transports.sdk.answers import MethodFault
from reconciler.transports.sdk.target import SdkTarget
from tests.unit.actuators.fake_sdk import TARGET, checked, data, datastore, fault

GIB = 1 << 30
DESCRIPTOR = (
    '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\n'
    'RW {sectors} VMFS "{flat}"\nddb.adapterType = "{adapter}"\n'
)


@dataclass
class Flat:
    """A file of which only the size counts."""

    size: int


@dataclass
class Copying:
    """A task: `polls` are the looks that it takes. `act` has the effect, and may raise."""

    act: Callable[[], Any]
    polls: int = 0
    cancelled: bool = False
    ended: bool = False
    result: Any = None
    problem: MethodFault | None = None

    def end(self) -> None:
        """Have the effect, once."""
        if self.ended:
            return
        self.ended = True
        try:
            self.result = self.act()
        except MethodFault as problem:
            self.problem = problem


@dataclass
class Volumes:
    """`tree` maps `(datastore, path)` to a content; None is a folder. `before` hears of each call, and may raise."""

    tree: dict[tuple[str, str], bytes | Flat | None] = field(default_factory=dict)
    names: tuple[str, ...] = ("ds", "repo")
    polls: int = 0
    before: Callable[[str, Mapping[str, Any]], None] = lambda method, arguments: None
    after_copy: Callable[[], None] = lambda: None
    adapter: str = ""
    capacity: int = 0
    calls: list[str] = field(default_factory=list)
    specs: list[Any] = field(default_factory=list)
    target: SdkTarget = TARGET

    @property
    def content(self) -> Any:
        return SimpleNamespace(fileManager="files", virtualDiskManager="disks")

    def host(self) -> Any:
        return "ha-host"

    def make(self, name: str, /, **fields: Any) -> Any:
        return data(name, **fields)

    def read(self, wants: Sequence[Want]) -> list[Row]:
        (want,) = wants
        if want.kind == "Task":
            return [Row(want.of, self._polled(want.of), {})]
        if want.paths == ("browser",):
            return [Row(want.of, {"browser": want.of.summary.name}, {})]
        stores = [datastore(name, f"id-{name}") for name in self.names]
        return [Row(it, {path: getattr(it, path) for path in want.paths}, {}) for it in stores]

    def _polled(self, task: Copying) -> dict[str, Any]:
        self.before("poll", {})
        if task.polls:
            task.polls -= 1
            return {"info.state": "running", "info.progress": 50}
        task.end()
        return {"info.state": "error" if task.problem else "success"}

    def call(self, obj: Any, method: str, **arguments: Any) -> Any:
        self.calls.append(method)
        checked(self._kind(obj), method, arguments)
        self.before(method, arguments)
        return getattr(self, f"_{method}")(obj, **arguments)

    def _kind(self, obj: Any) -> Any:
        if isinstance(obj, Copying):
            return vim.Task
        kinds: dict[Any, Any] = {"files": vim.FileManager, "disks": vim.VirtualDiskManager}
        host: Any = vim.host
        return kinds.get(obj, host.DatastoreBrowser)

    def wait(self, task: Copying, limit: float) -> Any:
        task.end()
        if task.problem is not None:
            raise task.problem
        return task.result

    # -- what the calls do -----------------------------------------------------------------------------------

    def _MakeDirectory(self, obj: Any, name: str, **more: bool) -> None:
        place = _place(name)
        if place in self.tree:
            raise fault("FileAlreadyExists")
        above = [
            (place[0], "/".join(place[1].split("/")[:depth])) for depth in range(1, place[1].count("/") + 1)
        ]
        for folder in above:
            if folder not in self.tree and not more["createParentDirectories"]:
                raise fault("FileNotFound")
            self.tree.setdefault(folder, None)
        self.tree[place] = None

    def _MoveDatastoreFile_Task(self, obj: Any, **names: Any) -> Copying:
        def act() -> None:
            source, target = _place(names["sourceName"]), _place(names["destinationName"])
            if source not in self.tree:
                raise fault("FileNotFound")
            if target in self.tree:
                raise fault("FileAlreadyExists")
            for place in self._below(source):
                self.tree[(target[0], target[1] + place[1][len(source[1]) :])] = self.tree.pop(place)

        return Copying(act)

    def _DeleteDatastoreFile_Task(self, obj: Any, name: str) -> Copying:
        def act() -> None:
            if _place(name) not in self.tree:
                raise fault("FileNotFound")
            for place in self._below(_place(name)):
                del self.tree[place]

        return Copying(act)

    def _CopyDatastoreFile_Task(self, obj: Any, **names: Any) -> Copying:
        def act() -> None:
            self.tree[_place(names["destinationName"])] = self.tree[_place(names["sourceName"])]

        return Copying(act)

    def _SearchDatastore_Task(self, obj: Any, **given: Any) -> Copying:
        def act() -> Any:
            store, folder = _place(given["datastorePath"])
            if folder and self.tree.get((store, folder), b"") is not None:
                raise fault("FileNotFound")
            start = f"{folder}/" if folder else ""
            found = [
                SimpleNamespace(path=path[len(start) :], fileSize=_size(it), modification="then")
                for (where, path), it in sorted(self.tree.items())
                if where == store and path.startswith(start) and "/" not in path[len(start) :]
            ]
            return SimpleNamespace(file=found or None)

        return Copying(act)

    def _CopyVirtualDisk_Task(self, obj: Any, **given: Any) -> Copying:
        self.specs.append(given["destSpec"])
        task = Copying(lambda: self._copied(task, given), self.polls)
        return task

    def _copied(self, task: Copying, given: Mapping[str, Any]) -> None:
        if task.cancelled:
            raise fault("RequestCanceled")
        store, target = _place(given["destName"])
        flat = target.removesuffix(".vmdk") + "-flat.vmdk"
        capacity = self.capacity or GIB
        text = DESCRIPTOR.format(
            sectors=capacity // 512, flat=flat.rpartition("/")[2], adapter=self.adapter or "lsilogic"
        )
        self.tree[(store, target)] = text.encode()
        self.tree[(store, flat)] = Flat(capacity)
        self.after_copy()

    def _CancelTask(self, obj: Copying) -> None:
        obj.cancelled, obj.polls = True, 0

    def _below(self, place: tuple[str, str]) -> list[tuple[str, str]]:
        store, path = place
        return [it for it in self.tree if it == place or (it[0] == store and it[1].startswith(path + "/"))]

    # -- HTTPS -----------------------------------------------------------------------------------------------

    def https(self, method: str, path: str, body: bytes | None = None) -> HttpAnswer:
        self.before(method, {"path": path})
        url = urlsplit(path)
        asked = parse_qs(url.query)
        assert asked["dcPath"] == ["ha-datacenter"]
        place = (asked["dsName"][0], unquote(url.path).removeprefix("/folder/"))
        if method == "PUT":
            self.tree[place] = body or b""
            return HttpAnswer(201, "Created", b"")
        content = self.tree.get(place)
        if content is None:
            return HttpAnswer(404, "Not Found", b"")
        if method == "HEAD":
            return HttpAnswer(200, "OK", b"", {"content-length": str(_size(content))})
        assert isinstance(content, bytes)
        return HttpAnswer(200, "OK", content)


def _size(content: bytes | Flat | None) -> int | None:
    return None if content is None else content.size if isinstance(content, Flat) else len(content)


def _place(name: str) -> tuple[str, str]:
    match = re.fullmatch(r"\[(.*?)\](?: (.*))?", name)
    assert match is not None
    return match[1], match[2] or ""
