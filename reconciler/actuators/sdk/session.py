"""What the hands need of an SDK session, and what they look up on it before they act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from reconciler.transports.sdk import HttpAnswer, Row, Want
from reconciler.transports.sdk.target import SdkTarget


class Session(Protocol):
    """The part of reconciler.transports.sdk.SdkSession that hands use."""

    target: SdkTarget

    @property
    def content(self) -> Any: ...

    def host(self) -> Any: ...

    def make(self, name: str, /, **fields: Any) -> Any: ...

    def read(self, wants: Sequence[Want]) -> list[Row]: ...

    def call(self, obj: Any, method: str, **arguments: Any) -> Any: ...

    def wait(self, task: Any, limit: float) -> Any: ...

    def https(self, method: str, path: str, body: bytes | None = None) -> HttpAnswer: ...


class Stumbled(Exception):
    """It was not done; the text says why, `next` what a person can do."""

    def __init__(self, said: str, next: str = "") -> None:
        super().__init__(said)
        self.next = next


class Managers:
    """The host's managers (`HostSystem.configManager`), looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: Any = None

    def get(self, name: str) -> Any:
        """The manager of that name, such as `serviceSystem`. Raises Stumbled when the host has none."""
        if self._found is None:
            self._found = host_property(self._session, "configManager")
        manager = getattr(self._found, name, None)
        if manager is None:
            raise Stumbled(f"the host shows no {name} over the SDK")
        return manager


def host_property(session: Session, path: str) -> Any:
    """One property of the HostSystem, as it is now. Raises Stumbled when it can't be seen."""
    for row in session.read([Want("HostSystem", (path,), of=session.host())]):
        if path in row.values:
            return row.values[path]
        raise Stumbled(f"the host does not show {path}: {row.missing.get(path, 'it is not set')}")
    raise Stumbled(f"the host does not show {path}")
