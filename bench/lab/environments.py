"""Programs from PyPI, each in a virtual environment of its own below build/bench."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.lab.progress import note

BENCH = Path(__file__).parents[1]
BUILD = BENCH.parent / "build" / "bench"
PIP = (sys.executable, "-m", "pip")


def environments(names: Sequence[str]) -> dict[str, Path]:
    """The environments of bench/requirements-NAME.txt, made where they are missing or older than that, side by side.

    One that can't be made (there may be no network) is told of and left out.
    """
    with ThreadPoolExecutor() as pool:
        made = dict(zip(names, pool.map(_made, names), strict=True))
    return {name: path for name, path in made.items() if path is not None}


def _made(name: str) -> Path | None:
    folder, wanted = BUILD / name, BENCH / f"requirements-{name}.txt"
    ready = folder / "requirements.txt"
    if ready.exists() and ready.read_text() == wanted.read_text():
        return folder
    note(f"{name} is installed from PyPI")
    for command in (
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)],
        [
            *PIP,
            "--python",
            str(folder / "bin" / "python"),
            "install",
            "-q",
            "--retries",
            "1",
            "-r",
            str(wanted),
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            note(f"{name} is left out, since it can't be installed: {done.stderr.strip()[-300:]}")
            return None
    ready.write_text(wanted.read_text())
    return folder
