"""Real git repositories, independent of whoever runs the tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def signer(folder: Path, name: str) -> Path:
    """A new key pair; the file of the private one."""
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
    return key


class Repository:
    """A repository with a working tree. Needs `WHO` in the environment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, input: str | bytes = "") -> str:
        """What git prints."""
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, input=data, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def write(self, **files: str) -> None:
        """Spec files below `specs`, by name."""
        (self.path / "specs").mkdir(exist_ok=True)
        for name, text in files.items():
            (self.path / "specs" / f"{name}.yaml").write_text(text)

    def commit(self, *options: str, **files: str) -> str:
        """Commit all there is; the commit's name."""
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x", *options)
        return self.git("rev-parse", "HEAD")

    def signed(self, key: Path, **files: str) -> str:
        """A commit signed by a key for SSH."""
        self.git("config", "gpg.format", "ssh")
        self.git("config", "user.signingKey", str(key))
        return self.commit("-S", **files)

    def blob(self, content: bytes) -> str:
        """Write an object; its name."""
        return self.git("hash-object", "-w", "--stdin", input=content)

    def tree(self, *entries: tuple[str, str, bytes]) -> str:
        """Write a tree of mode, object and name as it is, whatever git thinks of it; its name."""
        content = b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(it) for mode, it, name in entries
        )
        return self.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", input=content)

    def point(self, tree: str) -> str:
        """Make a commit of a tree the tip of main; its name."""
        commit = self.git("commit-tree", tree, "-m", "x")
        self.git("update-ref", "refs/heads/main", commit)
        return commit
