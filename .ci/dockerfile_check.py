"""Walks through the Dockerfile without Docker: lints it, and does on this machine what its build steps do.

Checked: each base image has a full version as its tag, each COPY source is there and not ignored, the last stage
does not run as root, has a health check and ends with its entry point. The steps are walked: the pip lines in a fresh
virtualenv, apt's as a simulation, those that make user and folders (for which it takes root) below a folder of their
own; then entry point and health check start from what was built.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = "/opt/reconciler"
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/login.defs")
PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")

Stage = list[tuple[str, str]]
"""Its instructions as (NAME, rest), beginning with FROM."""


def main() -> int:
    stages = list(parse((ROOT / "Dockerfile").read_text(encoding="utf-8")))
    wrong = [*wrong_images(stages), *wrong_copies(stages), *wrong_end(stages[-1])]
    for text in wrong:
        print(f"Dockerfile: {text}", file=sys.stderr)
    if wrong:
        return 1
    with tempfile.TemporaryDirectory(prefix="reconciler-image-") as folder:
        build(stages[0], Path(folder))
        finish(stages[-1], Path(folder))
        start(stages[-1], Path(folder))
    print(
        "Dockerfile: its images, copies, user, build steps, health check and entry point are as they should be"
    )
    return 0


def parse(text: str) -> Iterator[Stage]:
    """The stages, continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stage: Stage = []
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        name, _, rest = line.strip().partition(" ")
        if name.upper() == "FROM" and stage:
            yield stage
            stage = []
        if name:
            stage.append((name.upper(), rest.strip()))
    yield stage


def every(stage: Stage, wanted: str) -> list[str]:
    return [rest for name, rest in stage if name == wanted]


def wrong_images(stages: list[Stage]) -> Iterator[str]:
    for image in (stage[0][1].split()[0] for stage in stages):
        if not PINNED.fullmatch(image):
            yield f"the base image {image} has no full version as its tag"


def wrong_copies(stages: list[Stage]) -> Iterator[str]:
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in (source for stage in stages for source, _ in copied(stage)):
        if not (ROOT / source).exists():
            yield f"{source} is copied but not there"
        elif f"!{source}" not in kept:
            yield f"{source} is copied but left out by .dockerignore"


def copied(stage: Stage) -> list[tuple[str, str]]:
    """What COPY takes from the build's folder, and where it lays it."""
    lines = [shlex.split(rest) for rest in every(stage, "COPY")]
    return [(source, words[-1]) for words in lines if words[0][:7] != "--from=" for source in words[:-1]]


def wrong_end(stage: Stage) -> Iterator[str]:
    users = every(stage, "USER")
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        yield "its last USER must be two numbers that are not 0, so that runAsNonRoot can tell"
    if not every(stage, "HEALTHCHECK"):
        yield "it has no HEALTHCHECK"
    if stage[-1][0] != "ENTRYPOINT":
        yield "it must end with its ENTRYPOINT"


def build(stage: Stage, folder: Path) -> None:
    """Run the first stage's steps in the folder: its virtualenv is `venv` there."""
    for source, _ in copied(stage):
        subprocess.run(["cp", "-r", str(ROOT / source), str(folder)], check=True)
    for step in every(stage, "RUN"):
        step = step.replace(VENV, f"{folder}/venv").replace("python -m", f"{sys.executable} -m", 1)
        subprocess.run(["sh", "-e", "-c", step], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def finish(stage: Stage, folder: Path) -> None:
    """Walk the last stage's steps, `image` in the folder being their root; what is copied goes into the virtualenv."""
    image = folder / "image"
    (image / "etc").mkdir(parents=True)
    (image / "var/lib").mkdir(parents=True)
    for account in (path for path in map(Path, ACCOUNTS) if os.access(path, os.R_OK)):
        shutil.copy(account, image / "etc")
    for command in (each.strip() for step in every(stage, "RUN") for each in step.split("&&")):
        walk(shlex.split(command), image)
    if os.geteuid() == 0:
        look(image, every(stage, "USER")[-1])
    for source, target in copied(stage):
        shutil.copy(ROOT / source, folder / "venv" / Path(target).relative_to(VENV))


def walk(words: list[str], image: Path) -> None:
    """One command of the last stage: apt's simulated, the others below `image`, as root only."""
    if words[:2] == ["apt-get", "install"]:
        simulated = ["apt-get", "install", "--simulate", *words[2:]]
        if subprocess.run(simulated, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            # a fresh machine has no lists of packages yet, as the base image has none
            subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(simulated, check=True, stdout=subprocess.DEVNULL)
    elif words[0] == "useradd" and os.geteuid() == 0:
        subprocess.run(["useradd", "--prefix", str(image), *words[1:]], check=True)
    elif words[0] == "install" and os.geteuid() == 0:
        subprocess.run([*words[:-1], f"{image}{words[-1]}"], check=True)
    elif words[0] not in ("useradd", "install", "apt-get", "rm"):
        raise SystemExit(f"Dockerfile: this check does not know how to walk {shlex.join(words)}")


def look(image: Path, user: str) -> None:
    """The account and its folder belong to the number under which the image runs."""
    account = re.search(
        r"^reconciler:x:(\d+:\d+):.*?:(/.*):", (image / "etc/passwd").read_text(), re.MULTILINE
    )
    if account is None or account[1] != user:
        raise SystemExit(f"Dockerfile: the account is {account and account[1]}, and the image runs as {user}")
    home = os.stat(f"{image}{account[2]}")
    if (f"{home.st_uid}:{home.st_gid}", home.st_mode & 0o777) != (user, 0o700):
        raise SystemExit(f"Dockerfile: {account[2]} must be a folder of {user} alone")


def start(stage: Stage, folder: Path) -> None:
    """Entry point and health check start with nothing but the built virtualenv, and as if nothing could be written."""
    # tini is a package of the image, which only starts what follows
    entry = json.loads(every(stage, "ENTRYPOINT")[-1])
    program = entry[entry.index("--") + 1 :] if "--" in entry else entry
    _, _, check = every(stage, "HEALTHCHECK")[-1].partition("CMD ")
    for command in ([*program, "--version"], json.loads(check)):
        words = [word.replace(VENV, f"{folder}/venv") for word in command]
        words[0] = f"{folder}/venv/bin/{words[0]}"
        subprocess.run(words, cwd="/", check=True, env={"PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    sys.exit(main())
