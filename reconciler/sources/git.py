"""Specs from a branch of a git repository, asked for news at an interval."""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from reconciler.desired import Mistake, Trust
from reconciler.desired.files import MAX_KEYS_BYTES, Unreadable, read_text, reason
from reconciler.sources.committed import CommittedFiles
from reconciler.sources.places import stamps
from reconciler.sources.program import Git, GitFailed, Stopped
from reconciler.sources.reading import Reading, read
from reconciler.sources.remote import checked_branch, checked_path, parse_remote
from reconciler.sources.revision import Fetched, Rejected, Revision, Tell, Telling, Trouble, unexpected
from reconciler.sources.tree import Refused
from reconciler.sources.upstream import NoBranch, Upstream
from reconciler.state.files import sync_folder

FIRST_SECONDS = 15.0
FETCH_SECONDS = 120.0
_AGAIN = "it is fetched anew at the next interval; what is in force stays"
# milliseconds, numbers of requests: they make no other trouble of it
_NUMBERS = re.compile(r"[0-9a-f]*\d[0-9a-f:-]*")
_LOG = logging.getLogger("reconciler")


class GitSource:
    """The specs at `path` on `branch` of the repository at `url`; `interval` in seconds.

    With `signers`, a file of allowed signers (ssh-keygen(1)), commits that none of them signed do not count. What
    specs may name says `trust`. Raises WrongAddress (a ValueError) for a URL, branch or path that can't be used.
    """

    def __init__(
        self,
        url: str,
        branch: str,
        path: str,
        interval: float,
        signers: Path | None,
        state_dir: Path,
        trust: Trust,
    ) -> None:
        self._remote = parse_remote(url)
        self._branch, self._path = checked_branch(branch), Path(checked_path(path))
        self._interval, self._signers = interval, signers and Path(os.path.abspath(signers))
        # what was accepted under other conditions is not ours
        conditions = "\n".join((self._remote.origin, branch, str(self._path), str(signers is not None)))
        self._home = Path(os.path.abspath(state_dir), "git", sha256(conditions.encode()).hexdigest()[:16])
        self._trees, self._in_force = self._home / "trees", self._home / "in-force"
        self._trust = replace(trust, repository=str(self._in_force))
        self._away: tuple[str, Trouble] | None = None
        self._accepted: tuple[Revision, str] | None = None
        self._files: set[str] = set()
        self._seen: Mapping[str, object] = {}

    @property
    def origin(self) -> str:
        return f"{self._remote.origin} {self._branch}"

    def run(self, tell: Tell, stop: threading.Event) -> None:
        """As in `Source`."""
        telling = Telling(tell)
        upstream: Upstream | None = None
        while not stop.is_set():
            try:
                upstream = upstream or self._opened(stop)
                self._turn(upstream, telling, tell)
            except Stopped:
                return
            except OSError as error:
                why = f"{reason(error)}: {error.filename}" if error.filename else reason(error)
                trouble = Trouble(f"the state folder can't be used: {why}", "make room, or make it writable")
                self._wrong(telling, trouble)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next interval may be better
                self._wrong(telling, unexpected(error))
            stop.wait(self._interval)

    def _opened(self, stop: threading.Event) -> Upstream:
        """What a loop that was killed left half-made goes first."""
        self._trees.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        settings = {"gpg.ssh.allowedSignersFile": str(self._signers)} if self._signers else {}
        return Upstream(Git(self._home, self._remote, settings, stop), self._home, self._remote, self._branch)

    def _turn(self, upstream: Upstream, telling: Telling, tell: Tell) -> None:
        """Ask for news once, and tell them."""
        kept = telling.key is None and self._in_force.exists()
        try:
            commit = upstream.fetch(FIRST_SECONDS if kept else FETCH_SECONDS)
        except GitFailed as error:
            tell(Fetched(ok=False))
            self._wrong(telling, self._unreachable(error))
            return
        tell(Fetched(ok=True))
        try:
            self._consider(upstream, commit, telling)
        except Refused as error:
            self._wrong(telling, Rejected(commit, (error.mistake,)))
        except GitFailed as error:
            upstream.forget()
            trouble = Trouble(f"git can't read commit {commit[:12]} of {self.origin}: {error}", _AGAIN)
            self._wrong(telling, trouble)

    def _unreachable(self, error: GitFailed) -> Trouble:
        if isinstance(error, NoBranch):
            following = "push the branch, or name another one with --git-branch; what is in force stays"
            return Trouble(f"{self._remote.origin}: {error}", following, passing=True)
        essence = _NUMBERS.sub("", str(error))
        if self._away is None or self._away[0] != essence:
            following = f"what is in force stays; try it by hand: git ls-remote {self._remote.origin}"
            self._away = essence, Trouble(f"git can't fetch {self.origin}: {error}", following, passing=True)
        return self._away[1]

    def _consider(self, upstream: Upstream, commit: str, telling: Telling) -> None:
        """Judge the commit at the tip, and put it in force when it is good."""
        doubt = self._doubt(upstream, commit)
        if doubt is not None:
            self._wrong(telling, doubt)
            return
        tree = self._trees / commit
        if not tree.is_dir():
            # what was rejected before
            self._sweep()
            upstream.write_tree(commit, tree)
        if self._accepted is None or not self._is_as_it_was(commit):
            reading = self._read(commit)
            if isinstance(reading.found, Rejected):
                self._accepted = None
                self._wrong(telling, reading.found)
                return
            self._put_in_force(commit)
            self._sweep()
            self._accepted = reading.found, _key(reading)
            self._files = reading.record.files
            self._seen = stamps((), self._files)
        telling.good(*self._accepted)

    def _is_as_it_was(self, commit: str) -> bool:
        """Whether commit and all files that its specs name are those that were accepted."""
        accepted = self._accepted is not None and self._accepted[0].name == commit
        return accepted and stamps((), self._files) == self._seen

    def _doubt(self, upstream: Upstream, commit: str) -> Rejected | Trouble | None:
        """Why nobody vouches for the commit."""
        if self._signers is None:
            return None
        try:
            read_text(str(self._signers), MAX_KEYS_BYTES)
        except Unreadable as error:
            return Trouble(
                f"the allowed signers in {self._signers} can't be read: {error}", "restore the file"
            )
        try:
            upstream.verify(commit)
        except GitFailed as error:
            right = "sign it, git commit --amend -S, or add the key to the file"
            what = f"commit {commit[:12]} of {self.origin} is signed by nobody in {self._signers}: {error}"
            mistake = Mistake(str(self._path), 1, 1, "signature", f"{what} (would be right: {right})")
            return Rejected(commit, (mistake,))
        return None

    def _read(self, commit: str) -> Reading:
        return read([self._path], CommittedFiles(self._in_force, self._trees / commit), self._trust, commit)

    def _wrong(self, telling: Telling, found: Rejected | Trouble) -> None:
        """Tell what is wrong, at a start after what was in force when the last one ended."""
        if telling.key is None:
            try:
                self._restore(telling)
            except Exception as error:  # noqa: BLE001 - without them it goes on all the same
                _LOG.warning("the last good specs can't be used: %s", unexpected(error).why)
        telling.wrong(found)

    def _restore(self, telling: Telling) -> None:
        commit = self._commit_in_force()
        if not commit:
            return
        reading = self._read(commit)
        if isinstance(reading.found, Revision):
            telling.good(reading.found, _key(reading))
        else:
            mistake = reading.found.mistakes[0]
            _LOG.warning("the last good specs, of commit %s, can't be used: %s", commit, mistake)

    def _put_in_force(self, commit: str) -> None:
        if self._commit_in_force() == commit:
            return
        new = self._home / ".in-force.new"
        new.unlink(missing_ok=True)
        new.symlink_to(Path(self._trees.name, commit))
        new.replace(self._in_force)
        sync_folder(self._home)

    def _commit_in_force(self) -> str:
        """Empty: none."""
        return os.path.basename(os.readlink(self._in_force)) if self._in_force.is_symlink() else ""

    def _sweep(self) -> None:
        """Remove all trees but the one in force."""
        keep = self._commit_in_force()
        for tree in self._trees.iterdir():
            if tree.name != keep:
                shutil.rmtree(tree, ignore_errors=True)


def _key(reading: Reading) -> str:
    return f"{reading.found.name} {reading.record.key()}"
