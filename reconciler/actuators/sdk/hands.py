"""Carry a verb out over an SDK session and understand the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk import describing, folders, keys, reach, services
from reconciler.actuators.sdk.images import carry
from reconciler.actuators.sdk.mounts import Mounts
from reconciler.actuators.sdk.refusals import refusal
from reconciler.actuators.sdk.session import Managers, Session, Stumbled
from reconciler.actuators.sdk.switches import Switches
from reconciler.actuators.work import Work
from reconciler.facts import Product
from reconciler.image_verbs import CloneDisk
from reconciler.transports.sdk.answers import MethodFault
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    AppendKeys,
    MakeFolder,
    MountNfs,
    MovePortGroup,
    RemountNfs,
    RewriteKeys,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)


class SdkHands:
    """Does verbs on one host."""

    def __init__(self, session: Session, product: Product, work: Work) -> None:
        self._session, self._product = session, product
        self._doers = _doers(session, work)

    @property
    def verbs(self) -> frozenset[type[Verb]]:
        """All that the SDK can do."""
        return frozenset(self._doers)

    def cannot(self, verb: Verb) -> str | None:
        """Why the SDK can't do a verb on that host, whatever its licence; None when it can. Makes no call."""
        return reach.cannot(verb, self._product.version)

    def describe(self, verb: Verb) -> tuple[str, ...]:
        """The calls of a verb, for the plan. Makes none."""
        return describing.calls(verb, self._session.target.endpoint)

    def do(self, verb: Verb) -> Answer:
        """Carry it out. Raises faults.Unreachable when the link is cut, faults.LoginRefused when the session ended and
        the password is not taken any more; what was begun may have had its effect."""
        why = self.cannot(verb)
        if why is not None:
            return Answer(False, why)
        try:
            return self._doers[type(verb)](verb)
        except MethodFault as fault:
            return refusal(fault, verb)
        except Stumbled as problem:
            return Answer(False, str(problem), next=problem.next)


def _doers(session: Session, work: Work) -> dict[type[Verb], Callable[[Any], Answer]]:
    managers = Managers(session)
    mounts, switches = Mounts(session, managers, work), Switches(session, managers, work)
    return {
        StartSsh: lambda verb: services.start(session, managers),
        StopSsh: lambda verb: services.stop(session, managers),
        SetSshPolicy: lambda verb: services.set_policy(session, managers, on=verb.on),
        AppendKeys: lambda verb: keys.append(verb, session),
        RewriteKeys: lambda verb: keys.rewrite(verb, session),
        MountNfs: mounts.mount,
        UnmountNfs: mounts.unmount,
        RemountNfs: mounts.remount,
        CloneDisk: lambda verb: carry.carry_out(verb, session, work),
        MakeFolder: lambda verb: folders.make_folder(verb, session),
        AddSwitch: switches.add,
        AddPortGroup: switches.add_group,
        SetVlan: switches.set_vlan,
        MovePortGroup: switches.move,
    }
