"""Sessions with a host over SSH: connect, prove a login, run a script in the host's shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace

from reconciler.faults import LoginRefused, Unreachable
from reconciler.transports import hostkeys
from reconciler.transports.keys import PrivateKey, default_identities, load_private_key, public_half
from reconciler.transports.login import Offer, log_in
from reconciler.transports.shell import Output
from reconciler.transports.ssh_client import Channel, Client, agent_keys, signer
from reconciler.transports.ssh_exec import FIRST_WINDOW, WINDOW, Data, Execution, Order, Way, window_for
from reconciler.transports.target import DEFAULT_LIMITS, WARM_SECONDS, Gate, Limits, SshTarget

__all__ = ["Limits", "SshSession", "SshTarget", "connect", "prove_login", "public_half"]


def connect(
    target: SshTarget,
    *,
    limits: Limits = DEFAULT_LIMITS,
    gate: Gate = nullcontext,
    patience: float | None = None,
) -> SshSession:
    """Open a session: the host's key is checked, then each credential is offered once, behind the `gate`.

    `patience` is for how many seconds a host may say nothing, where that is less than the `limits` give it.

    Raises Unreachable (no connection, no SSH, no answer), HostKeyRefused (nothing secret was sent) or
    LoginRefused (also for a private key file that can't be used, and a user whose name can't be sent: then nothing was
    sent at all).
    """
    if not _can_be_sent(target.user):
        raise LoginRefused(
            f"{target.place}: the user {target.user!r} is no text that can be sent to a host",
            next="Correct access.ssh.user in the spec.",
        )
    with _offers(target) as offers:
        if not offers and target.password is None:
            message = (
                f"{target.place}: nothing to log in with: no key in ssh-agent or in ~/.ssh, and no password"
            )
            raise LoginRefused(message, next="Set access.ssh.key or access.ssh.password in the spec.")
        known = hostkeys.known_keys(target)
        client = Client(target, limits.at_first(patience), [entry.key.type for entry in known])
        try:
            hostkeys.check(target, known, client.host_key())
            with gate():
                accepted = log_in(target, client, offers)
        except BaseException:
            client.close()
            raise
    return SshSession(client, limits, accepted.line if accepted else None)


def _can_be_sent(user: str) -> bool:
    """Half a surrogate pair can't: it is in no encoding."""
    try:
        user.encode()
    except UnicodeEncodeError:
        return False
    return True


def prove_login(target: SshTarget, private_key_file: str, *, gate: Gate = nullcontext) -> None:
    """Log in afresh with exactly this key, offered once, and hang up.

    Raises as `connect` does.
    """
    connect(replace(target, key=private_key_file, password=None), gate=gate).close()


@contextmanager
def _offers(target: SshTarget) -> Iterator[list[Offer]]:
    """The named key alone, else what ssh-agent has and then the user's own identities."""
    if target.key is not None:
        yield [_offer(load_private_key(target.key))]
        return
    with agent_keys() as from_agent:
        offers = {
            public: Offer(public, f"key {comment} of ssh-agent ({public.fingerprint})", key)
            for public, comment, key in from_agent
        }
        for identity in default_identities():
            offers.setdefault(identity.public, _offer(identity))
        yield list(offers.values())


def _offer(key: PrivateKey) -> Offer:
    return Offer(key.public, f"key {key.path} ({key.public.fingerprint})", signer(key))


class SshSession:
    """A logged-in connection. Several commands may run at once, from several threads."""

    def __init__(self, client: Client, limits: Limits, public_key: str | None) -> None:
        self._client, self._limits = client, limits
        self.public_key = public_key
        self._way, self._window = Way(), FIRST_WINDOW
        self._ready: list[Channel] = []
        self._sound = True

    def run(
        self,
        script: bytes,
        *,
        limit: float,
        urgent: bool = False,
    ) -> Output:
        """Run `script` in the host's `sh`, which reads it on standard input; its output and exit status.

        `limit` is in seconds for the whole. While an `urgent` one runs, what other commands are sent on this connection
        waits, so that nothing is put before it.
        Raises Unreachable (the link was cut or fell silent, the time is over; the session is closed then) or
        Refused (the host runs no commands, or the script prints without end).
        """
        if not urgent:
            return self._execute(Order("sh", [script], limit))
        with self._way.cleared():
            return self._execute(Order("sh", [script], limit, urgent=True))

    def send(self, command: str, data: Data, *, limit: float) -> Output:
        """Run one command with `data` on its standard input; its output and exit status.

        dropbear (4.x) takes no command of more than 1,000 bytes. A command that ends before all is sent gets no more.
        An empty piece of `data` says that more is to come. Raises as `run`, and what `data` raises: then the command
        is cut off.
        """
        return self._execute(Order(command, data, limit))

    def receive(self, command: str, sink: Callable[[bytes], None], *, limit: float) -> Output:
        """Run one command and hand its standard output to `sink` as it comes; the output in the result is empty.

        Raises as `run`, and what `sink` raises: then the command is cut off.
        """
        came = 0

        def counted(piece: bytes) -> None:
            nonlocal came
            came += len(piece)
            sink(piece)

        began = time.monotonic()
        output = self._execute(Order(command, (), limit, counted, self._window))
        if came > self._window:
            self._window = window_for(came / max(1e-6, time.monotonic() - began))
        return output

    def _execute(self, order: Order) -> Output:
        ready = self._ready.pop() if self._ready and order.window == WINDOW else None
        try:
            with closing(Execution(self._client, order, self._way, self._limits, ready)) as execution:
                return execution.collect()
        except Unreachable:
            self.close()
            raise
        except BaseException:
            self._sound = False
            raise

    def rest(self) -> bool:
        """Nobody uses it for a while. Whether it may be used again: nothing went wrong on it, and the link stands."""
        while self._ready:
            self._ready.pop().close()
        return self._sound and self._client.rest()

    def stands(self) -> bool:
        """Whether the host still takes commands after a rest: it opens a channel, which the next command uses."""
        channel = self._client.channel(WINDOW, WARM_SECONDS)
        if channel is not None:
            self._ready.append(channel)
        return channel is not None

    def close(self) -> None:
        """Hang up; never raises."""
        self._client.close()
