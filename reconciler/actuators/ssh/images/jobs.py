"""A copy that is not in its place yet: its folder at the root of the volume, and the way into its place."""

from __future__ import annotations

from hashlib import md5

from reconciler.actuators.ssh.images.lock import VolumeLock
from reconciler.actuators.ssh.images.runner import Runner, Stumbled, must
from reconciler.image_verbs import CopyVerb, Room
from reconciler.records import record
from reconciler.transports.shell import quote

FIRST_LINE = "reconciler job 1"


@record
class Job:
    """`folder` is ours, `disk` in it is what becomes the image's folder."""

    room: Room
    image: str

    @property
    def target(self) -> str:
        """The image's folder, relative to the volume."""
        return self.room.folder.removeprefix(self.room.volume).strip("/")

    @property
    def folder(self) -> str:
        name = md5(self.target.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()[:12]
        return f"{self.room.volume}/.reconciler-{name}"

    @property
    def disk(self) -> str:
        return f"{self.folder}/disk"

    def path(self, name: str) -> str:
        """A file beside the disk, quoted."""
        return quote(f"{self.folder}/{name}")

    def file(self, ending: str) -> str:
        """A file of the disk, quoted: `.vmdk`, `-flat.vmdk`."""
        return quote(f"{self.disk}/{self.room.disk}{ending}")

    def text(self, kind: str, source: str) -> str:
        lines = (
            FIRST_LINE,
            f"image {self.image}",
            f"target {self.target}",
            f"kind {kind}",
            f"source {source}",
        )
        return "".join(f"{line}\n" for line in lines)


@record
class Found:
    """A job that lies there already. `journal` has the lines that were written whole."""

    fields: dict[str, str]
    journal: tuple[str, ...]

    def goes_on(self, kind: str, source: str) -> bool:
        """Whether it is the same copy of the same source."""
        return self.fields.get("kind") == kind and self.fields.get("source") == source


def find(runner: Runner, job: Job) -> Found | None:
    """What lies in a job's folder; None when there is none. Raises Stumbled, faults.Unreachable."""
    command = (
        f"[ -d {quote(job.folder)} ] || exit 4; cat {job.path('job')} 2>/dev/null; printf '\\036'; "
        f"[ ! -d {quote(job.disk)} ] || cat {job.path('journal')} 2>/dev/null; true"
    )
    piece = runner.ask(command)
    if piece.status == 4:
        return None
    if piece.status != 0:
        raise Stumbled(piece.said)
    head, _, journal = piece.text.partition("\x1e")
    fields = (
        dict(line.partition(" ")[::2] for line in head.splitlines()[1:])
        if head.startswith(FIRST_LINE)
        else {}
    )
    # the last line may be torn
    return Found(fields, tuple(journal.split("\n")[:-1]))


def begin(runner: Runner, job: Job, guard: str, kind: str, source: str) -> None:
    """Make the job's folder; `guard` is the lock's. Raises Stumbled, faults.Unreachable."""
    text, folder = quote(job.text(kind, source)), quote(job.folder)
    must(
        runner, f"{guard}mkdir {folder} && printf '%s' {text} > {job.path('job')} && mkdir {quote(job.disk)}"
    )


def remove(runner: Runner, job: Job, guard: str) -> None:
    """Take away what is left of a copy; `guard` is the lock's: a copy may be another run's by now. Raises Stumbled with
    what stays, faults.Unreachable."""
    must(runner, f"{guard}rm -rf {quote(job.folder)}; [ ! -e {quote(job.folder)} ]")


def place_commands(job: Job, verb: CopyVerb) -> tuple[str, ...]:
    """From the half copy to the image: one rename, and only when nothing stands there; the rest goes with it."""
    final, above = quote(job.room.folder), quote(job.room.folder.rpartition("/")[0])
    there = f"[ ! -e {final} ] || {{ echo 'something stands there now'; exit 1; }}"
    inside = f"[ ! -e {final}/disk ] || {{ mv {final}/disk {quote(job.disk)}; echo 'something came there'; exit 1; }}"
    modes = (f"chmod -R 0755 {quote(job.disk)}",) if verb.readable else ()
    place = f"{there}; mv {quote(job.disk)} {final} && {{ {inside}; }} && rm -rf {quote(job.folder)}"
    return (f"mkdir -p {above}", *modes, place)


def place(runner: Runner, job: Job, lock: VolumeLock, verb: CopyVerb) -> None:
    """Give a proved copy its own name. Raises LockLost, Stumbled, faults.Unreachable."""
    lock.check()
    for command in place_commands(job, verb):
        must(runner, lock.guard + command)
