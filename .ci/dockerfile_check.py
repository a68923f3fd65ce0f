"""Walks through the Dockerfile without Docker: lints it, and does on this machine what its build steps do.

Checked: each base image has a full version as its tag, each COPY source is there and not ignored, the last stage
does not run as root, the pip lines work in a fresh virtualenv, and the entry point starts from it.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = "/opt/reconciler"
PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")


def main() -> int:
    instructions = list(parse((ROOT / "Dockerfile").read_text(encoding="utf-8")))
    wrong = [*wrong_images(instructions), *wrong_copies(instructions), *wrong_end(instructions)]
    for text in wrong:
        print(f"Dockerfile: {text}", file=sys.stderr)
    if wrong:
        return 1
    build(instructions)
    print("Dockerfile: its images, copies, user, build steps and entry point are as they should be")
    return 0


def parse(text: str) -> Iterator[tuple[str, str]]:
    """The instructions as (NAME, rest), continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


def wrong_images(instructions: list[tuple[str, str]]) -> Iterator[str]:
    for image in (rest.split()[0] for name, rest in instructions if name == "FROM"):
        if not PINNED.fullmatch(image):
            yield f"the base image {image} has no full version as its tag"


def wrong_copies(instructions: list[tuple[str, str]]) -> Iterator[str]:
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in copied(instructions):
        if not (ROOT / source).exists():
            yield f"{source} is copied but not there"
        elif f"!{source}" not in kept:
            yield f"{source} is copied but left out by .dockerignore"


def copied(instructions: list[tuple[str, str]]) -> list[str]:
    """What COPY takes from the build's folder."""
    lines = [shlex.split(rest) for name, rest in instructions if name == "COPY"]
    return [source for words in lines if not words[0].startswith("--from=") for source in words[:-1]]


def wrong_end(instructions: list[tuple[str, str]]) -> Iterator[str]:
    users = [rest for name, rest in instructions if name == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield "its last USER must be a number that is not 0, so that runAsNonRoot can tell"
    if [name for name, _ in instructions][-1] != "ENTRYPOINT":
        yield "it must end with its ENTRYPOINT"


def build(instructions: list[tuple[str, str]]) -> None:
    """Run the first stage's steps in a temporary folder, then the entry point's `--version`."""
    with tempfile.TemporaryDirectory(prefix="reconciler-image-") as folder:
        place = Path(folder)
        for source in copied(instructions):
            subprocess.run(["cp", "-r", str(ROOT / source), folder], check=True)
        stages = [number for number, (name, _) in enumerate(instructions) if name == "FROM"]
        for step in (rest for name, rest in instructions[: stages[1]] if name == "RUN"):
            step = step.replace(VENV, f"{folder}/venv").replace("python -m", f"{sys.executable} -m", 1)
            subprocess.run(["sh", "-e", "-c", step], cwd=place, check=True, stdout=subprocess.DEVNULL)
        start(place, json.loads(instructions[-1][1]))


def start(place: Path, entry: list[str]) -> None:
    """The entry point starts with nothing but the built virtualenv, and as if nothing could be written."""
    command = [str(place / "venv/bin" / entry[0]), *entry[1:], "--version"]
    subprocess.run(command, cwd="/", check=True, env={"PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    sys.exit(main())
