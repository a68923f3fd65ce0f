"""Pass after pass, with hand edits between them: memory, open files and threads stay as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.loop.running import Lab, Loop, group, lab, watching

HOSTS = ("h1", "h2", "h3", "h4")
MEMORY = 6 * 1024 * 1024
"""So many bytes may come and go: interpreters keep some."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "passes" in metafunc.fixturenames:
        long = metafunc.config.getoption("--hypothesis-profile") == "soak"
        metafunc.parametrize("passes", [200 if long else 24])


@dataclass(frozen=True)
class Size:
    """What a process holds: open files, threads, bytes of memory."""

    files: int
    threads: int
    memory: int


def test_it_stays_as_small_as_it_is(tmp_path: Path, passes: int) -> None:
    with lab(tmp_path, ["4.1", "6.0", "6.7", "8.0"]) as there:
        for name in HOSTS:
            there.wish(name, **group())
        with watching(there) as loop:
            loop.until_settled(*HOSTS)
            until_passes(loop, passes // 3, there)
            before = least(loop, there)
            until_passes(loop, passes, there)
            after = least(loop, there)
            assert after.files <= before.files + 2, (before, after)
            assert after.threads <= before.threads + 1, (before, after)
            assert after.memory <= before.memory + MEMORY, (before, after)
            assert {len(there.host(name).logins) for name in HOSTS} == {1}


def until_passes(loop: Loop, number: int, there: Lab) -> None:
    """Go on until there were so many passes, with a hand edit for every eighth."""
    edit = done(loop)

    def reached() -> bool:
        nonlocal edit
        now = done(loop)
        name = HOSTS[now % len(HOSTS)]
        if now >= edit and there.vlan(name) is not None:
            there.host(name).remove_port_group("Lab")
            edit = now + 8
        return now >= number

    loop.until(reached, f"{number} passes")


def done(loop: Loop) -> int:
    counts = re.findall(r"^reconciler_passes_total\{.*\} (\S+)$", loop.get("/metrics")[1], re.MULTILINE)
    return int(sum(map(float, counts)))


def least(loop: Loop, there: Lab) -> Size:
    """The least that it holds during the next few passes: between them nothing is in hand."""
    sizes, until = list[Size](), done(loop) + len(HOSTS)

    def measured() -> bool:
        sizes.append(size(loop.pid))
        return done(loop) >= until

    loop.until(measured, "a round of passes")
    return Size(*(min(getattr(it, field) for it in sizes) for field in ("files", "threads", "memory")))


def size(pid: int) -> Size:
    status = Path(f"/proc/{pid}/status").read_text()
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    threads, memory = re.search(r"Threads:\s+(\d+)", status), re.search(r"VmRSS:\s+(\d+) kB", status)
    assert threads is not None
    assert memory is not None
    return Size(files, int(threads[1]), int(memory[1]) * 1024)
