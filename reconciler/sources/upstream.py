"""A branch of a git repository, as it stands with the remote."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from reconciler.sources.program import Git, GitFailed
from reconciler.sources.remote import Remote
from reconciler.sources.tree import write_tree

_PREFIX = "repository-"
_TIP = "refs/heads/tip"
_SHA256_DIGITS = 64
_GOOD = 'Good "git" signature for '


class NoBranch(GitFailed):
    """The remote answered, but has no such branch."""


class Upstream:
    """The newest commit of a branch, in a bare repository below `home`.

    That is made anew for each commit, of which it holds the files and no history: so nothing that a killed git leaves
    behind, and no damage, ever outlives the next try.
    """

    def __init__(self, git: Git, home: Path, remote: Remote, branch: str) -> None:
        self._git, self._home, self._remote = git, home, remote
        self._ref = f"refs/heads/{branch}"
        self._commit: str | None = None
        self._repository = home
        for left in home.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)

    def fetch(self, seconds: float) -> str:
        """The commit at the tip, which is here now; each of two exchanges may take so many seconds.

        Raises GitFailed (NoBranch) and Stopped.
        """
        tip = self._tip(seconds)
        if self._commit != tip or not self._is_sound(tip):
            self.forget()
            self._repository = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._home))
            self._fetch(tip, seconds)
            commit = self._run("rev-parse", "--verify", f"{_TIP}^{{commit}}").decode().strip()
            self._commit = commit
        assert self._commit is not None
        return self._commit

    def forget(self) -> None:
        """Fetch it anew the next time."""
        if self._repository != self._home:
            shutil.rmtree(self._repository, ignore_errors=True)
        self._commit, self._repository = None, self._home

    def verify(self, commit: str) -> None:
        """Return if one of the allowed signers signed the commit. Raises GitFailed, Stopped."""
        said = self._git.run(f"--git-dir={self._repository}", "verify-commit", "--raw", commit)
        if not said.err.startswith(_GOOD):
            raise GitFailed("it has no signature of an SSH key")

    def write_tree(self, commit: str, target: Path) -> None:
        """As in `tree`."""
        write_tree(self._git, self._repository, commit, target)

    def _is_sound(self, commit: str) -> bool:
        try:
            self._run("cat-file", "-e", f"{commit}^{{tree}}")
        except GitFailed:
            return False
        return True

    def _tip(self, seconds: float) -> str:
        listed = self._git.run("ls-remote", "--", self._remote.url, self._ref, seconds=seconds).out
        refs = (line.split("\t") for line in listed.decode("utf-8", "replace").splitlines())
        tips = [name for name, ref in refs if ref == self._ref]
        if not tips:
            branch = self._ref.removeprefix("refs/heads/")
            raise NoBranch(f"there is no branch {branch!r}, and perhaps no commit at all")
        return tips[0]

    def _fetch(self, tip: str, seconds: float) -> None:
        form = "sha256" if len(tip) == _SHA256_DIGITS else "sha1"
        self._git.run(
            "init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(self._repository)
        )
        self._run(
            *(
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-recurse-submodules",
                "--no-write-fetch-head",
            ),
            *("--", self._remote.url, f"+{self._ref}:{_TIP}"),
            seconds=seconds,
        )

    def _run(self, *arguments: str, seconds: float = 60.0) -> bytes:
        return self._git.run(f"--git-dir={self._repository}", *arguments, seconds=seconds).out
