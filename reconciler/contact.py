"""Open a session with a host as its spec says, and give it eyes and hands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from reconciler import secrets
from reconciler.actuators.ssh.hands import SshHands
from reconciler.actuators.work import Carried, Work
from reconciler.desired.host import DesiredHost
from reconciler.events import Carrying, Listener, Waiting
from reconciler.eyes import Others, OwnUses, PassEyes
from reconciler.facts import Datastore, Product, Unseen
from reconciler.image_facts import InUse
from reconciler.kinds.key_lines import parse_key_line, refused_by
from reconciler.observers.here import HereEyes
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.transports.ssh import SshSession, SshTarget, connect, prove_login, public_half


def _nobody(datastore: Datastore, own: OwnUses) -> InUse | Unseen:
    """For a session that is only asked what its own host uses."""
    return Unseen("no other host was asked")


@dataclass(frozen=True)
class Circumstances:
    """What a session needs of those who run it. `pause` waits that many seconds, `stopping` tells whether a person
    wants it to end, `others` who uses a volume besides this host, `filled` what filled a volume (by its key) up."""

    pause: Callable[[float], None]
    tell: Listener
    stopping: Callable[[], bool]
    others: Others = _nobody
    filled: Callable[[str], str | None] = lambda volume: None


class SshContact:
    """A host reached over SSH."""

    transport = "ssh"

    def __init__(
        self,
        target: SshTarget,
        session: SshSession,
        private_keys: Iterable[str],
        eyes: PassEyes,
        work: Work,
    ) -> None:
        self._target = target
        self._session = session
        self._private_keys = tuple(private_keys)
        self.eyes = eyes
        self._work = work

    def hands(self, product: Product) -> SshHands:
        """Hands that know that version's commands."""
        return SshHands(self._session, product.version, self._work)

    def prove_keys(self, lines: Iterable[bytes], product: Product) -> None:
        """Log in afresh with each of these keys whose private half is at hand; each is offered once.

        Left out are lines with options (such a key may be meant for one command or one address only) and keys that
        this version refuses, which is a finding already. Raises faults.LoginRefused and what else a new connection
        may raise.
        """
        keys = [parse_key_line(line.decode("utf-8", "surrogateescape")) for line in lines]
        usable = (
            key
            for key in keys
            if key is not None and not key.options and not refused_by(key, product.version)
        )
        written = {key.identity for key in usable}
        for file in self._private_keys:
            half = parse_key_line(public_half(file) or "")
            if half is not None and half.identity in written:
                prove_login(self._target, file)

    def close(self) -> None:
        self._session.close()


def open_ssh(host: DesiredHost, state_dir: Path, around: Circumstances) -> SshContact:
    """Connect and log in. Raises faults.Unreachable, faults.LoginRefused, faults.HostKeyRefused."""

    def waiting(why: str, seconds: float) -> None:
        around.tell(Waiting(host.name, why, seconds))

    def carried(it: Carried) -> None:
        around.tell(Carrying(host.name, it.what, it.done, it.total, it.direction, it.passed))

    target = ssh_target(host, state_dir)
    session = connect(target)
    shell = SshEyes(session, around.pause, waiting)
    eyes = PassEyes(shell, HereEyes(), around.others, around.filled)
    work = Work(carried, around.stopping, around.pause, state_dir / "spool")
    return SshContact(target, session, _private_keys(host), eyes, work)


def ssh_target(host: DesiredHost, state_dir: Path) -> SshTarget:
    """What the spec says of the way to the host."""
    ssh = host.access.ssh
    password = ssh.password
    return SshTarget(
        host=host.name,
        address=host.address,
        port=ssh.port,
        user=ssh.user,
        key=ssh.key,
        password=(lambda: secrets.resolve(password)) if password else None,
        password_source=str(password) if password else None,
        host_key=ssh.host_key,
        known_hosts=ssh.known_hosts,
        trust_on_first_use=ssh.trust_on_first_use,
        trust_file=ssh.known_hosts or str(state_dir / "known_hosts"),
        legacy_algorithms=ssh.legacy_algorithms,
    )


def _private_keys(host: DesiredHost) -> list[str]:
    """The private key of the spec, and those that lie beside a public key file that it names."""
    beside = [file.removesuffix(".pub") for file in host.key_files if file.endswith(".pub")]
    named = [host.access.ssh.key] if host.access.ssh.key else []
    return list(dict.fromkeys(named + [file for file in beside if Path(file).is_file()]))
