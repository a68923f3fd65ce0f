"""Who is let in, what is offered, and how often."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_SERVICE_REQUEST, MSG_USERAUTH_FAILURE, MSG_USERAUTH_REQUEST
from asyncssh.packet import Boolean, String

from reconciler.faults import LoginRefused, Unreachable
from reconciler.transports.ssh import Limits, SshTarget, connect, prove_login
from tests.live.transport.servers import Host, Keys, line, serving

pytestmark = pytest.mark.timeout(60)


def target(host: Host, keys: Keys, key: str | None = None) -> SshTarget:
    return SshTarget("esx", "127.0.0.1", host.port, key=key, host_key=line(keys.host_rsa))


@pytest.fixture
def host(keys: Keys) -> Iterator[Host]:
    with serving(Host(user_keys=[line(keys.user)]), [keys.host_rsa]) as served:
        yield served


def test_the_named_key_is_offered_once_and_nothing_else(host: Host, keys: Keys, home: Path) -> None:
    default, _ = keys.other()
    (home / ".ssh" / "id_ecdsa").write_bytes(Path(default).read_bytes())
    session = connect(target(host, keys, keys.file))
    assert session.public_key == line(keys.user)
    assert session.run(b"echo in", limit=10).out == b"in\n"
    session.close()
    assert host.keys_tried == [line(keys.user)]


def test_a_refused_key_is_tried_once_and_the_message_says_all(host: Host, keys: Keys) -> None:
    path, other = keys.other()
    with pytest.raises(LoginRefused) as caught:
        connect(target(host, keys, path))
    assert host.keys_tried == [other]
    assert host.connections == 1
    for word in ("esx", "127.0.0.1", "root", path, "SHA256:", "publickey"):
        assert word in caught.value.message
    assert "authorized_keys" in caught.value.next
    assert "15 minutes" in caught.value.next


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem"])
@pytest.mark.parametrize("kind", ["ssh-rsa", "ecdsa-sha2-nistp384", "ssh-ed25519"])
def test_private_keys_of_every_form_log_in(keys: Keys, tmp_path: Path, kind: str, form: str) -> None:
    if (kind, form) == ("ssh-ed25519", "pkcs1-pem"):
        form = "openssh"
    key = keys.user if kind == "ssh-rsa" else asyncssh.generate_private_key(kind)
    key.write_private_key(tmp_path / "key", form)
    with serving(Host(user_keys=[line(key)]), [keys.host_rsa]) as host:
        session = connect(target(host, keys, str(tmp_path / "key")))
        session.close()
    assert session.public_key == line(key)
    assert host.keys_tried == [line(key)]


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_a_password_is_tried_once_and_only_after_the_key(keys: Keys, method: str) -> None:
    path, other = keys.other()
    served = Host(password="pä ss", methods=("publickey", method))
    with serving(served, [keys.host_rsa]) as host:
        session = connect(replace(target(host, keys, path), password=lambda: "pä ss"))
        session.close()
    assert session.public_key is None
    assert host.keys_tried == [other]
    assert host.passwords_tried == ["pä ss"]


def test_a_password_is_not_even_looked_up_when_the_key_works(host: Host, keys: Keys) -> None:
    def never() -> str:
        raise AssertionError("looked up")

    connect(replace(target(host, keys, keys.file), password=never)).close()


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_a_wrong_password_is_tried_once_and_never_shown(keys: Keys, method: str) -> None:
    with serving(Host(password="right", methods=(method,)), [keys.host_rsa]) as host:
        wish = replace(target(host, keys), password=lambda: "S3cret", password_source="{env: ESXI_PASSWORD}")
        with pytest.raises(LoginRefused) as caught:
            connect(wish)
    assert host.passwords_tried == ["S3cret"]
    assert "{env: ESXI_PASSWORD}" in caught.value.message
    cause: BaseException | None = caught.value
    while cause is not None:
        assert "S3cret" not in f"{cause!r} {cause}"
        cause = cause.__cause__ or cause.__context__


@pytest.mark.parametrize(
    "questions",
    [[("Password: ", False), ("Token: ", False)], [("User: ", True)]],
    ids=["two questions", "a visible answer"],
)
def test_a_password_answers_nothing_but_one_hidden_question(
    keys: Keys, questions: list[tuple[str, bool]]
) -> None:
    served = Host(password="right", methods=("keyboard-interactive",), questions=questions)
    with (
        serving(served, [keys.host_rsa]) as host,
        pytest.raises(LoginRefused, match="more than one password"),
    ):
        connect(replace(target(host, keys), password=lambda: "right"))
    assert host.passwords_tried == []


def test_a_host_without_keys_is_offered_none(keys: Keys) -> None:
    served = Host(methods=("password",))
    with serving(served, [keys.host_rsa]) as host, pytest.raises(LoginRefused, match="takes none"):
        connect(target(host, keys, keys.file))
    assert host.keys_tried == []


def test_nothing_to_log_in_with_is_said_before_the_host_is_touched(host: Host, keys: Keys) -> None:
    with pytest.raises(LoginRefused, match="nothing to log in with"):
        connect(target(host, keys))
    assert host.connections == 0


def test_default_identities_are_offered_when_no_key_is_named(host: Host, keys: Keys, home: Path) -> None:
    other, other_line = keys.other()
    (home / ".ssh" / "id_ecdsa").write_bytes(Path(other).read_bytes())
    (home / ".ssh" / "id_rsa").write_bytes(Path(keys.file).read_bytes())
    (home / ".ssh" / "id_ed25519").write_text("broken")
    session = connect(target(host, keys))
    session.close()
    assert session.public_key == line(keys.user)
    assert host.keys_tried == [other_line, line(keys.user)]


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    socket = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", socket)
    yield
    process.terminate()
    process.wait()
    process.stdout.close()


def add(*files: str) -> None:
    for file in files:
        Path(file).chmod(0o600)
        subprocess.run(["ssh-add", "-q", file], check=True)


@pytest.mark.usefixtures("agent")
def test_a_key_in_the_agent_logs_in(host: Host, keys: Keys) -> None:
    add(keys.file)
    session = connect(target(host, keys))
    assert session.run(b"exit 7", limit=10).status == 7
    session.close()
    assert host.keys_tried == [session.public_key] == [line(keys.user)]


@pytest.mark.usefixtures("agent")
def test_a_full_agent_does_not_lock_the_account(host: Host, keys: Keys) -> None:
    others = [keys.other(name=f"agent{number}") for number in range(4)]
    add(*(path for path, _ in others))
    with pytest.raises(LoginRefused) as caught:
        connect(target(host, keys))
    assert host.keys_tried == [known for _, known in others[:3]]
    assert "more keys" in caught.value.message
    assert "access.ssh.key" in caught.value.next


@pytest.mark.usefixtures("agent")
def test_a_named_key_keeps_the_agent_out(host: Host, keys: Keys) -> None:
    add(keys.file)
    path, other = keys.other()
    with pytest.raises(LoginRefused):
        connect(target(host, keys, path))
    assert host.keys_tried == [other]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paramiko leaves its socket open
def test_a_dead_agent_is_no_agent(
    host: Host, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    with pytest.raises(LoginRefused, match="nothing to log in with"):
        connect(target(host, keys))


def test_prove_login_offers_exactly_the_key_on_a_fresh_connection(host: Host, keys: Keys) -> None:
    path, other = keys.other()
    wish = replace(target(host, keys, keys.file), password=lambda: "never")
    connect(wish).close()
    with pytest.raises(LoginRefused):
        prove_login(wish, path)
    prove_login(wish, keys.file)
    assert host.keys_tried == [line(keys.user), other, line(keys.user)]
    assert host.passwords_tried == []
    assert host.connections == 3


def test_an_ed25519_key_that_is_refused_gets_the_hint_for_esxi_8(host: Host, keys: Keys) -> None:
    path, _ = keys.other("ssh-ed25519")
    with pytest.raises(LoginRefused) as caught:
        connect(target(host, keys, path))
    assert "ESXi 8" in caught.value.next


def test_a_host_that_says_goodbye_over_a_login_is_quoted_and_not_asked_again(keys: Keys) -> None:
    with serving(Host(methods=("password",)), [keys.host_rsa]) as host:

        def too_late() -> str:
            host.hang_up(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many failures\x1b[2J")
            return "wrong"

        with pytest.raises(LoginRefused) as caught:
            connect(replace(target(host, keys), password=too_late))
    assert "Too many failures[2J" in caught.value.message
    assert host.connections == 1


@pytest.mark.parametrize(
    "kind", ["file", "nul", "passphrase", "public", "putty", "broken", "dsa", "folder", "text"]
)
def test_an_unusable_private_key_is_named_before_anything_is_sent(
    host: Host, keys: Keys, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / ("key\0" if kind == "nul" else "key")
    if kind == "passphrase":
        keys.user.write_private_key(path, "openssh", passphrase="open sesame")
    elif kind == "public":
        keys.user.write_public_key(path)
    elif kind == "putty":
        path.write_text("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n")
    elif kind == "broken":
        path.write_bytes(Path(keys.file).read_bytes()[:900] + b"\n-----END OPENSSH PRIVATE KEY-----\n")
    elif kind == "dsa":
        asyncssh.generate_private_key("ssh-dss").write_private_key(path, "pkcs8-pem")
    elif kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("hello\n")
    with pytest.raises(LoginRefused) as caught:
        connect(target(host, keys, str(path)))
    said = {
        "file": "No such file",
        "nul": "null byte",
        "passphrase": "passphrase",
        "public": "public key",
        "putty": "PuTTY",
        "broken": "broken",
        "dsa": "neither RSA, ECDSA nor Ed25519",
        "folder": "Is a directory",
        "text": "no private key",
    }
    assert said[kind] in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.next
    assert host.connections == 0


def test_a_passphrase_leads_to_the_agent(host: Host, keys: Keys, tmp_path: Path) -> None:
    keys.user.write_private_key(tmp_path / "key", "pkcs8-pem", passphrase="open sesame")
    with pytest.raises(LoginRefused) as caught:
        connect(target(host, keys, str(tmp_path / "key")))
    assert "ssh-agent" in caught.value.next


def test_a_login_that_gets_no_answer_ends(keys: Keys) -> None:
    served, limits = Host(answers_logins=False), Limits(login=0.6)
    with serving(served, [keys.host_rsa]) as host, pytest.raises(Unreachable, match="no answer to the login"):
        connect(target(host, keys, keys.file), limits=limits)


def test_no_thread_prints_anything(
    host: Host, keys: Keys, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def garbled(connection: SSHConnection, partial_success: bool) -> None:
        connection.send_packet(MSG_USERAUTH_FAILURE, String(b"\xff\xfe"), Boolean(partial_success))

    path, _ = keys.other()
    with pytest.raises(LoginRefused):
        connect(target(host, keys, path))
    monkeypatch.setattr(SSHConnection, "send_userauth_failure", garbled)
    with pytest.raises(Unreachable):
        connect(target(host, keys, path))
    assert capfd.readouterr().err == ""


def test_a_user_whose_name_cannot_be_sent_is_refused_here(host: Host, keys: Keys) -> None:
    with pytest.raises(LoginRefused, match="can be sent") as caught:
        connect(replace(target(host, keys, keys.file), user="\udc80"))
    assert "access.ssh.user" in caught.value.next
    assert host.connections == 0


def test_the_first_request_does_not_wait_for_the_service_and_is_sent_once(
    host: Host, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service is granted only when a login has been asked for. A key that came twice would count twice."""
    came: list[str] = []
    ungranted: list[Callable[[], None]] = []
    handlers: dict[int, Any] = SSHConnection._packet_handlers
    grant, judge = handlers[MSG_SERVICE_REQUEST], handlers[MSG_USERAUTH_REQUEST]

    def service(*packet: Any) -> None:
        came.append("service")
        ungranted.append(partial(grant, *packet))

    def login(*packet: Any) -> Any:
        came.append("login")
        while ungranted:
            ungranted.pop()()
        return judge(*packet)

    monkeypatch.setitem(handlers, MSG_SERVICE_REQUEST, service)
    monkeypatch.setitem(handlers, MSG_USERAUTH_REQUEST, login)
    connect(target(host, keys, keys.file)).close()
    # how it takes logins is asked for first
    assert came == ["service", "login", "login"]
    assert host.keys_tried == [line(keys.user)]
