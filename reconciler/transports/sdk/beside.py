"""Requests beside the API (`/host/…`, `/folder/…`), which need the password each time (field guide, sdk.md)."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from reconciler.faults import Unreachable
from reconciler.transports.sdk import https
from reconciler.transports.sdk.answers import MethodFault, NoRight, Passing
from reconciler.transports.sdk.https import Connection, HttpAnswer
from reconciler.transports.sdk.line import Line

MOST_BYTES = 16 * 1024 * 1024


class Beside:
    """One connection for all of them, apart from the API's. `password` is asked for each request."""

    def __init__(self, line: Line, password: Callable[[], str]) -> None:
        self._line, self._password = line, password
        self._warm: Connection | None = None
        self._shut: NoRight | None = None

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None, limit: int
    ) -> HttpAnswer:
        """See `SdkSession.https`."""
        if self._shut is not None:
            raise self._shut
        told = {**(headers or {}), **https.basic(self._line.target.user, self._password())}
        try:
            answer = self._asked(method, path, body=body, headers=told, limit=limit)
        except ValueError as error:
            raise MethodFault("https", f"{path}: {error}") from error
        said = f"{path}: {answer.status} {answer.reason}"
        if answer.status in https.AWAY:
            raise Passing("https", said)
        if answer.status == http.client.UNAUTHORIZED:
            # each one counts: ESXi locks an account after a few
            self._shut = NoRight("https", said)
            raise self._shut
        if answer.status == http.client.FORBIDDEN:
            raise NoRight("https", said)
        return answer

    def _asked(self, method: str, path: str, **more: Any) -> HttpAnswer:
        """Over the connection of before, if there is one. What only reads is asked again over a new one when that was
        closed meanwhile."""
        warm, self._warm = self._warm, None
        if warm is not None and method in ("GET", "HEAD"):
            with suppress(Unreachable):
                answer, self._warm = https.ask(warm, method, path, **more)
                return answer
        elif warm is not None:
            warm.close()
        answer, self._warm = https.ask(Connection(self._line), method, path, **more)
        return answer

    @property
    def shut(self) -> bool:
        """Whether the password was not taken."""
        return self._shut is not None

    def close(self) -> None:
        """Hang up. The next request opens another connection."""
        warm, self._warm = self._warm, None
        if warm is not None:
            warm.close()
