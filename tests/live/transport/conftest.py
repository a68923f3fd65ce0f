"""Keys, a home folder of their own and a target for the tests of the SSH transport."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from tests.live.transport.servers import Keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    user = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    user.write_private_key(folder / "user", "openssh")
    host_rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    return Keys(folder, user, host_rsa, asyncssh.generate_private_key("ecdsa-sha2-nistp256"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without keys, and no ssh-agent."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder
