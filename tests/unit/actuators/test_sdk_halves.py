"""The second call of a change that has two, on a host that is coming up."""

from __future__ import annotations

from pathlib import Path

from reconciler.actuators.sdk.halves import finish
from reconciler.actuators.sdk.session import Stumbled
from reconciler.actuators.work import Work
from reconciler.transports.sdk.answers import Passing


def test_a_host_that_does_not_show_all_of_itself_yet_is_waited_for() -> None:
    acts: list[str] = []
    sights: list[bool | Stumbled] = [Stumbled("the host shows no datastoreSystem"), False]

    def act() -> None:
        acts.append("made")
        if len(acts) == 1:
            raise Passing("HTTP 503", "away")

    def there() -> bool:
        seen = sights.pop(0)
        if isinstance(seen, Stumbled):
            raise seen
        return seen

    finish(Work(lambda it: None, lambda: False, lambda seconds: None, Path("spool")), act, there)
    assert acts == ["made", "made"]
    assert not sights
