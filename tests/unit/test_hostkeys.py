"""How known_hosts files are read, compared with OpenSSH's own reading of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.faults import HostKeyRefused
from reconciler.transports.hostkeys import check, known_keys, parse
from reconciler.transports.keys import PublicKey
from reconciler.transports.target import SshTarget


def key(letter: str, kind: str = "ssh-ed25519") -> PublicKey:
    size = len(kind).to_bytes(4, "big")
    return PublicKey(kind, size + kind.encode() + (32).to_bytes(4, "big") + letter.encode() * 32)


A, B = key("a"), key("b")


def hashed(name: str, salt: bytes = b"s" * 20) -> str:
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


FITTING = [
    "esx1.example.org",
    "other,esx1.example.org",
    "ESX1.Example.ORG",
    "*.example.org",
    "esx?.example.org",
    "*",
    "*.example.org,!esx2.example.org",
    hashed("esx1.example.org"),
]
NOT_FITTING = [
    "esx1",
    "esx1.example.org.",
    "[esx1.example.org]:2222",
    "*.example.org,!esx1.example.org",
    "!esx1.example.org,*",
    "!esx2.example.org",
    "esx[1].example.org",
    hashed("esx2.example.org"),
    "|1|\N{SNOWMAN}|\N{SNOWMAN}",
    "|1|broken",
    "|1|***|***",
    "|2|AAAA|AAAA",
]


def found(text: str, name: str = "esx1.example.org") -> list[PublicKey]:
    return [known.key for known in parse(text, name, Path("known_hosts"))]


@pytest.mark.parametrize("names", FITTING)
def test_names_that_fit(names: str) -> None:
    assert found(f"{names} {A.line} a comment\n") == [A]


@pytest.mark.parametrize("names", NOT_FITTING)
def test_names_that_do_not_fit(names: str) -> None:
    assert found(f"{names} {A.line}\n") == []


@pytest.mark.parametrize("names", FITTING + NOT_FITTING)
def test_openssh_reads_the_names_alike(names: str, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{names} {A.line}\n")
    command = ["ssh-keygen", "-F", "esx1.example.org", "-f", str(file)]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert bool(found(file.read_text())) is (A.line in printed)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "# esx1.example.org",
        "#esx1.example.org ssh-ed25519 AAAA",
        "esx1.example.org",
        "esx1.example.org ssh-rsa",
        "esx1.example.org ssh-rsa not*base64",
        f"esx1.example.org ssh-rsa {A.line.split()[1]}",
        "esx1.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        f"@cert-authority * {A.line}",
        f"@unheard-of * {A.line}",
        "@revoked",
        "esx1.example.org 2048 65537 1234567890",
    ],
)
def test_lines_that_say_nothing_are_passed_over(line: str) -> None:
    assert found(f"{line}\n* {B.line}\r\n") == [B]


def test_a_key_tells_where_it_stands_and_whether_it_is_revoked() -> None:
    text = f"# mine\n\nesx1.example.org {A.line}\n@revoked * {B.line}\n"
    first, second = parse(text, "esx1.example.org", Path("/k"))
    assert (first.origin, first.revoked) == ("/k:3", False)
    assert (second.origin, second.revoked) == ("/k:4", True)


def target(tmp_path: Path, text: str, port: int = 22, address: str = "esx1") -> SshTarget:
    file = tmp_path / "known"
    file.write_text(text)
    return SshTarget("host", address, port, known_hosts=str(file))


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        (f"esx1 {A.line}\n[esx1]:2222 {B.line}\n", 22, [A]),
        (f"esx1 {A.line}\n[esx1]:2222 {B.line}\n", 2222, [B]),
        (f"esx1 {A.line}\n", 2222, [A]),
        (f"[esx1]:2222 {A.line}\n", 22, []),
        (f"{hashed('[esx1]:2222')} {A.line}\n", 2222, [A]),
        (f"[esx1]:* {A.line}\n", 2222, [A]),
    ],
)
def test_ports(tmp_path: Path, text: str, port: int, expected: list[PublicKey]) -> None:
    assert [known.key for known in known_keys(target(tmp_path, text, port))] == expected


def test_an_ipv6_address(tmp_path: Path) -> None:
    assert known_keys(target(tmp_path, f"fd00::1 {A.line}\n", 22, "FD00::1"))
    assert known_keys(target(tmp_path, f"[fd00::1]:2222 {A.line}\n", 2222, "fd00::1"))


def test_any_known_key_will_do_but_no_revoked_one(tmp_path: Path) -> None:
    wish = target(tmp_path, f"esx1 {A.line}\nesx1 {B.line}\n@revoked esx1 {B.line}\n")
    check(wish, known_keys(wish), A)
    with pytest.raises(HostKeyRefused, match=r"revoked in .*known:3"):
        check(wish, known_keys(wish), B)


def test_a_revoked_key_of_the_past_does_not_hinder_trust_on_first_use(tmp_path: Path) -> None:
    text = f"@revoked esx1 {B.line}\n"
    wish = SshTarget("host", "esx1", trust_on_first_use=True, known_hosts=target(tmp_path, text).known_hosts)
    check(wish, known_keys(wish), A)
    assert (tmp_path / "known").read_text() == f"{text}esx1 {A.line}\n"


def test_what_another_wrote_meanwhile_counts(tmp_path: Path) -> None:
    wish = SshTarget("host", "esx1", trust_on_first_use=True, known_hosts=str(tmp_path / "known"))
    check(wish, [], A)
    check(wish, [], A)
    with pytest.raises(HostKeyRefused, match="changed"):
        check(wish, [], B)
    assert (tmp_path / "known").read_text() == f"esx1 {A.line}\n"


def test_both_usual_files_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_bytes(b"\xff\xfe nonsense\n" + f"esx1 {A.line}\n".encode())
    (tmp_path / "state").write_text(f"esx1 {B.line}\n")
    wish = SshTarget("host", "esx1", trust_file=str(tmp_path / "state"))
    assert [known.key for known in known_keys(wish)] == [A, B]


names = st.text(st.sampled_from("abc123.-"), min_size=1, max_size=20)


@given(names, names, st.binary(min_size=1, max_size=20))
@example("esx1", "esx2", b"salt")
def test_a_hashed_name_fits_that_name_only(name: str, other: str, salt: bytes) -> None:
    text = f"{hashed(name, salt)} {A.line}\n"
    assert found(text, name) == [A]
    assert bool(found(text, other)) is (name == other)


@given(st.text(max_size=200))
@example("@revoked |1|\n! [ ssh-rsa AAAA\n")
@settings(max_examples=200)
def test_no_text_is_an_error(text: str) -> None:
    assert [known.key for known in parse(text, "esx1", Path("known")) if known.key in (A, B)] == []


@given(st.text(max_size=60))
@example("ssh-rsa AAAAB3NzaC1yc2E=")
def test_what_is_no_public_key_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"TYPE|base64|type"):
        PublicKey.parse(text)


@given(st.binary(max_size=100), st.sampled_from(["ssh-rsa", "ecdsa-sha2-nistp256"]))
@example(b"x", "ssh-rsa")
def test_a_public_key_survives_its_line(rest: bytes, kind: str) -> None:
    whole = PublicKey(kind, len(kind).to_bytes(4, "big") + kind.encode() + rest + b"!")
    assert PublicKey.parse(whole.line + " comment here") == whole
