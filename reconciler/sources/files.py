"""Specs from files and folders: followed by watchfiles, and by a look now and then where nothing tells of changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from watchfiles import watch

from reconciler.desired.files import DISK
from reconciler.sources.kept import Kept
from reconciler.sources.places import Places, places_of, stamps
from reconciler.sources.reading import Reading, Record, read
from reconciler.sources.revision import Rejected, Tell, Telling, unexpected

LOOK_SECONDS = 20.0
SETTLE_SECONDS = 0.2
MOST_TRIES = 5
_LOG = logging.getLogger("reconciler")
logging.getLogger("watchfiles").setLevel(logging.WARNING)

# changes are told once there were none for 100 ms, 800 ms after the first one at the latest
_OPTIONS: Any = {
    "watch_filter": None,
    "step": 100,
    "debounce": 800,
    "rust_timeout": 200,
    "yield_on_timeout": True,
    "recursive": False,
    "raise_interrupt": False,
    "ignore_permission_denied": True,
}


class FilesSource:
    """The specs below `paths`. `look`: after so many seconds files are looked at even when nothing was reported."""

    def __init__(self, paths: Sequence[Path], state_dir: Path, look: float = LOOK_SECONDS) -> None:
        self._paths = tuple(paths)
        self._kept = Kept(self._paths, state_dir)
        self._look = look
        self._files: set[str] = set()
        self._seen: Mapping[str, object] | None = None
        self._unkept: Record | None = None
        self._told = False

    @property
    def origin(self) -> str:
        return " ".join(map(str, self._paths))

    def run(self, tell: Tell, stop: threading.Event) -> None:
        """As in `Source`."""
        telling = Telling(tell)
        while not stop.is_set():
            try:
                self._follow(telling, stop)
            except Exception as error:  # noqa: BLE001 - whatever it is, specs are followed on
                telling.wrong(unexpected(error))
                stop.wait(self._look)

    def _follow(self, telling: Telling, stop: threading.Event) -> None:
        """Look, put watches in place, look again, until folders come, go or are replaced by others."""
        self._look_again(telling, stop)
        places = places_of(self._paths, self._files)
        with closing(self._happenings(places, stop)) as happenings:
            for happened in happenings:
                self._look_again(telling, stop, happened=happened)
                if places_of(self._paths, self._files) != places:
                    return

    def _look_again(self, telling: Telling, stop: threading.Event, *, happened: bool = False) -> None:
        """Read the specs if something happened to them or they look changed, and tell what is news."""
        self._keep()
        if not happened and stamps(self._paths, self._files) == self._seen:
            return
        reading = self._settled(stop)
        if stop.is_set():
            return
        if isinstance(reading.found, Rejected):
            if telling.key is None and (restored := self._kept.restore()) is not None:
                telling.good(*restored)
            telling.wrong(reading.found)
            return
        key = reading.record.key()
        if key != telling.key:
            self._unkept = reading.record
            self._keep()
        telling.good(reading.found, key)

    def _keep(self) -> None:
        """What could not be kept for the next start is tried again."""
        if self._unkept is not None and self._kept.keep(self._unkept):
            self._unkept = None

    def _settled(self, stop: threading.Event) -> Reading:
        """What stands in the files once nobody writes there any more; what is wrong has to be so for a moment."""
        for _ in range(MOST_TRIES):
            before = stamps(self._paths, self._files)
            reading = read(self._paths, DISK)
            self._files |= reading.record.files
            if isinstance(reading.found, Rejected):
                stop.wait(SETTLE_SECONDS)
            self._seen = stamps(self._paths, self._files)
            if stop.is_set() or all(self._seen.get(file) == stamp for file, stamp in before.items()):
                break
            stop.wait(SETTLE_SECONDS)
        return reading

    def _happenings(self, places: Places, stop: threading.Event) -> Generator[bool, None, None]:
        """True as often as something happened that matters. False as soon as watches are in place, and when it is
        time for a look of one's own. Ends with `stop`, and where nothing can be watched after a pause."""
        folders = [folder for folder, identity in places.identity.items() if identity is not None]
        due = 0.0
        try:
            for changes in watch(*folders, stop_event=stop, **_OPTIONS):
                happened = any(places.concerns(path) for _, path in changes)
                if happened or time.monotonic() >= due:
                    due = time.monotonic() + self._look
                    yield happened
        except FileNotFoundError:
            stop.wait(SETTLE_SECONDS)
        except (OSError, RuntimeError) as error:
            if not self._told:
                _LOG.warning("changes of specs are noticed only every %.0f s: %s", self._look, error)
            self._told = True
            stop.wait(self._look)
