"""What stands between the engine and a simulated host, to make it see, hear or answer something else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.hands import SshHands
from reconciler.facts import Facts, Question
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.report import HostReport, Outcome
from reconciler.verbs import Verb
from tests.live.passes.world import PATH, SERVER

Answers = dict[Question[Any], Any]


def mount(path: str = PATH) -> dict[str, object]:
    return {"nfs": {"server": SERVER, "path": path}}


class Hooks:
    """Stands between the engine and the host: hears each verb, may answer in the host's place, and may change what a
    look shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.verbs: list[str] = []
        self.see: Callable[[Answers], None] = lambda seen: None
        self.after: Callable[[Verb], None] = lambda verb: None
        self.reply: Callable[[Verb], Answer | None] = lambda verb: None
        look, do = SshEyes.look, SshHands.do

        def looking(eyes: SshEyes, questions: Collection[Question[Any]], known: Facts) -> Answers:
            seen = dict(look(eyes, questions, known))
            self.see(seen)
            return seen

        def doing(hands: SshHands, verb: Verb) -> Answer:
            self.verbs.append(type(verb).__name__)
            answer = self.reply(verb) or do(hands, verb)
            self.after(verb)
            return answer

        monkeypatch.setattr(SshEyes, "look", looking)
        monkeypatch.setattr(SshHands, "do", doing)
        monkeypatch.setattr("reconciler.fleet._Pass._pause", lambda self, seconds: None)


def outcomes(report: HostReport) -> dict[str, Outcome | None]:
    return {f"{step.resource} {step.verb}": step.outcome for step in report.steps}
