"""What can be seen of a host: questions and their answers, in one vocabulary for all dialects.

A *question* is a frozen value; a look at a host is a mapping from questions to answers. There are three answers to
"is it there?": yes (a value that says so), no (a value that says so), and `Unseen` (could not look).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from reconciler.records import record

T = TypeVar("T")


@record
class Unseen:
    """Could not look, and why. Never a reason to write, never a success."""

    why: str


@record
class OutOfReach(Unseen):
    """Unseen because only another way to the host could show it, which is not open; `why` names it, and what is in its
    way."""


class Question(Generic[T]):
    """Something that can be asked of a host; `T` is the type of the answer. Subclasses are frozen and hashable."""


class Facts(Mapping[Question[Any], Any]):
    """What has been seen of one host so far. Immutable."""

    def __init__(self, answers: Mapping[Question[Any], Any] | None = None) -> None:
        self._answers = dict(answers or {})

    def see(self, question: Question[T]) -> T | Unseen:
        """The answer to `question`; `Unseen` when it could not be seen or has not been asked yet."""
        return cast("T | Unseen", self._answers.get(question, NOT_ASKED))

    def with_answers(self, answers: Mapping[Question[Any], Any]) -> Facts:
        """These facts with newer answers on top."""
        return Facts({**self._answers, **answers})

    def without(self, question: Question[Any]) -> Facts:
        """These facts as if `question` had not been asked."""
        return Facts({it: answer for it, answer in self._answers.items() if it != question})

    def only(self, question: Question[Any]) -> Facts:
        """These facts as if nothing but `question` had been asked, if it has been."""
        return Facts({it: answer for it, answer in self._answers.items() if it == question})

    def __getitem__(self, question: Question[Any]) -> Any:
        return self._answers[question]

    def __iter__(self) -> Iterator[Question[Any]]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def __eq__(self, other: object) -> bool:
        # a host that is as it was has the very same answers, and a dictionary looks at that first
        return self._answers == other._answers if isinstance(other, Facts) else super().__eq__(other)


NOT_ASKED = Unseen("not looked at yet")


@record
class Product:
    """What the host says it is: `VMware ESXi`, `(6, 7, 0)`, `8169922`."""

    name: str
    version: tuple[int, int, int]
    build: str

    @property
    def version_text(self) -> str:
        return ".".join(str(part) for part in self.version)


@record
class Identity(Question[Product]):
    """Which product and version this is. Every look answers it first."""


@record
class NfsSource:
    """Where an NFS datastore comes from, letter by letter as it was given when it was mounted.

    `server` may be several addresses parted by commas for version "4.1". `version` is "3" or "4.1".
    """

    server: str
    path: str
    version: str = "3"
    read_only: bool = False


@record
class Datastore:
    """A volume that the host lists.

    `nfs` is None for everything that is not NFS (and for an NFS volume that is just coming or going); `type` is as
    the host prints it (`VMFS-6`, `NFS`, `vfat`); `id` is the name of its directory below /vmfs/volumes, where it is
    known. `read_only` may be unknown (5.0 and 4.x do not
    print it): then `read_only_known` is False and `nfs.read_only` means nothing. `capacity` and `free` are in bytes.
    """

    name: str
    type: str
    accessible: bool
    nfs: NfsSource | None = None
    id: str | None = None
    read_only_known: bool = True
    capacity: int | None = None
    free: int | None = None


def may_be_one(one: Datastore, other: Datastore) -> bool:
    """Whether two mounts may be of one export: ESXi makes the id of an NFS volume of the server as it was spelled, and
    one server has many names."""
    return (
        one.nfs is not None
        and other.nfs is not None
        and plain_export(one.nfs.path) == plain_export(other.nfs.path)
    )


def plain_export(path: str) -> str:
    """An exported path without what makes no difference: `//images/` is `images`."""
    return "/".join(part for part in path.split("/") if part)


@record
class Datastores(Question[tuple[Datastore, ...]]):
    """All datastores: VMFS, NFS 3 and 4.1."""


@record
class Machine:
    """A virtual machine: `datastore` and `path` tell its .vmx (`vms/a/a.vmx`, relative to the datastore).

    `datastore` is the name, or the volume's id when the host says only that. `running` is True only when the host
    lists it among its running machines.
    """

    name: str
    datastore: str
    path: str
    running: bool = False


@record
class Machines(Question[tuple[Machine, ...]]):
    """All virtual machines that are registered or running."""


class Place(Enum):
    """What stands at a path."""

    FOLDER = "folder"
    OTHER = "a file"
    ABSENT = "nothing"


@record
class Folder(Question[Place]):
    """What stands at an absolute path of the host (`/vmfs/volumes/datastore1/vms`)."""

    path: str


@record
class PortGroup:
    """A standard port group: `vlan` 0 is none, 4095 a trunk; `clients` counts the ports in use."""

    name: str
    vswitch: str
    vlan: int
    clients: int


@record
class Network:
    """Standard switches (their names) and port groups."""

    port_groups: tuple[PortGroup, ...]
    vswitches: tuple[str, ...]


@record
class NetworkState(Question[Network]):
    """Standard switches and port groups."""


@record
class SshService:
    """The SSH service (TSM-SSH): two facts. `policy` is True when it starts with the host, None when that depends on
    the firewall (`automatic`).

    `running` is None when its init script does not tell. Then a pass that came in over SSH has seen it run; that the
    service was stopped can't be seen, since sessions outlive it.
    """

    running: bool | None
    policy: bool | None


@record
class SshState(Question[SshService]):
    """Whether SSH runs, and whether it starts with the host."""


@record
class ShellTimeout(Question[int]):
    """UserVars.ESXiShellTimeOut: seconds after which the host switches SSH off by itself; 0 is never."""


@record
class KeysFile:
    """root's authorized_keys. `content` is None when there is no file; `marked` tells ESXi's mark for saving.

    `marked` is the sticky bit that visorfs shows for a file that the configuration backup takes along; None where
    that means nothing (4.x, where the file lies outside /etc). `odd` says what stands there in place of a plain file.
    `loose` names the file and its folder as far as others than root may write there: sshd passes such a file over.
    """

    path: str
    content: bytes | None
    marked: bool | None = None
    odd: str | None = None
    loose: tuple[str, ...] = ()


@record
class AuthorizedKeys(Question[KeysFile]):
    """The file with root's authorized keys."""


@record
class SessionKey(Question["str | None"]):
    """The public key (`type base64`) that this session logged in with; None after a password."""


@record
class BootModules:
    """4.x: what a boot brings back comes from the modules that boot.cfg names.

    `bank` is where /bootbank leads (real only below /vmfs/volumes). `archive` is whether vcl.tgz is there, `whole`
    whether it can be unpacked, `archived_keys` the authorized_keys in it (None: none).
    """

    bank: str
    boot_cfg: bytes | None
    other_boot_cfg: bytes | None
    archive: bool
    whole: bool
    archived_keys: bytes | None


@record
class SavedState:
    """5.0 and later: the configuration backup in the boot bank.

    `keys` is the authorized_keys in the saved state (None: not in it). `bank` is where /bootbank leads. `leftover`:
    boot.cfg still lists a vcl.tgz, or such a file lies in the bank. The two boot.cfg tell which bank boots next.
    """

    bank: str
    keys: bytes | None
    leftover: bool = False
    boot_cfg: bytes | None = None
    other_boot_cfg: bytes | None = None


@record
class Persistence(Question["BootModules | SavedState"]):
    """What a power loss now would bring back of root's keys."""


@record
class BackupOwed(Question[frozenset[str]]):
    """Names of resources that an earlier pass changed and could not save any more (empty: none).

    The note lies in the host's /var/run, a RAM disk that forgets at a boot what the unsaved configuration forgets.
    """
