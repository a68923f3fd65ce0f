"""pyVmomi without anything of ours between, to try govmomi's simulator itself."""

from __future__ import annotations

import base64
import http.client
import ssl
from typing import Any

from pyVmomi import SoapAdapter, vim, vmodl

from tests.live.sdk.govmomi import Govmomi

Vim: Any = vim
Vmodl: Any = vmodl
adapter: Any = SoapAdapter
opened: list[Any] = []
"""The stubs of the test that runs."""


def context(host: Govmomi) -> ssl.SSLContext:
    """Trusts that host's certificate and no other."""
    return ssl.create_default_context(cadata=host.certificate)


def stub(host: Govmomi, version: str = "vim.version.v8_0_1_0") -> Any:
    """A stub without a login."""
    made: Any = adapter.SoapStubAdapter("127.0.0.1", host.port, version=version, sslContext=context(host))
    opened.append(made)
    return made


def hang_up() -> None:
    """Close what the stubs have open."""
    while opened:
        opened.pop().DropConnections()


def content(host: Govmomi, version: str = "vim.version.v8_0_1_0") -> Any:
    """The service content, logged in."""
    shown = Vim.ServiceInstance("ServiceInstance", stub(host, version)).RetrieveContent()
    shown.sessionManager.Login(host.user, host.password)
    return shown


def only_host(shown: Any) -> Any:
    """ESXi's one host."""
    return Vim.HostSystem("ha-host", shown.sessionManager._stub)


def read(shown: Any, of: Any, *paths: str) -> list[Any]:
    """Properties of an object, in the order of their paths."""
    specs = Vmodl.query.PropertyCollector
    wanted = specs.FilterSpec(
        propSet=[specs.PropertySpec(type=type(of), pathSet=list(paths))], objectSet=[specs.ObjectSpec(obj=of)]
    )
    answer = shown.propertyCollector.RetrievePropertiesEx([wanted], specs.RetrieveOptions())
    found = {it.name: it.val for it in answer.objects[0].propSet}
    return [found[path] for path in paths]


def done(task: Any) -> Any:
    """A task's result; raises its error."""
    info = task.info
    if info.state == "error":
        raise info.error
    assert info.state == "success"
    return info.result


def ask(
    host: Govmomi, method: str, path: str, body: bytes | None = None, login: str = ""
) -> tuple[int, bytes]:
    """A request beside SOAP; `login` is USER:PASSWORD."""
    connection = http.client.HTTPSConnection("127.0.0.1", host.port, context=context(host))
    words = base64.b64encode((login or f"{host.user}:{host.password}").encode()).decode()
    try:
        connection.request(method, path, body, {"Authorization": f"Basic {words}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
