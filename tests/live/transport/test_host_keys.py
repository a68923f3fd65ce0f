"""Whose key a host may show: pinned, known, trusted once; and that nothing is sent to a stranger."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.faults import HostKeyRefused
from reconciler.transports.keys import PublicKey
from reconciler.transports.ssh import SshTarget, connect
from tests.live.transport.servers import Host, Keys, line, serving

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def host(keys: Keys) -> Iterator[Host]:
    """A host that has an RSA and an ECDSA key."""
    with serving(Host(user_keys=[line(keys.user)]), [keys.host_ecdsa, keys.host_rsa]) as served:
        yield served


@pytest.fixture
def target(host: Host, keys: Keys) -> SshTarget:
    return SshTarget("esx", "127.0.0.1", host.port, key=keys.file)


def fingerprint(text: str) -> str:
    return PublicKey.parse(text).fingerprint


@pytest.mark.parametrize("kind", ["host_rsa", "host_ecdsa"])
def test_a_pinned_key_of_any_type_is_asked_for(target: SshTarget, keys: Keys, kind: str) -> None:
    connect(replace(target, host_key=line(getattr(keys, kind)))).close()


@pytest.mark.parametrize("kind", ["host_rsa", "host_ecdsa"])
def test_known_hosts_with_one_type_only(target: SshTarget, keys: Keys, home: Path, kind: str) -> None:
    known = home / ".ssh" / "known_hosts"
    known.write_text(f"[127.0.0.1]:{target.port} {line(getattr(keys, kind))} comment\n")
    connect(target).close()


def test_an_unknown_key_is_refused_before_anything_is_sent(host: Host, target: SshTarget) -> None:
    with pytest.raises(HostKeyRefused) as caught:
        connect(replace(target, password=lambda: "secret"))
    shown = caught.value.next.rsplit("hostKey: ", 1)[1]
    assert fingerprint(shown) in caught.value.message
    assert host.keys_tried == host.passwords_tried == []
    connect(replace(target, host_key=shown)).close()


def test_a_fingerprint_is_the_one_that_openssh_prints(keys: Keys, tmp_path: Path) -> None:
    keys.host_rsa.write_public_key(tmp_path / "key.pub")
    command = ["ssh-keygen", "-l", "-f", str(tmp_path / "key.pub")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert fingerprint(line(keys.host_rsa)) == printed.split()[1]


@pytest.mark.parametrize("once", [False, True], ids=["strict", "trustOnFirstUse"])
def test_a_changed_key_is_refused_with_both_fingerprints(
    host: Host, target: SshTarget, keys: Keys, tmp_path: Path, once: bool
) -> None:
    _, other = keys.other()
    file = tmp_path / "known"
    file.write_text(f"[127.0.0.1]:{target.port} {other}\n")
    with pytest.raises(HostKeyRefused, match="changed") as caught:
        connect(replace(target, known_hosts=str(file), trust_on_first_use=once))
    assert fingerprint(line(keys.host_ecdsa)) in caught.value.message
    assert fingerprint(other) in caught.value.message
    assert f"{file}:1" in caught.value.message
    assert host.keys_tried == []
    assert file.read_text().count("\n") == 1


def test_a_pinned_key_is_the_only_source(target: SshTarget, keys: Keys, home: Path) -> None:
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{target.port} {line(keys.host_rsa)}\n")
    with pytest.raises(HostKeyRefused, match="changed"):
        connect(replace(target, host_key=keys.other()[1]))


def test_a_pinned_key_that_is_none_is_said_before_connecting(host: Host, target: SshTarget) -> None:
    with pytest.raises(HostKeyRefused, match="not a public key"):
        connect(replace(target, host_key="ssh-rsa AAAA"))
    assert host.connections == 0


def test_named_known_hosts_replace_the_usual_ones(target: SshTarget, keys: Keys, home: Path) -> None:
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{target.port} {line(keys.host_rsa)}\n")
    with pytest.raises(HostKeyRefused, match="unknown"):
        connect(replace(target, known_hosts=str(home / "empty")))


def test_names_that_openssh_hashed(target: SshTarget, keys: Keys, tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(f"other {keys.other()[1]}\n[127.0.0.1]:{target.port} {line(keys.host_rsa)}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert file.read_text().startswith("|1|")
    connect(replace(target, known_hosts=str(file))).close()


def test_a_revoked_key_is_refused(target: SshTarget, keys: Keys, tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(f"* {line(keys.host_rsa)}\n@revoked * {line(keys.host_rsa)}\n")
    with pytest.raises(HostKeyRefused, match="revoked"):
        connect(replace(target, known_hosts=str(file)))


def test_trust_on_first_use_writes_the_key_down_once(target: SshTarget, tmp_path: Path) -> None:
    file = tmp_path / "state" / "known_hosts"
    trusting = replace(target, trust_on_first_use=True, trust_file=str(file))
    connect(trusting).close()
    connect(trusting).close()
    assert file.read_text().startswith(f"[127.0.0.1]:{target.port} ecdsa-sha2-nistp256 ")
    assert file.read_text().count("\n") == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    connect(replace(trusting, trust_on_first_use=False)).close()
    command = ["ssh-keygen", "-F", f"[127.0.0.1]:{target.port}", "-f", str(file)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_trust_on_first_use_goes_to_the_file_that_the_spec_names(target: SshTarget, tmp_path: Path) -> None:
    named, state = tmp_path / "named", tmp_path / "state"
    named.write_text("# mine, without an end of line")
    wish = replace(target, known_hosts=str(named), trust_on_first_use=True, trust_file=str(state))
    connect(wish).close()
    first, second = named.read_text().splitlines()
    assert first == "# mine, without an end of line"
    assert second.startswith(f"[127.0.0.1]:{target.port} ")
    assert not state.exists()


def test_many_threads_write_a_key_once(target: SshTarget, tmp_path: Path) -> None:
    file = tmp_path / "known"
    trusting = replace(target, trust_on_first_use=True, trust_file=str(file))
    with ThreadPoolExecutor(8) as pool:
        for session in pool.map(lambda _: connect(trusting), range(16)):
            session.close()
    assert file.read_text().count("\n") == 1


def test_a_key_that_cannot_be_written_down_is_not_trusted(target: SshTarget, tmp_path: Path) -> None:
    (tmp_path / "state").symlink_to(tmp_path / "gone")
    with pytest.raises(HostKeyRefused, match="can't write"):
        connect(replace(target, trust_on_first_use=True, trust_file=str(tmp_path / "state" / "known")))


def test_known_hosts_that_cannot_be_read_are_said(target: SshTarget, tmp_path: Path) -> None:
    with pytest.raises(HostKeyRefused, match="can't read"):
        connect(replace(target, known_hosts=str(tmp_path)))
