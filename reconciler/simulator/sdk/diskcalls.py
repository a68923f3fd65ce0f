"""Copies over the API: a disk by the VirtualDiskManager, in a task of its own; a plain file by the FileManager.

The disk is cloned by the same code as `vmkfstools -i`, with its refusals as faults.
"""

from __future__ import annotations

import asyncio
import shlex
from typing import Any

from reconciler.simulator.sdk.calls import Context, invalid, method
from reconciler.simulator.sdk.filecalls import located, of_file, task
from reconciler.simulator.sdk.objects import gone
from reconciler.simulator.sdk.soap import ApiFault
from reconciler.simulator.sdk.tasks import Job
from reconciler.simulator.shell.process import Shell, standard
from reconciler.simulator.shell.run import live, source
from reconciler.simulator.shell.streams import Null

FORMATS = {
    "thin": "thin",
    "preallocated": "zeroedthick",
    "thick": "zeroedthick",
    "eagerZeroedThick": "eagerzeroedthick",
    "sparse2Gb": "2gbsparse",
}
ADAPTERS = ("ide", "busLogic", "lsiLogic")
PATH = {"PATH": "/bin:/sbin:/usr/bin:/usr/sbin"}


@method("VirtualDiskManager", "CopyVirtualDisk_Task", changing=True)
async def copy_disk(context: Context, moid: str, words: dict[str, Any]) -> Any:
    spec = words.get("destSpec")
    form = FORMATS.get(spec.diskType if spec is not None else "preallocated")
    if form is None or (spec is not None and spec.adapterType not in ADAPTERS):
        raise invalid("destSpec")
    _, old = located(context, words["sourceName"])
    _, new = located(context, words["destName"])
    job = Job("VirtualDiskManager.copyVirtualDisk", context.host.now())
    command = f"vmkfstools -i {shlex.quote(old)} {shlex.quote(new)} -d {form}"
    job.work = context.host.spawn(_cloned(context, command, job))
    return context.views.tasks.add(job)


async def _cloned(context: Context, command: str, job: Job) -> int:
    shell = Shell(context.host, standard(Null(), job.said, job.said), dict(PATH), set(PATH))

    async def work() -> None:
        await source(shell, command)

    try:
        status = await live(shell, work)
    except asyncio.CancelledError:
        fault = ApiFault("RequestCanceled", "The task was canceled by a user.")
        job.state, job.error, job.cancelled = "error", fault.value(), True
        return 1
    job.state = "success" if status == 0 else "error"
    if status:
        job.error = _fault(job.said.data.decode("utf-8", "replace")).value()
    return status


def _fault(said: str) -> ApiFault:
    """vmkfstools' refusal as the API words it."""
    last = said.strip().splitlines()[-1:] or ["it failed"]
    if "(39)" in said:
        return ApiFault("FileAlreadyExists", last[0], file="")
    if "(13)" in said or "1835017" in said:
        return ApiFault("NoDiskSpace", last[0], file="", datastore="")
    if "16392" in said:
        return ApiFault("FileLocked", last[0], file="")
    if "(25)" in said:
        return ApiFault("FileNotFound", last[0], file="")
    return ApiFault("FileFault", last[0], file="")


@method("Task", "CancelTask")
async def cancel(context: Context, moid: str, words: dict[str, Any]) -> None:
    try:
        job = context.views.tasks.job(moid)
    except KeyError:
        raise gone("Task", moid) from None
    if job.state != "running" or job.work is None:
        raise ApiFault("InvalidState", "The operation is not allowed in the current state.")
    job.work.cancel()


@method("FileManager", "CopyDatastoreFile_Task", changing=True)
async def copy_file(context: Context, moid: str, words: dict[str, Any]) -> Any:
    origin, target = words["sourceName"], words["destinationName"]

    async def work() -> None:
        _, old = located(context, origin)
        _, new = located(context, target)
        files = context.host.files
        if files.find(new) is not None:
            raise ApiFault("FileAlreadyExists", f"{target} already exists", file=target)
        try:
            files.write(new, files.read(old))
        except OSError as problem:
            raise of_file(problem, origin) from problem

    return await task(context, "FileManager.copyFile", work)
