"""Who is let in over the SDK, on every version, and when a session ends."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable

import paramiko
import pytest

from reconciler.simulator import RELEASES, Farm, HostHandle, Storage
from reconciler.simulator.model import HostModel
from tests.simulator.client import transport
from tests.simulator.sdk.client import Vim, ask, content, context, read, stub, system


@pytest.mark.parametrize("version", RELEASES)
def test_every_version_says_who_it_is_as_over_ssh(every: Farm, version: str) -> None:
    host = every.host(f"v{version}")
    shown = content(host)
    release, about = RELEASES[version], shown.about
    said = (about.name, about.version, about.build, about.apiType)
    assert said == (release.product, release.number, release.build, "HostAgent")
    assert about.fullName == f"{release.product} {release.number} build-{release.build}"
    product, name = read(shown, system(shown), "config.product", "name")
    assert (product.build, name) == (release.build, host.name)
    (ssh,) = (it for it in system(shown, "serviceSystem").serviceInfo.service if it.key == "TSM-SSH")
    assert (ssh.running, ssh.policy) == (True, "on")


def test_old_versions_speak_tls_1_0_and_nothing_newer(every: Farm) -> None:
    for name, spoken in (("v4.1", "TLSv1"), ("v5.5", "TLSv1"), ("v6.0", "TLSv1.3"), ("v8.0", "TLSv1.3")):
        host = every.host(name)
        connection = http.client.HTTPSConnection(
            host.address, host.sdk_port, context=context(host), timeout=10
        )
        connection.connect()
        assert connection.sock.version() == spoken
        connection.close()
    host = every.host("v5.5")
    modern = http.client.HTTPSConnection(
        host.address, host.sdk_port, context=context(host, legacy=False), timeout=10
    )
    with pytest.raises(ssl.SSLError):
        modern.connect()


def test_each_host_has_a_certificate_of_its_own_which_it_keeps(every: Farm, esx: HostHandle) -> None:
    assert len({host.thumbprint for host in every.hosts.values()}) == len(every.hosts)
    before = (esx.sdk_port, esx.thumbprint)
    esx.reboot()
    _up(esx)
    assert (esx.sdk_port, esx.thumbprint) == before
    assert ssl.get_server_certificate((esx.address, esx.sdk_port)) == ssl.DER_cert_to_PEM_cert(
        esx.certificate
    )


def test_a_wrong_password_is_refused_and_counts_for_ssh_too(esx: HostHandle) -> None:
    for _ in range(4):
        with pytest.raises(Vim.fault.InvalidLogin):
            content(esx, "wrong")
    assert ask(esx, "GET", "/host/ssh_root_authorized_keys", login="root:wrong")[0] == 401
    assert esx.sdk_logins == [("root", False)] * 5
    with pytest.raises(Vim.fault.InvalidLogin):
        content(esx)
    with pytest.raises(paramiko.AuthenticationException):
        _over_ssh(esx)


def _over_ssh(host: HostHandle) -> None:
    with transport(host) as line:
        line.auth_interactive("root", lambda *_: ["VMware1!"])


def test_a_lock_ends_and_a_login_forgets_failures(farm: Farm, esx: HostHandle) -> None:
    for _ in range(5):
        with pytest.raises(Vim.fault.InvalidLogin):
            content(esx, "wrong")
    farm.advance(901)
    assert content(esx)
    assert esx.sdk_logins[-1] == ("root", True)


def test_without_a_session_nothing_is_shown_or_done(esx: HostHandle) -> None:
    before = esx.digest()
    bare = stub(esx)
    with pytest.raises(Vim.fault.NotAuthenticated):
        assert Vim.HostSystem("ha-host", bare).name
    with pytest.raises(Vim.fault.NotAuthenticated):
        Vim.host.ServiceSystem("serviceSystem", bare).StopService(id="TSM-SSH")
    with pytest.raises(Vim.fault.NotAuthenticated):
        Vim.ServiceInstance("ServiceInstance", bare).CurrentTime()
    assert ask(esx, "GET", "/host/ssh_root_authorized_keys", login="")[0] == 401
    assert esx.digest() == before


def _logged_out(host: HostHandle, shown: object) -> None:
    shown.sessionManager.Logout()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "end",
    [
        _logged_out,
        lambda host, shown: host.fault("sdk-expired"),
        lambda host, shown: host.reboot(),
        lambda host, shown: host._do(lambda: setattr(host._host, "hostd_from", host._host.now())),
    ],
    ids=["logout", "expired", "reboot", "hostd starts again"],
)
def test_a_session_ends(esx: HostHandle, end: Callable[[HostHandle, object], None]) -> None:
    shown = content(esx)
    end(esx, shown)
    _up(esx)
    shown.sessionManager._stub.DropConnections()
    with pytest.raises(Vim.fault.NotAuthenticated):
        assert system(shown).name
    shown.sessionManager.Login("root", "VMware1!")
    assert system(shown).name == "esx"


def _up(host: HostHandle) -> None:
    """The port comes back a moment after a boot."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            ssl.get_server_certificate((host.address, host.sdk_port))
        except OSError:
            continue
        return


def test_while_hostd_is_away_the_port_says_503(esx: HostHandle) -> None:
    shown = content(esx)
    esx.fault("hostd-down", polls=2)
    assert ask(esx, "GET", "/sdk/vimServiceVersions.xml")[0] == 503
    with pytest.raises(http.client.HTTPException, match="503"):
        assert system(shown).name
    assert system(shown).name == "esx"


def test_a_fresh_boot_takes_its_time() -> None:
    with Farm.start([HostModel(name="slow", sdk=True, hostd_delay=60.0)], Storage()) as farm:
        host = farm.host("slow")
        assert ask(host, "GET", "/sdk/vimServiceVersions.xml")[0] == 503
        farm.advance(61)
        assert ask(host, "GET", "/sdk/vimServiceVersions.xml")[0] == 200


def test_ssh_may_be_off_while_the_sdk_answers() -> None:
    model = HostModel(name="dark", sdk=True, ssh_policy=False, ssh_running=False)
    with Farm.start([model], Storage()) as farm:
        host = farm.host("dark")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, host.port), timeout=10)
        services = system(content(host), "serviceSystem")
        services.StartService(id="TSM-SSH")
        services.UpdateServicePolicy(id="TSM-SSH", policy="on")
        assert host.ssh == (True, True)
        _over_ssh(host)


def test_a_host_without_the_sdk_opens_no_port(farm: Farm) -> None:
    with Farm.start([HostModel(name="plain")], Storage()) as other:
        with pytest.raises(Exception, match="sdk=True"):
            assert other.host("plain").sdk_port


# -- faults of the link ------------------------------------------------------------------------------------------------


def test_a_link_that_is_cut_before_a_change_leaves_all_as_it_was(esx: HostHandle) -> None:
    shown, before = content(esx), esx.digest()
    esx.fault("cut-before")
    with pytest.raises((OSError, http.client.HTTPException)):
        system(shown, "serviceSystem").StopService(id="TSM-SSH")
    assert esx.digest() == before


def test_a_link_that_is_cut_after_a_change_has_had_its_effect(esx: HostHandle) -> None:
    shown = content(esx)
    esx.fault("cut-after")
    with pytest.raises((OSError, http.client.HTTPException)):
        system(shown, "serviceSystem").StopService(id="TSM-SSH")
    assert esx.ssh == (False, True)
    assert esx.executed[-1].argv == ("sdk", "StopService", "id=TSM-SSH")
    assert esx.executed[-1].changing


def test_everything_that_is_open_is_cut(esx: HostHandle) -> None:
    connection = http.client.HTTPSConnection(esx.address, esx.sdk_port, context=context(esx), timeout=10)
    connection.request("GET", "/sdk/vimServiceVersions.xml")
    connection.getresponse().read()
    esx.fault("cut-now")
    connection.auto_open = False
    assert connection.sock.recv(1) == b""
    connection.close()


def test_the_port_can_be_closed_and_opened(esx: HostHandle) -> None:
    esx.fault("sdk-refuse")
    with pytest.raises(OSError, match="refused"):
        ask(esx, "GET", "/")
    esx.clear_faults()
    _up(esx)
    assert ask(esx, "GET", "/")[0] == 404


def test_a_stranger_may_stand_between(esx: HostHandle) -> None:
    esx.fault("sdk-certificate")
    _up(esx)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(esx, "GET", "/")
    esx.clear_faults()
    _up(esx)
    assert ask(esx, "GET", "/")[0] == 404
