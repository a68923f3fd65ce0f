"""Tasks of a simulated host: what has been begun over the API, and how it went. hostd forgets them when it starts."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from reconciler.simulator.sdk.objects import make, moment, ref
from reconciler.simulator.shell.streams import Capture

PERCENT = re.compile(r"Clone: (\d+)% done")


@dataclass
class Job:
    """`state` is `running`, `success` or `error`; `begun` in seconds since 1970.

    `work` is what can be cancelled, `said` what the program behind it prints.
    """

    method: str
    begun: float
    state: str = "running"
    result: Any = None
    error: Any = None
    cancelled: bool = False
    work: asyncio.Task[int] | None = None
    said: Capture = field(default_factory=Capture)

    @property
    def progress(self) -> int | None:
        """How far a copy is, in percent."""
        if self.work is None or self.state != "running":
            return None
        found = PERCENT.findall(self.said.data.decode("utf-8", "replace"))
        return int(found[-1]) if found else 0


class Tasks:
    """The tasks of one host by id."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> Any:
        """A reference to the new task."""
        moid = f"haTask-{len(self._jobs) + 1}"
        self._jobs[moid] = job
        return ref("Task", moid)

    def job(self, moid: str) -> Job:
        """Raises KeyError."""
        return self._jobs[moid]

    def info(self, moid: str) -> Any:
        """`Task.info`. Raises KeyError."""
        job = self._jobs[moid]
        return make(
            "TaskInfo",
            key=moid,
            task=ref("Task", moid),
            descriptionId=job.method,
            entity=ref("HostSystem", "ha-host"),
            state=job.state,
            cancelled=job.cancelled,
            cancelable=job.work is not None,
            error=job.error,
            result=job.result,
            progress=job.progress,
            reason=make("TaskReasonUser", userName="root"),
            queueTime=moment(job.begun),
            startTime=moment(job.begun),
            eventChainId=0,
        )
