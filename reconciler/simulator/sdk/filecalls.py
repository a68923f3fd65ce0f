"""Files on datastores over the API: the browser and the FileManager, in tasks.

Refusals: vSphere API reference. A task is done at once, and is there to be asked for afterwards.
"""

from __future__ import annotations

import errno
import fnmatch
import posixpath
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from reconciler.simulator.sdk.calls import Context, SimulationMissing, invalid, method
from reconciler.simulator.sdk.objects import make, moment, ref
from reconciler.simulator.sdk.soap import ApiFault, support
from reconciler.simulator.sdk.tasks import Job
from reconciler.simulator.volumes import Attached

PATH = re.compile(r"\[(?P<datastore>[^\]]+)\](?: (?P<path>.*))?")
FAULTS = {
    errno.ENOENT: "FileNotFound",
    errno.ENOTDIR: "FileNotFound",
    errno.EEXIST: "FileAlreadyExists",
    errno.ENOTEMPTY: "DirectoryNotEmpty",
    errno.EBUSY: "FileLocked",
    errno.ENOSPC: "NoDiskSpace",
}


def located(context: Context, text: str) -> tuple[Attached, str]:
    """The volume of `[datastore1] a/b`, and the absolute path. Raises ApiFault."""
    match = PATH.fullmatch(text or "")
    if match is None or ".." in (match["path"] or "").split("/"):
        raise ApiFault("InvalidDatastorePath", f"Invalid datastore path '{text}'.", datastorePath=text or "")
    volume = next((it for it in context.views.volumes if it.name == match["datastore"]), None)
    if volume is None:
        raise ApiFault("InvalidDatastorePath", f"Invalid datastore path '{text}'.", datastorePath=text)
    if not volume.reached:
        raise ApiFault(
            "InaccessibleDatastore", "Unable to access file", datastore=None, name=volume.name, detail=""
        )
    return volume, f"/vmfs/volumes/{volume.id}/{match['path'] or ''}".rstrip("/")


def of_file(problem: OSError, text: str) -> ApiFault:
    name = FAULTS.get(problem.errno or 0, "CannotAccessFile")
    return ApiFault(name, f"{name} {text}: {problem.strerror}", file=text)


async def task(context: Context, method: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do it, and hand out a task that tells how it went."""
    job = Job(method, context.host.now())
    try:
        job.result = await work()
        job.state = "success"
    except ApiFault as fault:
        job.state, job.error = "error", fault.value()
    return context.views.tasks.add(job)


@method("HostDatastoreBrowser", "SearchDatastore_Task")
async def search(context: Context, moid: str, words: dict[str, Any]) -> Any:
    async def work() -> Any:
        return _listing(context, words["datastorePath"], words.get("searchSpec"))

    return await task(context, "HostDatastoreBrowser.SearchDatastore", work)


def _listing(context: Context, text: str, spec: Any) -> Any:
    volume, path = located(context, text)
    files = context.host.files
    if spec is not None and spec.query:
        raise SimulationMissing("a search by kinds of files")
    try:
        names = sorted(files.names(path))
    except OSError as problem:
        raise of_file(problem, text) from problem
    patterns = list(spec.matchPattern or ()) if spec is not None else ["*"]
    fitting = [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in patterns or ["*"])]
    shown = [
        _info(context, f"{path}/{name}", name, spec.details if spec is not None else None) for name in fitting
    ]
    return make(
        "HostDatastoreBrowserSearchResults",
        datastore=ref("Datastore", volume.id),
        folderPath=text,
        file=shown,
    )


@method("HostDatastoreBrowser", "SearchDatastoreSubFolders_Task")
async def search_below(context: Context, moid: str, words: dict[str, Any]) -> Any:
    async def work() -> Any:
        found = list(_below(context, words["datastorePath"], words.get("searchSpec")))
        return support.GetWsdlType("urn:vim25", "ArrayOfHostDatastoreBrowserSearchResults")(found)

    return await task(context, "HostDatastoreBrowser.SearchDatastoreSubFolders", work)


def _below(context: Context, text: str, spec: Any) -> Iterator[Any]:
    """A folder, and all below it; of those below, ESXi's own write their paths with a slash behind them."""
    yield _listing(context, text, spec)
    _, path = located(context, text)
    for name in sorted(context.host.files.names(path)):
        node = context.host.files.find(f"{path}/{name}", follow=False)
        if node is not None and node.kind == "d":
            yield from _below(context, _joined(text, name), spec)


def _joined(folder: str, name: str) -> str:
    return f"{folder} {name}" if folder.endswith("]") else f"{folder.rstrip('/')}/{name}"


def _info(context: Context, path: str, name: str, wanted: Any) -> Any:
    node = context.host.files.find(path, follow=False)
    folder = node is not None and node.kind == "d"
    disk = (
        not folder and name.endswith(".vmdk") and not re.search(r"-(flat|delta|sesparse|s\d{3})\.vmdk$", name)
    )
    kind = "FolderFileInfo" if folder else "VmDiskFileInfo" if disk else "FileInfo"
    more: dict[str, Any] = {}
    if wanted is not None and node is not None:
        if wanted.fileSize:
            more["fileSize"] = node.size
        if wanted.modification:
            more["modification"] = moment(node.mtime)
        if wanted.fileOwner:
            more["owner"] = "root"
    return make(kind if wanted is not None and wanted.fileType else "FileInfo", path=name, **more)


@method("FileManager", "MakeDirectory", changing=True)
async def make_directory(context: Context, moid: str, words: dict[str, Any]) -> None:
    text = words["name"]
    _, path = located(context, text)
    files = context.host.files
    if files.find(path) is not None:
        raise ApiFault(
            "FileAlreadyExists", f"The specified key, name, or identifier '{text}' already exists.", file=text
        )
    try:
        if words.get("createParentDirectories"):
            files.makedirs(path)
        else:
            files.mkdir(path)
    except OSError as problem:
        raise of_file(problem, text) from problem


@method("FileManager", "DeleteDatastoreFile_Task", changing=True)
async def delete(context: Context, moid: str, words: dict[str, Any]) -> Any:
    """A file, or a folder with all that is in it. A name that is none is refused at once."""
    text = words.get("name") or ""
    _, path = located(context, text)

    async def work() -> None:
        try:
            _remove(context, path)
        except OSError as problem:
            raise of_file(problem, text) from problem

    return await task(context, "FileManager.DeleteDatastoreFile", work)


def _remove(context: Context, path: str) -> None:
    files = context.host.files
    node = files.node(path, follow=False)
    if node.kind != "d":
        files.unlink(path)
        return
    for name in list(files.names(path)):
        _remove(context, posixpath.join(path, name))
    files.rmdir(path)


@method("FileManager", "MoveDatastoreFile_Task", changing=True)
async def move(context: Context, moid: str, words: dict[str, Any]) -> Any:
    source, target = words["sourceName"], words["destinationName"]
    if words.get("force"):
        raise invalid("force")

    async def work() -> None:
        _, old = located(context, source)
        _, new = located(context, target)
        files = context.host.files
        if files.find(new, follow=False) is not None:
            raise ApiFault("FileAlreadyExists", f"{target} already exists", file=target)
        try:
            files.rename(old, new)
        except OSError as problem:
            raise of_file(problem, source) from problem

    return await task(context, "FileManager.MoveDatastoreFile", work)
