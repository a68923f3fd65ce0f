"""Eyes over the SDK, on a session that fails as it is told: what else is seen then, and what is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pyVmomi import vim as typed_vim

from reconciler.facts import (
    BackupOwed,
    Datastores,
    Facts,
    Folder,
    Identity,
    Machines,
    Question,
    SshService,
    SshState,
    Unseen,
)
from reconciler.faults import Unsupported
from reconciler.image_facts import HostTime
from reconciler.observers.sdk.eyes import SdkEyes
from reconciler.transports.sdk import About, MethodFault, Passing, Row, Want
from tests.unit.observers.test_sdk_shown import mounted, nas, services, summary

vim: Any = typed_vim
AWAY = Passing("vmodl.fault.SystemError", "a general system error occurred")
REFUSED = MethodFault("vim.fault.NoPermission", "no permission")
TWO_MINUTES = 125


class Host:
    """A host with SSH running and one NFS datastore. `faults` are raised by calls of that name, `reading` by reads."""

    def __init__(self, version: str = "6.7.0", **faults: MethodFault) -> None:
        self.about = About("VMware ESXi", version, "1", "HostAgent")
        self.faults, self.calls, self.pauses = faults, list[str](), list[float]()
        self.eyes = SdkEyes(self, self.pauses.append, lambda why, seconds: None)  # type: ignore[arg-type]

    def see(self, *questions: Question[Any]) -> Facts:
        return Facts(self.eyes.look(questions, Facts()))

    def host(self) -> Any:
        return vim.HostSystem("ha-host")

    def read(self, wants: Sequence[Want]) -> list[Row]:
        self._fail("reading")
        return [self._row(want) for want in wants]

    def _row(self, want: Want) -> Row:
        managers = SimpleNamespace(dateTimeSystem=object())
        if want.kind == "Datastore":
            told = {"summary": summary(), "info": nas(), "host": mounted(), "summary.accessible": True}
            return Row(vim.Datastore("1"), {path: told[path] for path in want.paths if path in told}, {})
        values = {"configManager": managers, **services("on", running=True).values}
        return Row(self.host(), {path: values[path] for path in want.paths if path in values}, {})

    def call(self, obj: Any, method: str, **arguments: Any) -> Any:
        self._fail(method)

    def _fail(self, name: str) -> None:
        self.calls.append(name)
        if name in self.faults:
            raise self.faults[name]


def test_one_answer_that_is_away_takes_no_other_along() -> None:
    host = Host(QueryDateTime=AWAY)
    seen = host.see(SshState(), HostTime())
    assert seen[SshState()] == SshService(True, True)
    assert isinstance(seen[HostTime()], Unseen)
    assert AWAY.said in seen[HostTime()].why
    assert sum(host.pauses) == TWO_MINUTES
    assert host.calls.count("reading") == 1


def test_what_was_waited_for_in_vain_is_not_waited_for_again() -> None:
    host = Host(QueryDateTime=AWAY)
    host.see(HostTime())
    host.pauses.clear()
    assert isinstance(host.see(HostTime())[HostTime()], Unseen)
    assert host.pauses == []


def test_a_host_that_came_back_is_waited_for_once_more() -> None:
    host = Host(reading=AWAY)
    host.see(SshState())
    del host.faults["reading"]
    host.see(SshState())
    host.faults["reading"] = AWAY
    host.pauses.clear()
    host.see(SshState())
    assert sum(host.pauses) == TWO_MINUTES


def test_a_datastore_that_is_away_hides_only_the_datastores() -> None:
    host = Host(RefreshDatastore=AWAY)
    seen = host.see(Datastores(), SshState())
    assert isinstance(seen[Datastores()], Unseen)
    assert seen[SshState()] == SshService(True, True)
    del host.faults["RefreshDatastore"]
    (store,) = host.see(Datastores())[Datastores()]
    assert store.free == 40


def test_properties_that_are_refused_leave_what_needs_none() -> None:
    host = Host(reading=REFUSED)
    seen = host.see(SshState(), Machines(), BackupOwed())
    assert [seen[it] for it in (SshState(), Machines())] == [
        Unseen("the host does not tell it over the SDK: no permission")
    ] * 2
    assert seen[BackupOwed()] == frozenset()
    assert host.pauses == []


def test_a_version_that_is_none_is_not_looked_at() -> None:
    with pytest.raises(Unsupported):
        Host(version="next").see(Identity())


def test_a_path_elsewhere_on_the_host_is_unseen() -> None:
    question = Folder("/tmp/x")
    assert isinstance(Host().see(question)[question], Unseen)
