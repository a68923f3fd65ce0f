"""`ssh`: the SSH service (TSM-SSH) runs now and starts with the host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from reconciler.facts import Facts, Question, ShellTimeout, SshService, SshState, Unseen
from reconciler.kinds.model import Change, Fragment, Kind, Resource, Risk, Stage, Verdict, Wisher, differences
from reconciler.verbs import SetSshPolicy, StartSsh, StopSsh, Verb


class SshWish(Fragment):
    """`spec.ssh`, the service's part."""

    enabled: bool | None = Field(
        default=None,
        description="the SSH service (TSM-SSH) runs now and starts with the host; false: neither",
        examples=[True],
    )


@dataclass(frozen=True)
class SshResource:
    """Two facts, running and policy, and an action for each: shell commands set only one of them."""

    enabled: bool
    name: str = "ssh"
    place: tuple[str, ...] = ("ssh", "enabled")

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ()

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield SshState()
        if self.enabled:
            yield ShellTimeout()

    def judge(self, facts: Facts) -> Verdict:
        state = facts.see(SshState())
        if isinstance(state, Unseen):
            return Verdict(unknown=state.why)
        return Verdict(changes=self._changes(state), findings=tuple(self._findings(facts)))

    def _changes(self, state: SshService) -> tuple[Change, ...]:
        wanted = differences(
            {"running": state.running, "policy": _policy(state.policy)},
            {"running": self.enabled, "policy": _policy(self.enabled)},
        )
        if not wanted:
            return ()
        actions: dict[str, Verb] = {
            "policy": SetSshPolicy(self.enabled),
            "running": StartSsh() if self.enabled else StopSsh(),
        }
        chosen = tuple(action for field, action in actions.items() if any(it.field == field for it in wanted))
        return (Change("update", self._risk, wanted, chosen, self._why, self.place, self._stage),)

    @property
    def _risk(self) -> Risk:
        return Risk.SERVICE if self.enabled else Risk.LINK

    @property
    def _stage(self) -> Stage:
        return Stage.NORMAL if self.enabled else Stage.LAST

    @property
    def _why(self) -> str:
        return "SSH is to run and to start with the host" if self.enabled else "SSH is to be off"

    def _findings(self, facts: Facts) -> Iterable[str]:
        if not self.enabled:
            yield (
                "once SSH is off, no pass reaches this host any more over SSH; it has to be switched on by hand "
                "(host client or console)"
            )
            return
        timeout = facts.see(ShellTimeout())
        if not isinstance(timeout, Unseen) and timeout > 0:
            yield f"UserVars.ESXiShellTimeOut is {timeout} s: the host will switch SSH off again by itself (0 is never)"


def _policy(on: bool) -> str:
    return "on" if on else "off"


def resources(wish: SshWish, wisher: Wisher) -> Iterable[Resource]:
    """The service, when the spec says anything of it."""
    if wish.enabled is not None:
        yield SshResource(wish.enabled)


KIND = Kind("ssh", "ssh", SshWish, resources)
