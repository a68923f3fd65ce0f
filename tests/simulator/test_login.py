"""Who may log in to which version, with real clients."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import paramiko
import pytest

from reconciler.simulator import RELEASES, Farm, HostModel
from reconciler.simulator import keys as key_rules
from tests.simulator.client import LEGACY, connected, openssh, run, tool, transport

PASSWORD = HostModel("any").root_password
OLD = [name for name, release in RELEASES.items() if release.version < (6, 5)]


@pytest.mark.parametrize("version", RELEASES)
def test_paramiko_logs_in_with_an_rsa_key(farm: Farm, keys: Path, version: str) -> None:
    with connected(farm.host(f"v{version}"), keys / "rsa") as client:
        assert run(client, "vmware -v").out.startswith(f"{RELEASES[version].product} {version}.")


@pytest.mark.parametrize("version", ["4.1", "5.5", "6.7", "8.0"])
def test_openssh_logs_in(farm: Farm, keys: Path, version: str) -> None:
    legacy = LEGACY if version in OLD else []
    done = openssh(farm.host(f"v{version}"), keys / "rsa", "uname; exit 7", *legacy)
    assert (done.out, done.status) == ("VMkernel\n", 7), done.err


@pytest.mark.parametrize("version", OLD)
def test_old_hosts_are_out_of_reach_without_legacy_algorithms(farm: Farm, keys: Path, version: str) -> None:
    done = openssh(farm.host(f"v{version}"), keys / "rsa", "true")
    assert done.status == 255
    assert "no matching" in done.err


@pytest.mark.parametrize("version", OLD)
def test_old_hosts_refuse_rsa_signatures_with_sha2(farm: Farm, keys: Path, version: str) -> None:
    with (
        pytest.raises(paramiko.AuthenticationException),
        connected(farm.host(f"v{version}"), keys / "rsa", sha1=False),
    ):
        pass


def test_8_refuses_rsa_signatures_with_sha1(farm: Farm, keys: Path) -> None:
    with pytest.raises(paramiko.SSHException), connected(farm.host("v8.0"), keys / "rsa", sha1=True):
        pass


@pytest.mark.parametrize(
    ("version", "key", "taken"),
    [
        ("8.0", "ed25519", False),
        ("8.0", "short", False),
        ("8.0", "ecdsa", True),
        ("6.7", "ecdsa", True),
        ("6.7", "ed25519", False),
        ("5.5", "ecdsa", False),
        ("4.1", "ed25519", False),
    ],
)
def test_a_key_type_that_the_version_refuses_does_not_log_in(
    farm: Farm, keys: Path, version: str, key: str, taken: bool
) -> None:
    legacy = [*LEGACY, "-oRequiredRSASize=1024"] if version in OLD else ["-oRequiredRSASize=1024"]
    done = openssh(farm.host(f"v{version}"), keys / key, "true", *legacy)
    assert (done.status == 0) == taken, done.err
    farm.advance(1000)


@pytest.mark.parametrize("version", ["4.1", "6.7", "8.0"])
def test_hosts_show_the_keys_that_the_farm_names(farm: Farm, version: str) -> None:
    host = farm.host(f"v{version}")
    types = {line.split()[0] for line in host.host_keys}
    assert types == ({"ssh-rsa"} if version == "4.1" else {"ssh-rsa", "ecdsa-sha2-nistp256"})
    shown = subprocess.run(
        [tool("ssh-keyscan"), "-p", str(host.port), "-t", "rsa,ecdsa", host.address],
        capture_output=True,
        text=True,
        timeout=30,
    )
    for line in shown.stdout.splitlines():
        assert line.split(" ", 1)[1] in host.host_keys


def test_passwords_are_asked_for_in_the_way_of_the_version(farm: Farm) -> None:
    with connected(farm.host("v4.1"), password=PASSWORD) as client:
        assert run(client, "true").status == 0


@pytest.mark.parametrize("version", ["5.5", "6.7", "8.0"])
def test_from_5_0_on_passwords_are_keyboard_interactive(farm: Farm, version: str) -> None:
    host = farm.host(f"v{version}")
    with pytest.raises(paramiko.AuthenticationException), connected(host, password=PASSWORD[1:]):
        pass
    with transport(host) as first, pytest.raises(paramiko.BadAuthenticationType) as refused:
        first.auth_password("root", PASSWORD, fallback=False)
    assert sorted(refused.value.allowed_types) == ["keyboard-interactive", "publickey"]
    with transport(host) as second:
        assert second.auth_interactive("root", lambda title, text, fields: [PASSWORD for _ in fields]) == []
    farm.advance(1000)


def test_an_account_is_locked_after_five_failures_and_then_open_again(keys: Path, all_public: bytes) -> None:
    with Farm.start(
        [HostModel(name="h", version="6.7", authorized_keys=(keys / "rsa.pub").read_bytes())]
    ) as farm:
        host = farm.host("h")
        for _ in range(5):
            assert openssh(host, keys / "ecdsa", "true").status == 255
        assert openssh(host, keys / "rsa", "true").status == 255
        farm.advance(901)
        assert openssh(host, keys / "rsa", "true").status == 0
        assert ("publickey", True) in host.logins


def test_the_first_line_that_fits_is_in_force(farm: Farm, keys: Path, all_public: bytes) -> None:
    host = farm.host("v7.0")
    public = (keys / "rsa.pub").read_bytes()
    forced = b'command="echo forced $SSH_ORIGINAL_COMMAND" ' + public
    away = b'from="10.9.9.9,!127.*" ' + public
    try:
        for content, out in (
            (forced + public, "forced hi\n"),
            (public + forced, "hi\n"),
            (away + public, "hi\n"),
        ):
            host.files.write(host.keys_path, content)
            assert openssh(host, keys / "rsa", "hi() { echo hi; }; hi" if out == "hi\n" else "hi").out == out
        host.files.write(host.keys_path, away)
        assert openssh(host, keys / "rsa", "true").status == 255
    finally:
        host.files.write(host.keys_path, all_public)


BLOB = base64.b64encode(b"\0\0\0\7ssh-rsa some bytes of a key").decode()
LINES = [
    (f"ssh-rsa {BLOB}", True),
    (f"ssh-rsa {BLOB} a comment with blanks\r", True),
    (f"# ssh-rsa {BLOB}", False),
    (f"ssh-rsa{BLOB}", False),
    (f"ssh-rsa {BLOB[:-4]}", False),
    (f"ssh-rsa {BLOB.rstrip('=')}", False),
    (f"ssh-rsa {BLOB[:8]}!{BLOB[8:]}", False),
    (f"ecdsa-sha2-nistp256 {BLOB}", False),
    (f"ssh-rsa AAAA\x0cssh-rsa {BLOB}", False),
    (f"nonsense ssh-rsa {BLOB}", False),
    (f'no="a ssh-rsa {BLOB}', False),
    (f'from="127.0.0.0/8" ssh-rsa {BLOB}', True),
    (f'from="!127.0.0.1,*" ssh-rsa {BLOB}', False),
    (f'no-pty,environment="A=\\"b c\\"" ssh-rsa {BLOB}', True),
]


@pytest.mark.parametrize(("line", "fits"), LINES)
def test_a_line_of_authorized_keys_is_read_as_sshd_reads_it(line: str, fits: bool) -> None:
    found = key_rules.fitting(b"\n# nothing\n" + line.encode() + b"\n", base64.b64decode(BLOB), "127.0.0.1")
    assert (found is not None) == fits


@pytest.mark.parametrize(("options", "fits"), [('command="x",no-pty', True), ('from="127.*"', False)])
def test_dropbear_passes_over_options_that_it_lacks(options: str, fits: bool) -> None:
    line = f"{options} ssh-rsa {BLOB}\n".encode()
    found = key_rules.fitting(line, base64.b64decode(BLOB), "127.0.0.1", dropbear=True)
    assert (found is not None) == fits


@pytest.mark.parametrize("version", ["4.1", "7.0"])
@pytest.mark.parametrize("opened", ["{file}", "{folder}"])
def test_keys_that_others_may_write_are_no_keys(farm: Farm, keys: Path, version: str, opened: str) -> None:
    host = farm.host(f"v{version}")
    path = opened.format(file=host.keys_path, folder=host.keys_path.rpartition("/")[0])
    with connected(host, keys / "rsa") as client:
        assert run(client, f"chmod g+w {path}").status == 0
        with pytest.raises(paramiko.AuthenticationException), connected(host, keys / "rsa"):
            pass
        assert run(client, f"chmod g-w {path}").status == 0
    farm.advance(1000)


def test_a_shell_of_your_own_is_refused_politely(farm: Farm, keys: Path) -> None:
    with connected(farm.host("v6.7"), keys / "rsa") as client:
        channel = client.invoke_shell()
        assert (
            b"interactive shells are not simulated"
            in channel.makefile_stderr("rb").read() + channel.makefile("rb").read()
        )


def test_dropbear_refuses_a_long_command(farm: Farm, keys: Path) -> None:
    with connected(farm.host("v4.1"), keys / "rsa") as client:
        assert run(client, "true " + "x" * 1000).status == 0
        with pytest.raises(paramiko.SSHException):
            run(client, "true " + "x" * 1100)
        assert run(client, "sh", b"true " + b"x" * 5000).status == 0
