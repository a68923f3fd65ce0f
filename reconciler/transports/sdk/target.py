"""What an SDK session needs to know about who is to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from reconciler.records import record

ApiType = Literal["HostAgent", "VirtualCenter"]


@record
class SdkTarget:
    """A host or a vCenter as the spec describes it. Files are absolute paths.

    `host` is the name in the specs, for messages. `password` is called when a session needs it first;
    `password_source` is the reference that messages show in its place. `thumbprint` is as the spec spells it; of it,
    `ca_file` and `insecure` one at most is given. `field` is where all this stands in the spec; `api` is what has to
    answer: ESXi's own agent, or a vCenter.
    """

    host: str
    address: str
    password: Callable[[], str]
    password_source: str
    port: int = 443
    user: str = "root"
    thumbprint: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    legacy_algorithms: bool = False
    field: str = "access.sdk"
    api: ApiType = "HostAgent"

    @property
    def endpoint(self) -> str:
        """`ADDRESS:PORT`, an IPv6 address in brackets."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def place(self) -> str:
        """Who it is as messages name it: the host's name and where the SDK was looked for."""
        return f"{self.host} ({self.endpoint})"
