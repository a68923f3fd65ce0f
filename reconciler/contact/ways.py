"""One contact over all ways: each question and each verb goes to the first that can."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.hands import described
from reconciler.contact.circumstances import Circumstances
from reconciler.contact.door import OFF, Door
from reconciler.contact.ssh import own_key
from reconciler.contact.vcenter import Desk
from reconciler.desired.host import DesiredHost
from reconciler.eyes import Answers, PassEyes, Shell
from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    Facts,
    OutOfReach,
    Product,
    Question,
    SessionKey,
    SshService,
    SshState,
    Unseen,
)
from reconciler.image_facts import (
    DisksInUse,
    FileBlock,
    HalfCopies,
    HostTime,
    ImageFolder,
    Library,
    ModuleLoaded,
    TopDisks,
)
from reconciler.image_verbs import ImageVerb
from reconciler.observers.here import HereEyes
from reconciler.placement_facts import Tree
from reconciler.verbs import AppendKeys, PlacementVerb, RewriteKeys, StartSsh, StopSsh, Verb

TOLD_BETTER = (AuthorizedKeys(), SessionKey(), BackupOwed())
"""What SSH shows more of, where it is open anyhow: the mark for saving, modes, which key logged in,
the note that a backup is owed."""
FULLER = (ImageFolder, Library, HalfCopies, FileBlock, DisksInUse, TopDisks, ModuleLoaded, HostTime)
"""What is asked over SSH wherever that can be had: what is allocated, who holds a file, who may read it."""
READ_ONLY = "the host's licence lets the SDK only read"
BY_HAND = (
    "switch SSH on by hand, at the host's console (Troubleshooting Options, Enable SSH) "
    "or in the host client (Manage, Services, TSM-SSH, Start)"
)
LET_IN = "name a key or a password under access.ssh that the host takes"
NOT_ALLOWED = "let SSH be used (access.prefer: auto), or give the host a licence"


class WayHands(Protocol):
    """What does verbs over one way."""

    def cannot(self, verb: Verb) -> str | None:
        """Why this way can't do it; None: it can."""

    def describe(self, verb: Verb) -> tuple[str, ...]: ...

    def do(self, verb: Verb) -> Answer: ...


class Api(Protocol):
    """An open way over the SDK. `restricted`: the licence lets it only read."""

    @property
    def restricted(self) -> bool: ...

    @property
    def eyes(self) -> Shell: ...

    def hands(self, product: Product) -> WayHands: ...

    def close(self) -> None: ...


class Ways:
    """The sessions with one host. An `api` that may write comes first, and the door to the shell is opened only for
    what it can't do. Without one everything goes over SSH, where that is to be had."""

    def __init__(
        self,
        host: DesiredHost,
        api: Api | None,
        door: Door,
        remarks: Iterable[str],
        around: Circumstances,
    ) -> None:
        self._host, self.api, self.door = host, api, door
        self._remarks = tuple(remarks)
        self._missed = False
        self.desk, self._refusals = around.desk, around.refusals
        self.eyes = PassEyes(self, HereEyes(), around.others, around.filled, self._inventory)

    @property
    def transport(self) -> str | None:
        """As in the report: `ssh`, `sdk`, `sdk+ssh`."""
        names = ("sdk",) if self.api is not None else ()
        return "+".join((*names, "ssh") if self.door.way is not None else names) or None

    @property
    def remarks(self) -> tuple[str, ...]:
        """Findings on the ways themselves."""
        refused = () if self.door.refused is None else (self.door.refused,)
        return (*self._remarks, *refused, *(self.desk.remarks if self.desk is not None else ()))

    @property
    def by_hand(self) -> str | None:
        """What only a person can do, since no way is left that may write."""
        if self.api is None or not self.api.restricted or self.door.way is not None:
            return None
        advice = NOT_ALLOWED if self.door.forbidden else LET_IN if self.door.refused else BY_HAND
        return f"{self.door.shut}, and {READ_ONLY}: {advice}"

    @property
    def shell_first(self) -> bool:
        return self.api is None or (self.api.restricted and self.door.way is not None)

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Answers:
        """Ask whoever can answer; the door is opened when only SSH can. Raises what the ways raise."""
        if self.api is None or self.shell_first:
            assert self.door.way is not None
            return self.door.way.eyes.look(questions, known)
        fuller = {question for question in questions if isinstance(question, FULLER)}
        answers = dict(self.api.eyes.look(set(questions) - fuller, known))
        state = answers.get(SshState())
        if isinstance(state, SshService) and state.running is False:
            self.door.lock(OFF)
        elif isinstance(state, SshService) and state.running and self.door.shut == OFF:
            self.door.unlock(started=True)
        beyond = {it for it, answer in answers.items() if isinstance(answer, Unseen) and it in questions}
        also = {question for question in questions if question in TOLD_BETTER}
        way = self.door.opened() if beyond | fuller else self.door.way
        seen = known.with_answers(answers)
        if way is not None:
            asked = beyond | fuller | also
            return answers | dict(way.eyes.look(asked, seen) if asked else {})
        answers |= self.api.eyes.look(fuller, seen) if fuller else {}
        return answers | self._out_of_reach(answers) | self._own_key(questions)

    def _out_of_reach(self, answers: Answers) -> dict[Question[Any], Any]:
        """What is not seen since the door is shut, with why it is. Images are seen better over SSH, too."""
        beyond = {it: answer for it, answer in answers.items() if isinstance(answer, OutOfReach)}
        self._missed = self._missed or bool(beyond) or any(isinstance(it, FULLER) for it in answers)
        return {it: OutOfReach(f"{answer.why}; {self.door.shut}") for it, answer in beyond.items()}

    def _own_key(self, questions: Collection[Question[Any]]) -> dict[Question[Any], Any]:
        return {SessionKey(): own_key(self._host)} if SessionKey() in questions else {}

    def _inventory(self) -> Tree | Unseen:
        return Unseen("the spec names no vCenter") if self.desk is None else self.desk.look()

    def hands(self, product: Product) -> WaysHands:
        """Hands over all ways."""
        return WaysHands(self, product)

    def prepare(self, verbs: Iterable[Verb], product: Product) -> bool:
        """Open what these verbs need. Whether something is open now, or known to be shut, that was neither before."""
        if self.api is None or not self.door.untried:
            return False
        hands = WaysHands(self, product)
        if all(hands.not_by_api(verb) is None for verb in verbs):
            return False
        self.door.opened()
        return True

    def done(self, verb: Verb) -> None:
        """A verb had its effect, after which a session over SSH may come about that could not before."""
        keys = isinstance(verb, AppendKeys | RewriteKeys) and self.door.refused is not None
        if keys:
            self._refusals.forgive([self._host])
        if isinstance(verb, StopSsh) and self.door.way is not None:
            self.door.way.leave()
        if isinstance(verb, StartSsh) or keys:
            self.door.unlock(started=isinstance(verb, StartSsh))

    def widened(self) -> bool:
        """Whether SSH can be had now, and what it was missed for can be done."""
        if not self._missed or not self.door.untried:
            return False
        self._missed = self.door.opened() is None
        return not self._missed

    def prove_keys(self, lines: Iterable[bytes], product: Product) -> None:
        """Log in afresh over SSH with each of these keys whose private half is at hand, where SSH is to be had. Raises
        faults.LoginRefused."""
        way = self.door.opened()
        if way is not None:
            way.prove_keys(lines, product)

    def close(self) -> None:
        for way in (self.api, self.door):
            if way is not None:
                way.close()


class WaysHands:
    """Hands over all ways."""

    def __init__(self, ways: Ways, product: Product) -> None:
        self._ways, self._product = ways, product

    def cannot(self, verb: Verb) -> str | None:
        """Why no way can do it. A door that was not tried yet is taken to open."""
        if isinstance(verb, PlacementVerb):
            return None
        why = self.not_by_api(verb)
        if why is None or self._ways.door.shut is None:
            return None
        if isinstance(verb, StartSsh) and self._ways.by_hand is not None:
            return self._ways.by_hand
        return f"{why}; {self._ways.door.shut}"

    def not_by_api(self, verb: Verb) -> str | None:
        """Why it is not done over the SDK. Copies go over SSH wherever that can be had: there they are resumed."""
        if isinstance(verb, PlacementVerb):
            return None
        api = self._ways.api
        if api is None or self._ways.shell_first:
            return "SSH does it"
        if isinstance(verb, ImageVerb) and self._ways.door.shut is None:
            return "copies over SSH are resumed"
        return READ_ONLY if api.restricted else api.hands(self._product).cannot(verb)

    def describe(self, verb: Verb) -> tuple[str, ...]:
        """The commands, or calls, as they would run over the way that does it."""
        if isinstance(verb, PlacementVerb):
            return Desk.describe(verb)
        api = self._ways.api
        if api is None or self.not_by_api(verb) is not None:
            return described(verb, self._product.version)
        return api.hands(self._product).describe(verb)

    def do(self, verb: Verb) -> Answer:
        """Carry it out. Raises faults.Unreachable, and what opening a way raises."""
        if isinstance(verb, PlacementVerb):
            desk = self._ways.desk
            return Answer(False, "the spec names no vCenter") if desk is None else desk.do(verb)
        api = self._ways.api
        why = self.not_by_api(verb)
        if api is not None and why is None:
            answer = api.hands(self._product).do(verb)
        else:
            way = self._ways.door.opened()
            if way is None:
                return Answer(False, f"{why}; {self._ways.door.shut}", held=True)
            answer = way.hands(self._product).do(verb)
        if answer.ok:
            self._ways.done(verb)
        return answer
