"""What every kind of resource is made of: its part of the spec, its resources, and what it thinks of what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from enum import IntEnum
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from reconciler.facts import Facts, Question
from reconciler.records import record
from reconciler.verbs import Verb


class Risk(IntEnum):
    """What a change can do to people: SAFE nobody notices, SERVICE a management service restarts, LINK a network or
    storage path may drop, OUTAGE reboot or maintenance, DATA loses what the spec cannot bring back."""

    SAFE = 0
    SERVICE = 1
    LINK = 2
    OUTAGE = 3
    DATA = 4

    @property
    def label(self) -> str:
        return self.name.lower()


@record
class Source:
    """Where a spec asks for something; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@record
class Difference:
    """One field that is not as wished; values are JSON scalars or lists of them. None: not there."""

    field: str
    before: Any
    after: Any


class Stage(IntEnum):
    """When a change has its turn, as in a commit.

    REPAIR: what keeps a host from booting. NORMAL: everything else. OPENING: SSH starts, after root's keys are there,
    so that a session can come about. POLICY: SSH will not start with the host. SAVING:
    what makes the others last. LINK: a network path that may drop, and the session with it. LAST: SSH stops.
    """

    REPAIR = 0
    NORMAL = 1
    OPENING = 2
    POLICY = 3
    SAVING = 4
    LINK = 5
    LAST = 6


@record
class Change:
    """A step that a kind proposes. `verb` is `create`, `update` or `delete`.

    `place` is where the spec asks for it, below `spec` (`("datastores", "repository", "nfs", "server")`). `awaits`
    names a resource that has to be made in the same pass, since the change makes no sense before; `follows` is the
    place of another change of the same resource without which this one is not wanted. `blocks`: when it is held, what
    stands on the resource is held too.
    """

    verb: str
    risk: Risk
    differences: tuple[Difference, ...]
    actions: tuple[Verb, ...]
    why: str
    place: tuple[str, ...]
    stage: Stage = Stage.NORMAL
    awaits: str | None = None
    follows: tuple[str, ...] | None = None
    blocks: bool = True

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two proposals the same one, so that a second look can tell whether it is still wanted."""
        return self.verb, self.stage, self.place, tuple(it.field for it in self.differences)


@record
class Verdict:
    """What a resource thinks of what was seen. Without changes, held and unknown it is as wished.

    `changes` in the order in which they are done; `held` reasons why something wished is not even proposed;
    `unknown` why it could not be judged; `findings` what a person should know, which changes nothing.
    """

    changes: tuple[Change, ...] = ()
    held: tuple[str, ...] = ()
    unknown: str | None = None
    findings: tuple[str, ...] = ()


class Resource(Protocol):
    """One thing that a spec wishes of one host. Pure: it reads facts and returns values."""

    @property
    def name(self) -> str:
        """As in the report: `ssh`, `datastore/repository`."""

    @property
    def place(self) -> tuple[str, ...]:
        """Where the spec speaks of it, below `spec`."""

    def needs(self, facts: Facts) -> tuple[str, ...]:
        """Names of the resources it stands on; those that no spec names are taken as they are."""

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        """What has to be seen to judge it, given what is seen already; asked until nothing new is wanted."""

    def judge(self, facts: Facts) -> Verdict:
        """Compare the wish with what is seen."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The fields of `after` that are not so in `before`; None in `after` is not managed."""
    wanted = ((name, value) for name, value in after.items() if value is not None)
    return tuple(
        Difference(name, before.get(name), value) for name, value in wanted if before.get(name) != value
    )


class Fragment(BaseModel):
    """A kind's part of the spec: a place in the document gets the fields of all fragments that name it.

    Field names are snake_case here and camelCase in YAML; unknown fields are refused; values are strict.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True
    )


@record
class Wisher:
    """Who wishes: what a kind may know of the host besides its own fragment.

    `key_files` maps each public key file that the spec names (as it stands in the merged spec) to its text, since
    reading files is not a kind's business. `address` is the host's, `vcenter`: the spec says how one is reached.
    """

    host: str
    key_files: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    vcenter: bool = False


@record
class LocalFileMark:
    """Marks a field as a path on this machine: a relative one is taken from the folder of its spec file."""


LocalFile = Annotated[str, LocalFileMark()]


@record
class LocalPlaceMark:
    """Marks a field as a path on the host, when it is written as one (`[datastore] …`, `/vmfs/volumes/…`), or else on
    this machine: then a relative one is taken from the folder of its spec file."""


LocalPlace = Annotated[str, LocalPlaceMark()]

F = TypeVar("F", bound=Fragment)


@record
class Found:
    """Something that a host has. `value` at `place` below `spec` wishes it as it is; where no spec can, `why` is the
    reason."""

    resource: str
    place: tuple[str, ...]
    value: Any = None
    why: str = ""


@record
class Finder(Generic[F]):
    """What a host has, put as a spec would wish it. `asks` is as with a resource; both are told what a spec says
    already, such as where to look."""

    asks: Callable[[F, Facts], Iterable[Question[Any]]]
    found: Callable[[F, Facts], Iterable[Found]]


@record
class Kind(Generic[F]):
    """A kind of resource. `place` is where its fragment stands below `spec`: "" or the name of a map ("ssh").

    `finder` is None for what can't be told from a host.
    """

    name: str
    place: str
    fragment: type[F]
    resources: Callable[[F, Wisher], Iterable[Resource]]
    finder: Finder[F] | None = None
