"""As much of a host's management agent as a login needs, on a server of tests.live.sdk.tls, for what govmomi's
simulator can't be brought to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.live.sdk.tls import PASSWORD, Server, answer

VERSIONS = (
    b'<?xml version="1.0"?><namespaces version="1.0"><namespace><name>urn:vim25</name>'
    b"<version>6.5</version></namespace></namespaces>"
)
CONTENT = (
    "<returnval>"
    '<rootFolder type="Folder">ha-folder-root</rootFolder>'
    '<propertyCollector type="PropertyCollector">ha-property-collector</propertyCollector>'
    "<about><name>VMware ESXi</name><fullName>VMware ESXi</fullName><vendor>VMware, Inc.</vendor>"
    "<version>6.5.0</version><build>1</build><osType>vmnix-x86</osType>"
    "<productLineId>embeddedEsx</productLineId><apiType>HostAgent</apiType><apiVersion>6.5</apiVersion></about>"
    '<sessionManager type="SessionManager">ha-sessionmgr</sessionManager>'
    "</returnval>"
)
SESSION = (
    "<returnval><key>1</key><userName>root</userName><fullName>root</fullName>"
    "<loginTime>2026-01-01T00:00:00Z</loginTime><lastActiveTime>2026-01-01T00:00:00Z</lastActiveTime>"
    "<locale>en</locale><messageLocale>en</messageLocale></returnval>"
)
NOT_AUTHENTICATED = '<object type="HostSystem">ha-host</object><privilegeId>System.View</privilegeId>'


def envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def response(method: str, inner: str = "") -> bytes:
    """The answer to a call."""
    return answer(envelope(f'<{method}Response xmlns="urn:vim25">{inner}</{method}Response>'))


def fault(name: str, inner: str = "", said: str = "said so") -> bytes:
    """A fault as the answer to a call."""
    detail = f'<{name}Fault xmlns="urn:vim25" xsi:type="{name}">{inner}</{name}Fault>'
    text = (
        f"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{said}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>"
    )
    return answer(envelope(text), "500 Internal Server Error")


@dataclass
class Agent:
    """`says` has what is answered to a method instead, or to a path: bytes, a function of the request, or the
    answers to one call after the other. `calls` is what was called."""

    says: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    goodbye: bool = False
    """Hang up after each answer, without having said so."""

    def talk(self, there: Server, connection: Any) -> None:
        while not there.stop.is_set():
            request = there.request(connection)
            if not request:
                return
            # decided before the answer goes out, after which the test goes on
            last = self.goodbye
            connection.sendall(self._answer(request))
            if last:
                return

    def _answer(self, request: bytes) -> bytes:
        path = request.split(b" ", 2)[1].decode()
        found = re.search(rb"<(?:\w+:)?Body[^>]*>\s*<(\w+)", request)
        name = found[1].decode() if found else path
        self.calls.append(name)
        said = self.says.get(name)
        if isinstance(said, list):
            said = said.pop(0) if said else None
        if callable(said):
            said = said(request)
        return said if said is not None else self._usual(name, request)

    @staticmethod
    def _usual(name: str, request: bytes) -> bytes:
        if name == "/sdk/vimServiceVersions.xml":
            return answer(VERSIONS)
        if name == "RetrieveServiceContent":
            return response(name, CONTENT)
        if name == "Login":
            right = f">{PASSWORD}<".encode() in request
            return response(name, SESSION) if right else fault("InvalidLogin")
        if name == "Logout":
            return response(name)
        return answer(b"", "404 Not Found")
