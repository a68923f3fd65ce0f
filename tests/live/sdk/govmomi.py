"""A host, or a vCenter, of govmomi's simulator in a process of its own (tests/govmomi)."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = Path(__file__).parents[3] / "build" / "govmomi-sim"
SECONDS = 30.0


class Govmomi:
    """Runs inside a `with`; one process is one host. `certificate` is PEM, `folder` is where its datastores lie.

    A new one takes a tenth of a second; raises FileNotFoundError when the program is not built.
    """

    def __init__(
        self,
        *,
        vpx: bool = False,
        user: str = "root",
        password: str = "secret",
        cert: Path | None = None,
        key: Path | None = None,
        machines: int = 2,
        hosts: int = 3,
        clusters: int = 1,
        pools: int = 0,
    ) -> None:
        self.user, self.password = user, password
        self._options = [f"-user={user}", f"-password={password}", f"-machines={machines}"]
        if vpx:
            self._options += ["-vpx", f"-hosts={hosts}", f"-clusters={clusters}", f"-pools={pools}"]
        if cert is not None and key is not None:
            self._options += [f"-cert={cert}", f"-key={key}"]
        self.port = self._control = 0
        self.fingerprint = self.certificate = ""

    def __enter__(self) -> Govmomi:
        if not PROGRAM.exists():
            raise FileNotFoundError(f"{PROGRAM} is not there: make test builds it")
        self.folder = Path(tempfile.mkdtemp(prefix="govmomi-"))
        self._process = subprocess.Popen(
            [str(PROGRAM), f"-folder={self.folder}", *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._process.communicate()[1]
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RuntimeError(f"govmomi's simulator did not start: {said}")
        shown = json.loads(line)
        self.port, self._control = shown["port"], shown["control"]
        self.fingerprint, self.certificate = shown["fingerprint"], shown["certificate"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, **order: Any) -> dict[str, Any]:
        """Ask for something; answers with the state (calls, logins, sessions, keys, running, policy).

        restricted=True; trouble={"fault": "HostCommunication" | "503" | "hangup", "method": "", "times": 1, "after":
        False}; calm=True; expire=True; forget=True; product={"version", "build"}; service={"running", "policy"};
        keys="…"; hostKey="…"; datastore={"name", "accessible"}; host={"was", "name", "ip", "uuid"}. Raises ValueError.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._control, timeout=SECONDS)
        try:
            connection.request("POST", "/", json.dumps(order))
            state: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in state:
            raise ValueError(state["error"])
        return state

    def trouble(self, fault: str, method: str = "", times: int = 1, *, after: bool = False) -> None:
        """Raise a fault for the next requests; `after` carries them out first and loses only the answer."""
        self.control(trouble={"fault": fault, "method": method, "times": times, "after": after})

    @property
    def calls(self) -> list[str]:
        """The methods that were called, in order; requests beside SOAP as `GET /host/…`."""
        return list(self.control()["calls"])

    @property
    def logins(self) -> list[bool]:
        """Each login, and whether it was let in."""
        return list(self.control()["logins"])

    @property
    def keys(self) -> str:
        """Root's authorized keys."""
        return str(self.control()["keys"])
