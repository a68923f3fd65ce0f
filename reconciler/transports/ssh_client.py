"""A paramiko connection that does what it is told and nothing more: the one module that knows paramiko.

`paramiko.Transport` is driven directly, so that nothing is offered, looked up or tried again behind our back;
its exceptions become faults here.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.common import cMSG_CHANNEL_REQUEST as _CHANNEL_REQUEST

from reconciler.faults import LoginRefused, Silent, Unreachable
from reconciler.transports import algorithms
from reconciler.transports.dial import TRY_LATER, dial
from reconciler.transports.keys import PrivateKey, PublicKey
from reconciler.transports.login import advice
from reconciler.transports.target import Limits, SshTarget

Channel = paramiko.Channel
FOREIGN = (paramiko.SSHException, OSError, EOFError, ValueError)

KEEPALIVE_SECONDS, FAREWELL_SECONDS = 30, 1.0
AHEAD_BYTES = 128 * 1024
ALERT_SECONDS, RESTING_SECONDS = 1.0, 30.0
"""So often a connection's thread looks up while nothing comes, for the sake of keepalives and of a new key. Ten times a
second, as paramiko does it, are a load when hundreds of them rest; who closes a connection wakes it."""
AGENT_KEY_TYPES = (*(name for name in algorithms.HOST_KEYS if name not in algorithms.RSA_SHA2), "ssh-rsa")

# paramiko logs whole tracebacks; what matters in them is in the faults.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").setLevel(logging.CRITICAL)
logging.getLogger("paramiko").propagate = False


class _ReadAhead(socket.socket):
    """A connection of which all that has come is taken at once: paramiko asks twice for each packet, and a look at a
    host is more than a hundred of them."""

    def __init__(self, plain: socket.socket) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._ahead, self._taken = b"", 0

    def whole(self, size: int) -> bytes | None:
        """So many bytes, when they have come already. Only for the thread that reads."""
        end = self._taken + size
        # a packet that is no packet may claim any length
        if not self._taken <= end <= len(self._ahead):
            return None
        piece = self._ahead[self._taken : end]
        self._taken = end
        return piece

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As a socket's; only for the thread that reads."""
        if self._taken == len(self._ahead):
            self._ahead, self._taken = super().recv(AHEAD_BYTES, flags), 0
        piece = self._ahead[self._taken : self._taken + size]
        self._taken += len(piece)
        return piece


class _Transport(paramiko.Transport):
    """paramiko's transport, with what the server offers and its goodbye made visible, with our choice of
    signatures, and without host certificates, which no ESXi has and nothing here checks."""

    def __init__(self, connection: socket.socket) -> None:
        self._ahead = _ReadAhead(connection)
        super().__init__(self._ahead)
        # paramiko's own time limit is a thread more; `Client` waits for the key exchange itself
        self.packetizer.start_handshake = lambda timeout: None  # type: ignore[method-assign]
        self.signatures: tuple[str, ...] = algorithms.RSA_SHA2
        self.server_offers: dict[str, Any] = {}
        self.goodbye = ""

    def read_ahead(self) -> None:
        """From now on what has come is handed on at once; before, paramiko itself may have read too far."""
        patient = self.packetizer.read_all

        def read_all(n: int, check_rekey: bool = False) -> bytes:
            whole = self._ahead.whole(n)
            return patient(n, check_rekey) if whole is None else whole

        self.packetizer.read_all = read_all  # type: ignore[method-assign]

    def _log(self, level: int, msg: str | list[str], *args: object) -> None:
        """Nothing of it is kept."""

    @property
    def preferred_keys(self) -> Sequence[str]:
        return tuple(self.get_security_options().key_types)

    @property
    def preferred_pubkeys(self) -> Sequence[str]:
        return self.signatures

    def _really_parse_kex_init(self, m: paramiko.Message, ignore_first_byte: bool = False) -> dict[str, Any]:
        parsed: dict[str, Any] = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]
        self.server_offers = parsed
        return parsed

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        m.get_int()
        self.goodbye = "".join(filter(str.isprintable, m.get_binary()[:200].decode("utf-8", "replace")))


class _AuthHandler(AuthHandler):
    """Asks for the authentication service once, as RFC 4253 (section 10) means it; paramiko's own asks before
    every try, and servers may hang up over that. The first try goes out along with that, and does not wait for the yes:
    servers take in order what comes, and it is a round trip less."""

    _asked = False

    def _request_auth(self) -> None:
        if not self._asked:
            self._asked = True
            super()._request_auth()  # type: ignore[misc]
        accepted = paramiko.Message()
        accepted.add_string("ssh-userauth")
        super()._parse_service_accept(paramiko.Message(accepted.asbytes()))  # type: ignore[misc]

    def _parse_service_accept(self, m: paramiko.Message) -> None:
        """What was waiting for it has gone out already."""


class UnusualPrompt(paramiko.SSHException):
    """The host asks for something else than one password."""


class Client:
    """One encrypted connection to a host; a `Door` until the login."""

    def __init__(self, target: SshTarget, limits: Limits, known_types: Sequence[str]) -> None:
        """Connect and exchange keys, asking for host keys of `known_types` first. Raises Unreachable."""
        self.target, self._limits = target, limits
        self._end = time.monotonic() + limits.total
        self.transport = _Transport(dial(target, limits.connect))
        self._choose(algorithms.offered(target.legacy_algorithms, known_types))
        try:
            self._exchange_keys()
        except BaseException:
            self.close()
            raise

    def _choose(self, offer: algorithms.Algorithms) -> None:
        options = self.transport.get_security_options()
        options.kex, options.key_types = offer.kex, offer.host_keys
        options.ciphers, options.digests = offer.ciphers, offer.macs
        # only a backstop: that we end the wait ourselves tells a server that stops from one that hangs up
        self.transport.banner_timeout = 2 * self._limits.banner

    def _left(self, at_most: float) -> float:
        return max(0.0, min(at_most, self._end - time.monotonic()))

    def _exchange_keys(self) -> None:
        done, limit = threading.Event(), self._left(self._limits.banner)
        self.transport.start_client(event=done)
        if not done.wait(limit):
            stuck = (
                "stopped in the middle of the key exchange" if self._speaks_ssh() else "sent no SSH version"
            )
            raise self.lost(f"{stuck} within {limit:.0f} s", kind=Silent)
        if not self.transport.is_active():
            raise self._no_session(self.transport.get_exception())
        self.transport.read_ahead()
        self.transport.set_keepalive(KEEPALIVE_SECONDS)
        self._end = min(self._end, time.monotonic() + self._limits.login)
        self._handler = self.transport.auth_handler = _AuthHandler(self.transport)

    def _speaks_ssh(self) -> bool:
        return self.transport.remote_version.startswith("SSH-")

    def _no_session(self, error: Exception | None) -> Unreachable:
        if not self._speaks_ssh():
            return self.lost("what answers hung up, or speaks something else than SSH", error)
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return self._incompatible(error)
        said = f" and said: {self.transport.goodbye}" if self.transport.goodbye else ""
        return self.lost(f"broke off the key exchange{said}", error)

    def _incompatible(self, error: Exception) -> Unreachable:
        offers = self.transport.server_offers
        gap = algorithms.gap(algorithms.offered(self.target.legacy_algorithms), offers)
        if gap is None:
            return self.lost(f"speaks an SSH that can't be used: {self.server_version()[:80]!r}", error)
        fault = self.lost(f"no common {gap.what}: it offers only {', '.join(gap.theirs)}", error)
        fault.next = "Nothing that this program can speak is offered there: update the host."
        if gap.theirs == ("ssh-dss",):
            fault.next = "DSA host keys are not supported: give the host an RSA key."
        elif algorithms.gap(algorithms.offered(legacy=True), offers) is None:
            fault.next = "Set access.ssh.legacyAlgorithms: true for this host (ESXi 4.x to 6.0 need it)."
        return fault

    def lost(
        self, what: str, cause: BaseException | None = None, kind: type[Unreachable] = Unreachable
    ) -> Unreachable:
        """An Unreachable that says `what` happened to the connection."""
        fault = kind(f"{self.target.place}: {what}", next=TRY_LATER)
        fault.__cause__ = cause
        return fault

    def host_key(self) -> PublicKey:
        """The key with which the host proved itself in the key exchange."""
        key = self.transport.get_remote_server_key()
        return PublicKey(key.get_name(), key.asbytes())

    def server_version(self) -> str:
        """See `Door`."""
        return self.transport.remote_version

    def server_signatures(self) -> tuple[str, ...]:
        """See `Door`."""
        extensions: dict[str, bytes] = getattr(self.transport, "server_extensions", {})
        listed = extensions.get("server-sig-algs", b"")
        return tuple(filter(None, listed.decode("ascii", "replace").split(",")))

    def methods(self) -> tuple[str, ...] | None:
        """See `Door`; by the request `none`, which sshd does not count as a try. Raises Unreachable."""
        try:
            self._attempt(lambda done: self._handler.auth_none(self.target.user, done))
        except paramiko.BadAuthenticationType as error:
            return tuple(error.allowed_types)
        return None if self.transport.is_authenticated() else ("publickey", "password")

    def offer_key(self, signer: paramiko.PKey, signatures: tuple[str, ...]) -> bool:
        """See `Door`. Raises Unreachable, or LoginRefused when the host hangs up over it."""
        self.transport.signatures = signatures
        return self._offer(lambda done: self._handler.auth_publickey(self.target.user, signer, done))

    def offer_password(self, password: bytes, *, interactive: bool) -> bool:
        """See `Door`. Raises as `offer_key`, and LoginRefused when more than one password is asked for."""
        if interactive:
            answer = _answer_once(password)
            return self._offer(lambda done: self._handler.auth_interactive(self.target.user, answer, done))
        secret: Any = password
        return self._offer(lambda done: self._handler.auth_password(self.target.user, secret, done))

    def _offer(self, attempt: Callable[[threading.Event], None]) -> bool:
        try:
            self._attempt(attempt)
        except paramiko.BadAuthenticationType:
            return False
        return self.transport.is_authenticated()

    def _attempt(self, attempt: Callable[[threading.Event], None]) -> None:
        """One request; a refusal returns or is a BadAuthenticationType, a dead or silent link is a fault."""
        self.transport.auth_timeout = limit = self._left(self._limits.login)
        done = threading.Event()
        try:
            attempt(done)
            self._handler.wait_for_response(done)
        except paramiko.BadAuthenticationType:
            raise
        except FOREIGN as error:
            if not self.transport.is_active():
                raise self._cut_at_login(error) from error
            if self._left(limit) == 0.0:
                raise self.lost(f"no answer to the login within {limit:.0f} s", error) from error

    def _cut_at_login(self, error: Exception) -> LoginRefused | Unreachable:
        if isinstance(error, UnusualPrompt):
            message = f"{self.target.place}: login as {self.target.user} refused: {error}"
            return LoginRefused(message, next=advice(self.target))
        if self.transport.goodbye:
            message = f"{self.target.place}: the host ended the login and said: {self.transport.goodbye}"
            return LoginRefused(message, next=advice(self.target))
        return self.lost("the connection ended during the login", error)

    def alive(self) -> bool:
        """Whether the link still stands; waits a moment for a connection that is just breaking down."""
        self.transport.join(0.5)
        return self.transport.is_active()

    def rest(self) -> bool:
        """Nobody uses it for a while; whether the link stands, as far as is known here."""
        self._look_up(RESTING_SECONDS)
        return self.transport.is_active()

    def channel(self, window: int, limit: float) -> Channel | None:
        """A channel for a command; None when the host opens none within `limit` seconds, or the link is broken."""
        self._look_up(ALERT_SECONDS)
        try:
            return self.transport.open_session(window, timeout=limit)
        except FOREIGN:
            return None

    def request(self, channel: Channel, command: str) -> None:
        """Ask for a command, and do not wait for the answer (`channel.event_ready` once it was a yes; a no closes the
        channel): its input may follow at once, as OpenSSH does it too."""
        message = paramiko.Message()
        message.add_byte(_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exec")
        message.add_boolean(True)
        message.add_string(command)
        # paramiko's own way waits for the answer, without a limit
        channel._event_pending()  # type: ignore[attr-defined]
        self.transport._send_user_message(message)  # type: ignore[attr-defined]

    def _look_up(self, seconds: float) -> None:
        with suppress(OSError):
            self.transport.sock.settimeout(seconds)

    def close(self) -> None:
        """Close the connection; never raises."""
        with suppress(OSError):
            self.transport.sock.shutdown(socket.SHUT_RDWR)
        # who reads goes first: a file that is closed under it may be another connection's by the time it is read
        if self.transport.is_alive():
            self.transport.join(FAREWELL_SECONDS)
        self.transport.close()
        self.transport.sock.close()


def _answer_once(password: bytes) -> Callable[[str, str, list[tuple[str, bool]]], list[Any]]:
    """Answers the one hidden prompt, the first time; an empty request in between is answered in kind."""
    answers = [password]

    def answer(_title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[Any]:
        if not prompts:
            return []
        if len(prompts) > 1 or prompts[0][1] or not answers:
            raise UnusualPrompt("the host asks for more than one password")
        return [answers.pop()]

    return answer


def signer(key: PrivateKey) -> paramiko.PKey:
    """A private key as paramiko signs with it."""
    if key.public.type == "ssh-rsa":
        rsa_key: Any = key.signer
        return paramiko.RSAKey(key=rsa_key)
    kind = paramiko.Ed25519Key if key.public.type == "ssh-ed25519" else paramiko.ECDSAKey
    return kind(file_obj=io.StringIO(key.openssh_text()))


@contextmanager
def agent_keys() -> Iterator[list[tuple[PublicKey, str, paramiko.PKey]]]:
    """The usable keys of a running ssh-agent (public half, comment, signer); they sign while this is open."""
    try:
        agent = paramiko.Agent()
    except FOREIGN:
        yield []
        return
    try:
        keys = [(PublicKey(key.get_name(), key.asbytes()), key.comment, key) for key in agent.get_keys()]
        yield [entry for entry in keys if entry[0].type in AGENT_KEY_TYPES]
    finally:
        agent.close()
