"""Master images over the SDK: what lies in their folders, judged by the rule that holds everywhere.

What only a shell shows is not made up: how much of a file is allocated is not told, and modes are taken as the host
makes them, so that nothing is called unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.disks import descriptors
from reconciler.image_facts import (
    DiskFile,
    HalfCopies,
    HalfCopy,
    ImageFolder,
    ImageState,
    Library,
    TopDisk,
    TopDisks,
)
from reconciler.observers.sdk.browser import Browser, Entry, Held
from reconciler.observers.sdk.shown import Unclear, parsed
from reconciler.observers.ssh import vmx
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.folders import DESCRIPTOR, HEADER, Contents
from reconciler.observers.ssh.images import judged

CONFIGS = (".vmx", ".vmtx")
FOLDER_MODE, FILE_MODE = 0o755, 0o644
JOB = "reconciler job 1"
OURS = ".reconciler-"
LOCK = ".reconciler-lock"


def state(question: ImageFolder, browser: Browser) -> ImageState | None:
    """What lies in an image's folder. None: there is no such folder. Raises Unclear, MethodFault."""
    folder = parsed(f"{question.base}/{question.folder}").relative
    above, _, name = folder.rpartition("/")
    listed = browser.folder(above)
    if listed is None or name not in listed:
        return None
    if not listed[name].folder:
        return ImageState(False, f"{question.folder} is a file, no folder", folder=False)
    found = browser.folder(folder)
    if found is None:
        return None
    heads = _heads(question, folder, found, browser)
    parts = sorted({*heads, *(name for head in heads.values() for name in _extents(question, head))})
    files = _measured(folder, _files(found), parts, browser)
    locked = tuple(name for name in parts if name in files and browser.held(f"{folder}/{name}"))
    inner = browser.tree(folder, [f"*{ending}" for ending in CONFIGS]) or {}
    contents = Contents(FOLDER_MODE, tuple(files.values()), tuple(sorted(inner)), locked, heads)
    return judged(question, contents)


def _heads(
    question: ImageFolder, folder: str, found: Mapping[str, Entry], browser: Browser
) -> dict[str, bytes | None]:
    """The beginnings of what may open the disk. Extents are never read."""
    length = DESCRIPTOR if question.form == "vmdk" else HEADER
    wanted = [name for name in found if name.lower() == f"{question.disk}.{question.form}".lower()]
    return {name: _head(browser, f"{folder}/{name}", length) for name in wanted}


def _head(browser: Browser, path: str, length: int) -> bytes | None:
    try:
        return browser.head(path, length)
    except Held:
        return None


def _files(found: Mapping[str, Entry]) -> dict[str, DiskFile]:
    return {
        name: DiskFile(
            name,
            it.size or 0,
            FOLDER_MODE if it.folder else FILE_MODE,
            "d" if it.folder else "-",
            None,
            it.modified,
        )
        for name, it in found.items()
    }


def _measured(
    folder: str, files: Mapping[str, DiskFile], parts: Iterable[str], browser: Browser
) -> dict[str, DiskFile]:
    """The files with the true lengths of those that are the disk, which the browser may leave out."""
    measured = dict(files)
    for name in parts:
        size = browser.size(f"{folder}/{name}")
        if size is not None:
            measured[name] = replace(measured.get(name, DiskFile(name, size, FILE_MODE)), size=size)
    return measured


def _extents(question: ImageFolder, head: bytes | None) -> Iterable[str]:
    """The files that a descriptor names."""
    if head is None or question.form != "vmdk":
        return []
    try:
        return [extent.file for extent in descriptors.parse(head).extents if extent.file]
    except descriptors.BadDisk:
        return []


def library(question: Library, browser: Browser) -> tuple[str, ...] | None:
    """The folders directly below a base, dot-folders left out. Raises as `state`."""
    folder = parsed(question.base).relative
    found = browser.folder(folder)
    if found is None:
        above, _, name = folder.rpartition("/")
        if name in (browser.folder(above) or {}):
            raise Unclear(f"no folder stands at {question.base}")
        return None
    return tuple(sorted(name for name, it in found.items() if it.folder and not name.startswith(".")))


def half_copies(question: HalfCopies, browser: Browser) -> tuple[HalfCopy, ...]:
    """Our jobs at the root of a volume. Raises as `state`."""
    found = browser.folder("") or {}
    names = [name for name, it in found.items() if it.folder and name.startswith(OURS) and name != LOCK]
    return tuple(_half_copy(name, browser) for name in sorted(names))


def _half_copy(folder: str, browser: Browser) -> HalfCopy:
    try:
        job = browser.head(f"{folder}/job", DESCRIPTOR) or b""
    except Held as problem:
        raise Unclear(f"what is being copied in {folder} can't be read: {problem}") from problem
    used = sum(it.size or 0 for it in (browser.tree(folder, ["*"]) or {}).values() if not it.folder)
    head, *lines = job.decode("utf-8", "surrogateescape").split("\n")
    said = dict(line.split(" ", 1) for line in lines if " " in line) if head == JOB else {}
    return HalfCopy(folder, said.get("image", ""), said.get("target", folder), used)


def top_disks(question: TopDisks, browsers: Mapping[str, Browser]) -> tuple[TopDisk, ...]:
    """The disks that configuration files name. Raises as `state`."""
    return tuple(disk for config in question.configs for disk in _top_disks(config, browsers))


def _top_disks(config: str, browsers: Mapping[str, Browser]) -> list[TopDisk]:
    path = parsed(config)
    browser = browsers.get(path.datastore)
    if browser is None:
        raise Unclear(f"{config} lies on no datastore that can be looked at")
    try:
        content = browser.head(path.relative, vmx.LONGEST + 1)
        if content is None:
            raise Unclear(f"{config} is not there")
        return vmx.top_disks(config, content)
    except (Held, Unreadable) as problem:
        raise Unclear(f"{config} could not be read: {problem}") from problem
