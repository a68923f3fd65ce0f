"""How a host answers a verb."""

from __future__ import annotations

from reconciler.records import record


@record
class Answer:
    """`said` is what the host printed when it did not do it. `passing`: no refusal, the management agent is away for
    a moment. `next` is what a person can do, where that is known.

    `held`: neither done nor failed, it has to wait (`said` tells for what). `cut`: a person stopped it; what arrived
    stays for the next run. `lost`: another run has taken over (`said` tells what). `proof`: how a copy was proved.
    `filled`: the root of a volume that filled up. `refused`: the folder of a copy that is no whole one.
    """

    ok: bool
    said: str = ""
    passing: bool = False
    next: str = ""
    held: bool = False
    cut: bool = False
    lost: bool = False
    proof: str = ""
    filled: str = ""
    refused: str = ""
