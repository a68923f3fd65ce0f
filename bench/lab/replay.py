"""A host that answers as it did once: a contact without any connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.hands import described
from reconciler.facts import Facts, Product, Question
from reconciler.verbs import Verb


@dataclass(frozen=True)
class Hands:
    """Hands that only tell what they would do."""

    product: Product

    def cannot(self, verb: Verb) -> str | None:
        return None

    def describe(self, verb: Verb) -> tuple[str, ...]:
        return described(verb, self.product.version)

    def do(self, verb: Verb) -> Answer:
        return Answer(False, "nothing is done")


@dataclass(frozen=True)
class Replay:
    """A contact, and its eyes. A question that was not asked then is a KeyError."""

    answers: Mapping[Question[Any], Any]
    transport: str | None = "ssh"
    remarks: tuple[str, ...] = ()
    by_hand: str | None = None

    @property
    def eyes(self) -> Replay:
        return self

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Mapping[Question[Any], Any]:
        return {question: self.answers[question] for question in questions}

    def prepare(self, verbs: Iterable[Verb], product: Product) -> bool:
        return False

    def hands(self, product: Product) -> Hands:
        return Hands(product)

    def widened(self) -> bool:
        return False

    def prove_keys(self, lines: Iterable[bytes], product: Product) -> None:
        """There is nothing to prove."""

    def close(self) -> None:
        """There is nothing to close."""
