"""A clone on the host: vmkfstools runs apart from the session, and is found again by whoever comes next."""

from __future__ import annotations

import re

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.images import jobs
from reconciler.actuators.ssh.images.files import plain
from reconciler.actuators.ssh.images.jobs import Found, Job
from reconciler.actuators.ssh.images.lock import Stopped, VolumeLock
from reconciler.actuators.ssh.images.origin import identity
from reconciler.actuators.ssh.images.owner import BEAT_SECONDS, DEAD_SECONDS, Clock
from reconciler.actuators.ssh.images.parts import size_of
from reconciler.actuators.ssh.images.proof import Changed
from reconciler.actuators.ssh.images.runner import Runner, Stumbled, must
from reconciler.actuators.work import Carried, Work
from reconciler.image_verbs import CloneDisk
from reconciler.records import record
from reconciler.transports.shell import quote

NO_ROOM, REFUSED_FORM = ("13", "1835017"), ("15", "25")
FIRST_POLL, LAST_POLL = 0.2, 5.0
_PERCENT = re.compile(r"Clone: ([0-9]{1,3})% done\.")
_NUMBER = re.compile(r"\(([0-9]+)\)\.?\s*$", re.MULTILINE)


class FormRefused(Exception):
    """vmkfstools does not read, or write, this form; the text is what it said."""


@record
class _State:
    """`status` is the exit status of vmkfstools, None while there is none. `percent` is how far it is."""

    status: int | None
    beat: str
    said: str

    @property
    def percent(self) -> int:
        told = _PERCENT.findall(self.said)
        return min(100, int(told[-1])) if told else 0


def clone_command(verb: CloneDisk, job: Job) -> str:
    """The one command that copies and converts."""
    source = quote(f"{verb.cargo.folder}/{verb.cargo.file}")
    return f"vmkfstools -i {source} {job.file('.vmdk')} -d {verb.format}"


class Cloning:
    """One clone, started or found."""

    def __init__(self, runner: Runner, verb: CloneDisk, lock: VolumeLock, work: Work, clock: Clock) -> None:
        self._runner, self._verb, self._lock, self._work, self._clock = runner, verb, lock, work, clock
        self._job = Job(verb.room, verb.cargo.image)

    def run(self) -> Answer:
        """Raises FormRefused, Changed, Stopped, Stumbled, LockLost, faults.Unreachable."""
        source = self._source()
        found = jobs.find(self._runner, self._job)
        if found is None or not self._goes_on(found, source):
            self._start(source)
        answer = self._ended(self._wait())
        if answer.ok and self._source() != source:
            raise Changed
        return answer

    def _goes_on(self, found: Found, source: str) -> bool:
        """Whether the clone that was found is the one that is wanted; else nothing of it stays."""
        alive = found.fields.get("kind") == "clone" and self._is_alive()
        if alive and found.goes_on("clone", source):
            return True
        if alive:
            # what it writes can't be removed before it has ended
            self._wait()
        jobs.remove(self._runner, self._job, self._lock.guard)
        return False

    def _source(self) -> str:
        """What the source is now."""
        cargo = self._verb.cargo
        state = identity(self._runner, cargo)
        return f"{cargo.folder}/{cargo.file} {self._verb.format} {cargo.capacity} {state}"

    def _start(self, source: str) -> None:
        jobs.begin(self._runner, self._job, self._lock.guard, "clone", source)
        job, status = self._job, self._job.path("status")
        beat = (
            f"n=0; while [ ! -e {status} ] && kill -0 $p 2>/dev/null; do n=$((n+1)); echo $n > {job.path('beat')}; "
            f"sleep {BEAT_SECONDS:.0f}; done"
        )
        whole = f"echo $? > {job.path('status.new')}; mv {job.path('status.new')} {status}"
        apart = (
            f"trap '' HUP; {clone_command(self._verb, job)} </dev/null >{job.path('log')} 2>&1 & p=$!; "
            f"( {beat} ) & wait $p; {whole}"
        )
        must(self._runner, f"{self._lock.guard}( {apart} ) </dev/null >/dev/null 2>&1 &")

    def _look(self) -> _State:
        job = self._job
        piece = must(
            self._runner,
            f"cat {job.path('status')} 2>/dev/null; printf '\\036'; cat {job.path('beat')} 2>/dev/null; "
            f"printf '\\036'; tail -c 400 {job.path('log')} 2>/dev/null; true",
        )
        status, beat, said = (*piece.text.split("\x1e", 2), "", "")[:3]
        return _State(int(status) if status.strip().isdigit() else None, beat.strip(), said.strip())

    def _is_alive(self) -> bool:
        """Whether a clone that was found goes on, or has ended: its beat is watched by our own clock."""
        first, began = self._look(), self._clock.now()
        while self._clock.now() - began <= DEAD_SECONDS:
            state = self._look()
            if state.status is not None or state.beat != first.beat:
                return True
            if self._work.stopping():
                raise Stopped
            self._clock.pause(1.0)
        return False

    def _wait(self) -> _State:
        """Until it ends. A person who wants us to end does not end it: the next run finds it."""
        pause, beat, moved = FIRST_POLL, "", self._clock.now()
        while (state := self._look()).status is None:
            # another run may have it by now, and have ended it
            self._lock.check()
            total = self._verb.cargo.data
            self._work.progress(Carried(self._verb.cargo.image, total * state.percent // 100, total))
            if state.beat != beat:
                beat, moved = state.beat, self._clock.now()
            if self._clock.now() - moved > DEAD_SECONDS:
                raise Stumbled("the clone ended without a word: the host may have been short of memory")
            if self._work.stopping():
                raise Stopped("the clone goes on on the host; the next run finds it")
            self._clock.pause(pause)
            pause = min(LAST_POLL, pause * 1.5)
        return state

    def _ended(self, state: _State) -> Answer:
        if state.status == 0:
            return self._finish()
        jobs.remove(self._runner, self._job, self._lock.guard)
        numbers = _NUMBER.findall(state.said)
        number = numbers[-1] if numbers else ""
        said = _last_words(state.said) or f"vmkfstools ended with {state.status}"
        if number in NO_ROOM:
            return Answer(False, said, filled=self._verb.room.volume)
        if number in REFUSED_FORM and self._verb.relay:
            raise FormRefused(said)
        repair = "needs repair" in state.said
        following = "repair it in its repository with vmkfstools -x repair, then run again" if repair else ""
        return Answer(False, said, next=following)

    def _finish(self) -> Answer:
        """Descriptor and sizes are looked at before the copy gets its name."""
        job, verb = self._job, self._verb
        must(self._runner, f"{self._lock.guard}{_whole(verb, job)}")
        if verb.cargo.reference:
            stem = verb.cargo.file.rpartition(".")[0]
            reference = f"{verb.cargo.folder}/{stem}.vmx.reference"
            copy = f"{plain(reference)} && cp {quote(reference)} {job.file('.vmx.reference')}"
            must(self._runner, self._lock.guard + copy)
        return Answer(True, proof="vmkfstools ended well, and descriptor and sizes are right")


def _last_words(said: str) -> str:
    lines = [
        line.strip()
        for line in re.split(r"[\r\n]", said)
        if line.strip() and not _PERCENT.match(line.strip())
    ]
    failed = [line for line in lines if line.startswith(("Failed", "DiskLib"))]
    return (failed or lines or [""])[-1]


def _whole(verb: CloneDisk, job: Job) -> str:
    """A command that fails unless all files of the copy are there in full size."""
    descriptor, complain = job.file(".vmdk"), "echo 'the copy is not whole'; exit 1"
    if verb.format != "2gbsparse":
        size = f"$({size_of(job.file('-flat.vmdk'))})"
        return f'[ -s {descriptor} ] && [ "{size}" = {verb.cargo.capacity} ] || {{ {complain}; }}'
    extents = f"sed -n 's/^RW [0-9]* SPARSE \"\\(.*\\)\".*$/\\1/p' {descriptor}"
    each = f'[ -s {quote(job.disk)}/"$f" ] || {{ {complain}; }}'
    return f"[ -s {descriptor} ] && {extents} | while IFS= read -r f; do {each}; done"
