"""The files of a commit, written below a folder without ever leaving it: by names and links alone, before a byte is
written. No checkout: nothing that a repository says of its own files (filters, attributes) has any effect."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.desired import Mistake
from reconciler.records import record
from reconciler.render.visible import HAZARD, visible
from reconciler.sources.program import Git, GitFailed, TooMuch
from reconciler.state.files import sync_folder

MOST_FILES = 20_000
MOST_FILE_BYTES = 8 * 1024 * 1024
MOST_BYTES = 64 * 1024 * 1024
MOST_PATH_BYTES = 1024
MOST_TARGET_BYTES = 1024
MOST_LINKS = 40
MOST_STEPS = 200_000
_MOST_LISTING = 32 * 1024 * 1024
_LEADS_OUT = "this link leads out of the repository"
_TOO_MANY = f"the repository has more than {MOST_FILES:,} files"
_MOST_HEADS = 128 * MOST_FILES
_LINK, _SUBMODULE, _FILES = "120000", "160000", ("100644", "100755", "100664")
_ENTRY = re.compile(rb"([0-7]{6}) (blob|commit) ([0-9a-f]{40,64}) +(\d+|-)\t(.+)", re.DOTALL)


class Refused(Exception):
    """A revision that no honest repository would have, or one that is too large."""

    def __init__(self, path: str, what: str) -> None:
        self.mistake = Mistake(visible(path), 1, 1, "repository", what)
        super().__init__(str(self.mistake))


@record
class Entry:
    """A file, or a link. `size` in bytes; `blob` is git's name of the content."""

    path: str
    link: bool
    blob: str
    size: int


def write_tree(git: Git, repository: Path, commit: str, target: Path) -> None:
    """Write the files of a commit to `target`, which is there whole or not at all, also after a power loss.

    Raises Refused, GitFailed, Stopped and OSError.
    """
    at = f"--git-dir={repository}"
    try:
        listing = git.run(at, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, limit=_MOST_LISTING).out
    except TooMuch as error:
        raise Refused(".", _TOO_MANY) from error
    entries = list(parsed(listing))
    check_names(entry.path for entry in entries)
    names = "".join(f"{blob}\n" for blob in dict.fromkeys(entry.blob for entry in entries))
    text = git.run(
        at, "cat-file", "--batch", "--buffer", input=names.encode(), limit=MOST_BYTES + _MOST_HEADS
    ).out
    contents = dict(_contents(text))
    files = {entry.path: contents[entry.blob] for entry in entries if not entry.link}
    targets = {entry.path: _target(entry.path, contents[entry.blob]) for entry in entries if entry.link}
    check_links(targets)
    write(files, targets, target)


def parsed(listing: bytes) -> Iterator[Entry]:
    """The entries of a listing by `git ls-tree -r -z -l`, without submodules. Raises Refused for what is too much."""
    total, lines = 0, listing.split(b"\0")[:-1]
    if len(lines) > MOST_FILES:
        raise Refused(".", _TOO_MANY)
    for line in lines:
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise Refused(".", "the list of files can't be read")
        mode, _, blob, size, name = match.groups()
        path = name.decode("utf-8", "surrogateescape")
        if mode.decode() == _SUBMODULE:
            continue
        if mode.decode() not in (*_FILES, _LINK):
            raise Refused(path, f"has the mode {mode.decode()}, which nothing has that git makes")
        total += int(size)
        if int(size) > MOST_FILE_BYTES or total > MOST_BYTES:
            limits = f"{MOST_FILE_BYTES >> 20} MiB a file, {MOST_BYTES >> 20} MiB in all"
            raise Refused(
                path, f"the repository is too large with this file (would be right: at most {limits})"
            )
        yield Entry(path, mode.decode() == _LINK, blob.decode(), int(size))


def check_names(paths: Iterable[str]) -> None:
    """Raises Refused for a name that means something to a file system or a terminal, and for names that collide."""
    seen: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        parts = path.split("/")
        if any(part.casefold() in ("", ".", "..", ".git") for part in parts):
            raise Refused(path, "this name leads out of the repository, or into git's own files")
        if HAZARD.search(path) or len(path.encode()) > MOST_PATH_BYTES or max(map(len, parts)) > 255:
            raise Refused(path, "this name is too long, no UTF-8, or has a sign in it that can't be seen")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if path in seen:
            raise Refused(path, "there are two files of this name")
        seen.add(path)
    for path in seen & folders:
        raise Refused(path, "this is a file and a folder at once")


def check_links(targets: Mapping[str, str]) -> None:
    """Raises Refused for a link that leads out of the revision, or nowhere since it is part of a ring."""
    steps = 0
    for path in targets:
        steps += _follow(path, targets)
        if steps > MOST_STEPS:
            raise Refused(path, "the links of the repository are too many, or too long")


def _follow(path: str, targets: Mapping[str, str]) -> int:
    """Go where a link leads, as a kernel would: the number of steps. What is not there counts as a folder."""
    folder, links, steps, rest = list[str](), 0, 0, path.split("/")[::-1]
    while rest:
        steps += 1
        part = rest.pop()
        leads_to = targets.get("/".join((*folder, part)))
        if part in ("", "."):
            continue
        if part == "..":
            if not folder:
                raise Refused(path, _LEADS_OUT)
            folder.pop()
        elif leads_to is None:
            folder.append(part)
        elif leads_to.startswith("/"):
            raise Refused(path, _LEADS_OUT)
        elif links == MOST_LINKS:
            raise Refused(path, "this link leads in a ring")
        else:
            links += 1
            rest += leads_to.split("/")[::-1]
    return steps


def _target(path: str, content: bytes) -> str:
    target = content.decode("utf-8", "surrogateescape")
    if not target or HAZARD.search(target) or len(content) > MOST_TARGET_BYTES:
        raise Refused(path, "this link leads to a name that is empty, too long, or can't be seen")
    return target


def _contents(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each object in the answer of `git cat-file --batch`. Raises GitFailed."""
    at = 0
    while at < len(text):
        end = text.index(b"\n", at)
        name, *rest = text[at:end].split(b" ")
        if len(rest) != 2 or rest[0] != b"blob":
            raise GitFailed("an object of the repository is missing")
        begin, size = end + 1, int(rest[1])
        yield name.decode(), text[begin : begin + size]
        at = begin + size + 1


def write(files: Mapping[str, bytes], targets: Mapping[str, str], target: Path) -> None:
    """Write files and links, whose names were checked, to a new folder. Links come last: nothing is ever written by
    way of one. Raises OSError."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for path, content in files.items():
            _write_file(new / path, content)
        for path, leads_to in targets.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).symlink_to(leads_to)
        for folder, _, _ in os.walk(new):
            sync_folder(Path(folder))
        new.rename(target)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    sync_folder(target.parent)


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
