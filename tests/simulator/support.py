"""What the tests of the simulator share: hosts without a network, and scripts on them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import yaml

from reconciler.simulator.clock import Clock
from reconciler.simulator.host import Host
from reconciler.simulator.model import HostModel, Storage
from reconciler.simulator.programs import load
from reconciler.simulator.shell.process import Link, Shell, standard
from reconciler.simulator.shell.run import live
from reconciler.simulator.shell.streams import Capture, Fixed
from reconciler.simulator.tools.scripts import from_stdin

HERE = Path(__file__).parent
PATH = "/bin:/sbin:/usr/bin:/usr/sbin"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def host(version: str = "6.7", storage: Storage | None = None, **model: object) -> Host:
    """A host that has booted, without a port."""
    load()
    return Host(HostModel(name="esx1", version=version, **model), storage or Storage(), Clock())  # type: ignore[arg-type]


def script(on: Host, text: str | bytes, cwd: str = "/", link: Link | None = None) -> Ran:
    """Run a script as `sh` would from its standard input. `link`: the connection over which it came."""

    async def work() -> Ran:
        out, err = Capture(), Capture()
        data = text.encode() if isinstance(text, str) else text
        variables = {"PATH": PATH, "HOME": "/"}
        shell = Shell(on, standard(Fixed(data), out, err), dict(variables), set(variables), link, cwd=cwd)

        async def inside() -> None:
            await from_stdin(shell)

        status = await live(shell, inside)
        return Ran(status, out.data.decode("utf-8", "replace"), err.data.decode("utf-8", "replace"))

    return asyncio.run(work())


def cases(name: str) -> list[tuple[str, str]]:
    """(id, text) of each case in a data file of groups."""
    groups = yaml.safe_load((HERE / "cases" / name).read_text())
    return [(f"{group}-{index}", text) for group, texts in groups.items() for index, text in enumerate(texts)]
