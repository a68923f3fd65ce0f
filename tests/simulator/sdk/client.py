"""pyVmomi without anything of ours between, and plain HTTPS, for one simulated host."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import time
from typing import Any

from pyVmomi import SoapAdapter, VmomiSupport, vim, vmodl

from reconciler.simulator import RELEASES, HostHandle

Vim: Any = vim
Vmodl: Any = vmodl
adapter: Any = SoapAdapter
support: Any = VmomiSupport
opened: list[Any] = []
"""The stubs of the test that runs."""


def context(host: HostHandle, *, legacy: bool | None = None) -> ssl.SSLContext:
    """Trusts that host's certificate and no other. `legacy`: TLS 1.0 too (None: by the host's version)."""
    made = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(host.certificate))
    if RELEASES[host.version].version < (6,) if legacy is None else legacy:
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
    return made


def newest(host: HostHandle) -> str:
    """pyVmomi's name of the newest version of the API that both speak."""
    _, body = ask(host, "GET", "/sdk/vimServiceVersions.xml")
    offered = re.findall(rb"<version>(.*?)</version>", body)
    names = {number: name for name, number in support.versionIdMap.items() if name.startswith("vim.version.")}
    return str(next(names[number] for number in map(bytes.decode, offered) if number in names))


def stub(host: HostHandle) -> Any:
    """A stub without a login."""
    made: Any = adapter.SoapStubAdapter(
        host.address, host.sdk_port, version=newest(host), sslContext=context(host), poolSize=1
    )
    opened.append(made)
    return made


def hang_up() -> None:
    """Close what the stubs have open."""
    while opened:
        opened.pop().DropConnections()


def content(host: HostHandle, password: str = "VMware1!") -> Any:
    """The service content, logged in."""
    shown = Vim.ServiceInstance("ServiceInstance", stub(host)).RetrieveContent()
    shown.sessionManager.Login("root", password)
    return shown


def system(shown: Any, name: str = "") -> Any:
    """The host, or a manager of it."""
    host = Vim.HostSystem("ha-host", shown.sessionManager._stub)
    return getattr(host.configManager, name) if name else host


def retrieve(shown: Any, of: Any, *paths: str, most: int | None = None, **more: Any) -> Any:
    """One RetrievePropertiesEx about one object."""
    specs = Vmodl.query.PropertyCollector
    wanted = specs.FilterSpec(
        propSet=[specs.PropertySpec(type=type(of), pathSet=list(paths))],
        objectSet=[specs.ObjectSpec(obj=of)],
        **more,
    )
    return shown.propertyCollector.RetrievePropertiesEx([wanted], specs.RetrieveOptions(maxObjects=most))


def read(shown: Any, of: Any, *paths: str) -> list[Any]:
    """Properties of an object, in the order of their paths; None for what is not set."""
    found = {it.name: it.val for it in retrieve(shown, of, *paths).objects[0].propSet}
    return [found.get(path) for path in paths]


def done(task: Any, seconds: float = 10.0) -> Any:
    """A task's result; raises its error."""
    until = time.monotonic() + seconds
    while (info := task.info).state == "running":
        assert time.monotonic() < until
    if info.state == "error":
        raise info.error
    return info.result


def ask(
    host: HostHandle,
    method: str,
    path: str,
    body: bytes | None = None,
    login: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """A request beside the API; `login` is USER:PASSWORD ("": none)."""
    words = base64.b64encode((login or "root:VMware1!").encode()).decode()
    told = {**({} if login == "" else {"Authorization": f"Basic {words}"}), **(headers or {})}
    connection = http.client.HTTPSConnection(host.address, host.sdk_port, timeout=10, context=context(host))
    try:
        connection.request(method, path, body, told)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def group(name: str, switch: str = "vSwitch0", vlan: int = 0) -> Any:
    return Vim.host.PortGroup.Specification(
        name=name, vswitchName=switch, vlanId=vlan, policy=Vim.host.NetworkPolicy()
    )


def nas(name: str, server: str = "filer", path: str = "/a", **more: Any) -> Any:
    return Vim.host.NasVolume.Specification(
        localPath=name, remoteHost=server, remotePath=path, **{"accessMode": "readWrite"} | more
    )
