"""`ssh`: the SSH service (TSM-SSH) runs now and starts with the host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from reconciler.facts import Facts, Question, ShellTimeout, SshService, SshState, Unseen
from reconciler.kinds.model import (
    Change,
    Difference,
    Finder,
    Found,
    Fragment,
    Kind,
    Resource,
    Risk,
    Stage,
    Verdict,
    Wisher,
)
from reconciler.records import record
from reconciler.verbs import SetSshPolicy, StartSsh, StopSsh, Verb


class SshWish(Fragment):
    """`spec.ssh`, the service's part."""

    enabled: bool | None = Field(
        default=None,
        description="the SSH service (TSM-SSH) runs now and starts with the host; false: neither",
        examples=[True],
    )


@record
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
        if state.running is None and not self.enabled:
            return Verdict(
                unknown="the host does not tell whether SSH runs, so that nobody could see it stopped"
            )
        return Verdict(changes=tuple(self._changes(state)), findings=tuple(self._findings(facts)))

    def _changes(self, state: SshService) -> Iterable[Change]:
        """Off: the policy before the backup, the stop after it, as the last thing of all."""
        early, late = (Stage.NORMAL, Stage.OPENING) if self.enabled else (Stage.POLICY, Stage.LAST)
        if state.policy != self.enabled:
            before, after = _policy(state.policy), _policy(self.enabled)
            yield self._change(Difference("policy", before, after), SetSshPolicy(self.enabled), early)
        if state.running is not None and state.running != self.enabled:
            action = StartSsh() if self.enabled else StopSsh()
            yield self._change(Difference("running", state.running, self.enabled), action, late)

    def _change(self, difference: Difference, action: Verb, stage: Stage) -> Change:
        risk = Risk.SERVICE if self.enabled else Risk.LINK
        why = "SSH is to run and to start with the host" if self.enabled else "SSH is to be off"
        return Change("update", risk, (difference,), (action,), why, self.place, stage)

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


def _policy(on: bool | None) -> str:
    return "automatic" if on is None else "on" if on else "off"


def resources(wish: SshWish, wisher: Wisher) -> Iterable[Resource]:
    """The service, when the spec says anything of it."""
    if wish.enabled is not None:
        yield SshResource(wish.enabled)


def asks(wish: SshWish, facts: Facts) -> Iterable[Question[Any]]:
    """What has to be seen to tell whether SSH is on."""
    yield SshState()


def found(wish: SshWish, facts: Facts) -> Iterable[Found]:
    """On or off, when the service and its policy agree."""
    state = facts.see(SshState())
    place = ("ssh", "enabled")
    if isinstance(state, Unseen):
        yield Found("ssh", place, why=state.why)
    elif state.policy is True and state.running is not False:
        yield Found("ssh", place, value=True)
    elif state.policy is False and state.running is False:
        yield Found("ssh", place, value=False)
    else:
        runs = {True: "runs", False: "does not run", None: "may run"}[state.running]
        why = f"it {runs} now, and its policy is {_policy(state.policy)}: a spec knows on and off only"
        yield Found("ssh", place, why=why)


KIND = Kind("ssh", "ssh", SshWish, resources, Finder(asks, found))
