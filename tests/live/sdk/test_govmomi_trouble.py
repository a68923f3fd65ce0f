"""Licence, sessions and faults on demand of the program around govmomi's simulator."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from tests.live.sdk.client import Vim, Vmodl, content, done, only_host, stub
from tests.live.sdk.govmomi import Govmomi


def test_a_wrong_password_is_refused_and_counted(esx: Govmomi) -> None:
    shown = Vim.ServiceInstance("ServiceInstance", stub(esx)).RetrieveContent()
    with pytest.raises(Vim.fault.InvalidLogin):
        shown.sessionManager.Login(esx.user, "wrong")
    shown.sessionManager.Login(esx.user, esx.password)
    assert esx.logins == [False, True]


def test_the_free_licence_forbids_writes_and_lets_read(esx: Govmomi) -> None:
    shown = content(esx)
    probe = shown.fileManager.DeleteDatastoreFile_Task
    with pytest.raises((Vim.fault.InvalidDatastorePath, Vmodl.fault.InvalidArgument)):
        done(probe(name=""))
    esx.control(restricted=True)
    with pytest.raises(Vim.fault.RestrictedVersion):
        probe(name="")
    host = only_host(shown)
    with pytest.raises(Vim.fault.RestrictedVersion):
        host.configManager.serviceSystem.StartService(id="TSM-SSH")
    assert host.name
    assert host.datastore[0].RefreshDatastore() is None


def test_an_expired_session_can_be_had_again(esx: Govmomi) -> None:
    shown = content(esx)
    host = only_host(shown)
    assert esx.control(expire=True)["sessions"] == 0
    with pytest.raises(Vim.fault.NotAuthenticated):
        assert host.name
    shown.sessionManager.Login(esx.user, esx.password)
    assert host.name
    shown.sessionManager.Logout()
    assert esx.control()["sessions"] == 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SystemError", Vmodl.fault.SystemError),
        ("HostCommunication", Vmodl.fault.HostCommunication),
        ("HostConnectFault", Vim.fault.HostConnectFault),
        ("NoPermission", Vim.fault.NoPermission),
        ("503", http.client.HTTPException),
        ("hangup", (http.client.HTTPException, OSError)),
    ],
)
def test_faults_come_as_often_as_asked(esx: Govmomi, name: str, kind: Any) -> None:
    services = only_host(content(esx)).configManager.serviceSystem
    esx.trouble(name, "StartService", 2)
    assert services.serviceInfo
    for _ in range(2):
        with pytest.raises(kind):
            services.StartService(id="TSM-SSH")
    assert esx.control()["running"] is False
    services.StartService(id="TSM-SSH")
    assert esx.control()["running"] is True


def test_an_answer_is_lost_after_the_deed(esx: Govmomi) -> None:
    services = only_host(content(esx)).configManager.serviceSystem
    esx.trouble("503", "StartService", after=True)
    with pytest.raises(http.client.HTTPException):
        services.StartService(id="TSM-SSH")
    assert esx.control()["running"] is True


def test_calls_are_told_in_order(esx: Govmomi) -> None:
    services = only_host(content(esx)).configManager.serviceSystem
    esx.control(forget=True)
    services.StartService(id="TSM-SSH")
    services.StopService(id="TSM-SSH")
    assert esx.calls == ["StartService", "StopService"]


def test_an_order_that_makes_no_sense_is_refused(esx: Govmomi) -> None:
    for order in ({"nonsense": True}, {"trouble": {"fault": "NoSuchFault"}}, {"host": {"was": "nobody"}}):
        with pytest.raises(ValueError, match="no"):
            esx.control(**order)
