"""Ask a host again while hostd, its management agent, is coming up: the same over SSH and over the SDK."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from reconciler.facts import Identity, Question

POLLS = 16
"""With pauses of 1, 2, 4, 8 and then 10 s this waits two minutes for hostd, which needs up to one to answer."""

Seen = dict[Question[Any], Any]


class Polling:
    """The looks of one session. `pause` waits that many seconds; `waiting` is told why and how long."""

    def __init__(self, pause: Callable[[float], None], waiting: Callable[[str, float], None]) -> None:
        self._pause = pause
        self._waiting = waiting
        self._away: set[Question[Any]] = set()

    def look(
        self,
        questions: Collection[Question[Any]],
        seen: Seen,
        ask: Callable[[Collection[Question[Any]]], Mapping[Question[Any], Any]],
        away: Callable[[Any], bool],
    ) -> Seen:
        """Fill `seen` with what `ask` answers, and ask again for those, and only those, whose answer tells that hostd
        is away. Raises what `ask` raises."""
        pending = {question for question in questions if not isinstance(question, Identity)}

        def poll() -> bool:
            answers = ask(pending)
            seen.update(answers)
            pending.intersection_update(question for question, answer in answers.items() if away(answer))
            return bool(pending)

        if poll():
            # that was the first attempt; a host whose hostd answers needs no more, nor what counts them
            first = iter((True,))
            self._polls()(lambda: next(first, False) or poll())
        self._away = self._away - set(questions) | pending
        return seen

    def _polls(self) -> Retrying:
        """Waits for hostd, but not again in a session in which it was waited for in vain and is still away."""

        def tell(state: RetryCallState) -> None:
            self._waiting("hostd, the host's management agent, is not answering", state.upcoming_sleep)

        return Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(1 if self._away else POLLS),
            wait=wait_exponential(multiplier=1, max=10),
            sleep=self._pause,
            before_sleep=tell,
            retry_error_callback=lambda state: None,
        )
