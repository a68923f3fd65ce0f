"""Refused logins, remembered over restarts: ESXi locks an account after five, so nothing is sent again in a hurry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.desired.host import DesiredHost
from reconciler.faults import LoginRefused, Unreachable
from reconciler.records import record
from reconciler.secrets import SecretUnavailable, mask
from reconciler.state.files import read_json, write_json
from reconciler.state.logins import Login, sdk_login, session_logins, ssh_login
from reconciler.state.trouble import StateTrouble

HOLD_SECONDS = 15 * 60.0
"""ESXi counts failures, and locks an account, for so long."""
A_RUN_SECONDS = 365 * 86400.0
"""Longer than any single run takes: what was refused in it is not tried again."""
QUEUE_SECONDS = 60.0
"""A login takes half a minute at most; who waits longer for another one waits for something that hangs."""
UNCLEAR_MAX = 3
"""So many logins in a row whose end nobody knows are let pass: the program was killed meanwhile, or the link broke."""

Warn = Callable[[str], None]


def _nobody(warning: str) -> None:
    """Nobody wants to hear of the file."""


@record
class _Record:
    """The last login at one door: `at` seconds since the epoch. `unclear` counts those in a row whose end is not known;
    with 0 it was refused, as `said`."""

    evidence: str
    at: float
    unclear: int = 0
    said: str = ""
    next: str = ""


class Refusals:
    """The gate before every login. Safe to use from any thread; one process at a time has the file.

    A login is written down as unclear before anything is sent, and taken out once it has succeeded: a program that is
    killed between has it in its next life. Without a `path` nothing is kept, and what was refused stays refused. A file
    that can't be read or written is no obstacle: `warn` hears of it. `clock` is in seconds since the epoch.
    """

    def __init__(
        self, path: Path | None = None, warn: Warn = _nobody, clock: Callable[[], float] = time.time
    ) -> None:
        self._path, self._warn, self._clock = path, warn, clock
        self._hold = A_RUN_SECONDS if path is None else HOLD_SECONDS
        self._free = threading.Condition()
        self._sending: set[tuple[str, str]] = set()
        self._told = ""
        self._records = {} if path is None else _read(path, warn)

    def ask(self, login: Login) -> None:
        """Whether a login may be tried now. What was refused with other credentials is forgotten here. Raises
        LoginRefused, or Unreachable when too many ended in an unknown way."""
        with self._free:
            self._ask(login)

    def _ask(self, login: Login) -> None:
        record = self._held(_key(login))
        if record is not None and record.evidence != login.evidence:
            del self._records[_key(login)]
        elif record is not None and (not record.unclear or record.unclear >= UNCLEAR_MAX):
            raise self._refusal(login, record)

    @contextmanager
    def attempt(self, login: Login) -> Iterator[None]:
        """Around what sends credentials: one at a time goes through each door. Raises as `ask` does, and what is raised
        within: a LoginRefused is remembered, and with SecretUnavailable nothing was sent."""
        key = _key(login)
        with self._free:
            if not self._free.wait_for(lambda: key not in self._sending, QUEUE_SECONDS):
                why = f"{login.door}: another login there has not come to its end in {QUEUE_SECONDS:.0f} s"
                raise Unreachable(
                    why, next="an ssh-agent or a program that gives the secret may hang: look at it"
                )
            self._ask(login)
            self._sending.add(key)
            known = self._held(key)
            begun = 1 if known is None else known.unclear + 1
            self._write(key, _Record(login.evidence, self._clock(), begun), lasting=False)
        try:
            yield
        except LoginRefused as fault:
            record = _Record(login.evidence, self._clock(), 0, mask(fault.message), mask(fault.next))
            self._ended(key, record)
            raise
        except SecretUnavailable:
            self._ended(key, known)
            raise
        except BaseException:
            self._ended(key, self._records.get(key))
            raise
        self._ended(key, None)

    def _ended(self, key: tuple[str, str], record: _Record | None) -> None:
        with self._free:
            self._sending.discard(key)
            self._free.notify_all()
            self._write(key, record, lasting=record is not None)

    def until(self, host: DesiredHost) -> datetime | None:
        """Before when a host whose login was refused is not to be tried again; None: nothing holds it, or its access or
        a file that this names has changed since."""
        # a file that they name may lie on a server that says nothing
        logins = session_logins(host)
        with self._free:
            found = [(it, self._held(_key(it))) for it in logins]
            refused = [(login, it) for login, it in found if it is not None and not it.unclear]
            if not refused or any(it.evidence != login.evidence for login, it in refused):
                return None
            return min(self._until(it) for _, it in refused)

    def forgive(self, hosts: Iterable[DesiredHost] | None = None) -> None:
        """Let the logins of these hosts, or all, be tried once more."""
        doors = None if hosts is None else {it.door for host in hosts for it in _doors(host)}
        with self._free:
            left = {key: it for key, it in self._records.items() if doors is not None and key[1] not in doors}
            if len(left) < len(self._records):
                self._records = left
                self._save(lasting=True)

    def _held(self, key: tuple[str, str]) -> _Record | None:
        """What is remembered of a door, if that still holds. A clock that was set back holds nothing for longer."""
        record, now = self._records.get(key), self._clock()
        if record is None:
            return None
        if record.at > now:
            record = self._records[key] = replace(record, at=now)
        return record if now < record.at + self._hold else None

    def _until(self, record: _Record) -> datetime:
        return _moment(record.at + self._hold)

    def _refusal(self, login: Login, record: _Record) -> LoginRefused | Unreachable:
        again = f"{self._until(record):%Y-%m-%dT%H:%M:%SZ}"
        if record.unclear:
            return Unreachable(
                f"{login.door}: {record.unclear} logins in a row ended in an unknown way, the last one begun at "
                f"{_moment(record.at):%Y-%m-%dT%H:%M:%SZ}; nothing is sent before {again}",
                next="each may have been refused, and ESXi locks the account after 5: log in by hand to see",
            )
        if self._path is None:
            return LoginRefused(record.said, next=record.next)
        when = f"that was at {_moment(record.at):%Y-%m-%dT%H:%M:%SZ}, and nothing was sent since"
        wait = f"it is tried again at {again}, or once its access or a file that this names has changed"
        return LoginRefused(f"{record.said}; {when}: {wait}", next=record.next)

    def _write(self, key: tuple[str, str], record: _Record | None, *, lasting: bool) -> None:
        if record is None:
            self._records.pop(key, None)
        else:
            self._records[key] = record
        self._save(lasting=lasting)

    def _save(self, *, lasting: bool) -> None:
        """Write what still holds. `lasting`: over a power loss, too."""
        if self._path is None:
            return
        self._records = {key: it for key in list(self._records) if (it := self._held(key)) is not None}
        told = [{"way": way, "door": door, **asdict(it)} for (way, door), it in self._records.items()]
        try:
            write_json(self._path, {"formatVersion": "1.0", "logins": told}, lasting=lasting)
            self._told = ""
        except StateTrouble as trouble:
            if self._told != str(trouble):
                self._told = str(trouble)
                self._warn(f"{trouble}; refused logins are not remembered over a restart")


def _doors(host: DesiredHost) -> tuple[Login, Login]:
    return ssh_login(host), sdk_login(host)


def _key(login: Login) -> tuple[str, str]:
    return login.way, login.door


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _read(path: Path, warn: Warn) -> dict[tuple[str, str], _Record]:
    value = read_json(path, warn)
    if value is None:
        return {}
    try:
        return dict(_entry(it) for it in value["logins"])
    except (KeyError, TypeError, ValueError, AttributeError):
        warn(f"{path} is not as it was written; going on as if it were not there")
        return {}


def _entry(it: Any) -> tuple[tuple[str, str], _Record]:
    record = _Record(
        str(it["evidence"]), float(it["at"]), int(it["unclear"]), str(it["said"]), str(it["next"])
    )
    return (str(it["way"]), str(it["door"])), record
