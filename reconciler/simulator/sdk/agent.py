"""hostd of a simulated host: who is logged in, which call goes where, and files beside the API."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from reconciler.simulator import accounts
from reconciler.simulator.sdk import (
    calls,
    diskcalls,  # noqa: F401 - it fills the table of methods
    filecalls,  # noqa: F401 - it too
    files,
    netcalls,  # noqa: F401 - it too
    soap,
)
from reconciler.simulator.sdk.calls import METHODS, RESTRICTED, Context
from reconciler.simulator.sdk.collector import Collector
from reconciler.simulator.sdk.objects import about, gone, make, moment, ref
from reconciler.simulator.sdk.server import Cut, HttpRequest, HttpResponse
from reconciler.simulator.sdk.soap import ApiFault, BadRequest, Request
from reconciler.simulator.sdk.versions import newest, service_versions
from reconciler.simulator.sdk.views import MANAGERS, Views

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

COOKIE = "vmware_soap_session"
XML = {"Content-Type": "text/xml; charset=utf-8"}
ANYBODY = (
    ("ServiceInstance", "RetrieveServiceContent"),
    ("SessionManager", "Login"),
)
SINGLE = {
    "ServiceInstance": "ServiceInstance",
    "PropertyCollector": "ha-property-collector",
    "SessionManager": "ha-sessionmgr",
    "FileManager": "ha-nfc-file-manager",
    "VirtualDiskManager": "ha-vdiskmanager",
    **dict(MANAGERS.values()),
}
"""The one object of a kind, by its id."""
PROBE = ("FileManager", "DeleteDatastoreFile_Task")


class SdkLink:
    """The connection of one call: once it is cut, nothing is answered any more."""

    def __init__(self) -> None:
        self.gone = False

    def cut(self) -> None:
        self.gone = True


class Agent:
    """Answers what comes in over HTTPS. `called` has the names of all methods, in order."""

    def __init__(self, host: Host, host_keys: Callable[[], list[str]]) -> None:
        self._host, self._host_keys = host, host_keys
        self.called: list[str] = []
        self.logins: list[tuple[str, bool]] = []
        self._sessions: set[str] = set()
        self._context = Context(host, Views(host))
        self._collector = Collector(self._context.views)
        self._since = host.hostd_from
        self._version = soap.wire(newest(host.release.version))

    def rebooted(self) -> None:
        """Everything that hostd knew only for itself is gone."""
        self._sessions.clear()
        self._context = Context(self._host, Views(self._host))
        self._collector = Collector(self._context.views)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """One request. Raises Cut when it gets no answer."""
        path = unquote(request.path.partition("?")[0])
        if not self._host.hostd_answers():
            return HttpResponse(503)
        self._restarted()
        if path == "/sdk/vimServiceVersions.xml":
            return HttpResponse(200, service_versions(self._host.release.version), XML)
        if path.rstrip("/") == "/sdk" and request.method == "POST":
            return await self._call(request)
        return await self._file(path, request)

    def _restarted(self) -> None:
        """hostd has started since the last call: nothing of before is known to it."""
        if self._since != self._host.hostd_from:
            self._since = self._host.hostd_from
            self.rebooted()

    # -- the API ---------------------------------------------------------------------------------------------

    async def _call(self, http: HttpRequest) -> HttpResponse:
        session, headers = self._session(http), dict(XML)
        try:
            request = soap.parse(http.body)
        except BadRequest as problem:
            fault = ApiFault("InvalidRequest", str(problem))
            return HttpResponse(500, soap.refusal(fault, self._version), XML)
        self.called.append(request.method)
        try:
            if (request.kind, request.method) == ("SessionManager", "Login"):
                value, cookie = self._login(request)
                headers["Set-Cookie"] = f'{COOKIE}="{cookie}"; Path=/; HttpOnly; Secure; '
            else:
                value = await self._answered(request, session)
        except ApiFault as fault:
            return HttpResponse(500, soap.refusal(fault, self._version), XML)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            # an argument that is not whole, as no client of the API would send it
            return HttpResponse(
                500, soap.refusal(ApiFault("InvalidRequest", repr(problem)), self._version), XML
            )
        return HttpResponse(200, soap.answer(request, value, self._version), headers)

    def _session(self, http: HttpRequest) -> str:
        if self._host.faults.falls_due("sdk-expired"):
            self._sessions.clear()
        for part in http.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE and value.strip('"') in self._sessions:
                return value.strip('"')
        return ""

    def _login(self, request: Request) -> tuple[Any, str]:
        words, host = request.arguments, self._host
        right = accounts.admits(host, words["userName"], words["password"])
        self.logins.append((words["userName"], right))
        if not right:
            accounts.failed(host, "sdk")
            raise ApiFault("InvalidLogin", "Cannot complete login due to an incorrect user name or password.")
        accounts.entered(host, "sdk")
        cookie, now = secrets.token_hex(20), moment(host.now())
        self._sessions.add(cookie)
        session = make(
            "UserSession", key=cookie, userName="root", fullName="Administrator", loginTime=now, lastActiveTime=now,
            locale="en", messageLocale="en", extensionSession=False, ipAddress="127.0.0.1", userAgent="", callCount=0,
        )  # fmt: skip
        return session, cookie

    async def _answered(self, request: Request, session: str) -> Any:
        name = (request.kind, request.method)
        if request.moid != SINGLE.get(request.kind, request.moid):
            raise gone(request.kind, request.moid)
        if name == ANYBODY[0]:
            return self._content()
        if not session and name not in ANYBODY:
            denied = {"object": ref(request.kind, request.moid), "privilegeId": "System.View"}
            raise ApiFault("NotAuthenticated", "The session is not authenticated.", **denied)
        if name == ("SessionManager", "Logout"):
            self._sessions.discard(session)
            return None
        if request.method == soap.FETCH.name:
            return self._collector.fetch(request.kind, request.moid, request.arguments["prop"])
        if request.kind == "PropertyCollector":
            return self._properties(request)
        known = METHODS.get(name)
        if known is None or not self._host.release.since(*known.since):
            raise ApiFault("NotSupported", f"{request.method} is not supported on the object.")
        if known.changing and self._host.model.free_licence:
            raise ApiFault("RestrictedVersion", RESTRICTED)
        if not known.changing or (name == PROBE and not request.arguments.get("name")):
            return await known.work(self._context, request.moid, request.arguments)
        words = [f"{key}={value}" for key, value in request.arguments.items() if isinstance(value, str)]
        return await self.changing(
            ["sdk", request.method, *words],
            lambda: known.work(self._context, request.moid, request.arguments),
        )

    async def changing(self, words: list[str], work: Callable[[], Awaitable[Any]]) -> Any:
        """Do something that changes the host, with the faults that fall due at it. Raises Cut, ApiFault."""
        link, outcome = SdkLink(), dict[str, Any]()

        async def run() -> int:
            if link.gone:
                raise Cut
            try:
                outcome["value"] = await work()
            except ApiFault as fault:
                outcome["fault"] = fault
            except OSError as problem:
                outcome["fault"] = calls.broken(problem)
            return 1 if "fault" in outcome else 0

        await self._host.command(words, True, link, run)
        if link.gone:
            raise Cut
        if "fault" in outcome:
            raise outcome["fault"]
        return outcome.get("value")

    def _properties(self, request: Request) -> Any:
        words = request.arguments
        if request.method == "ContinueRetrievePropertiesEx":
            return self._collector.go_on(words["token"])
        if request.method == "RetrievePropertiesEx":
            return self._collector.retrieve(words["specSet"], words["options"].maxObjects)
        if request.method == "RetrieveProperties":
            return self._collector.all(words["specSet"])
        raise ApiFault("NotSupported", f"{request.method} is not simulated")

    def _content(self) -> Any:
        return make(
            "ServiceContent",
            rootFolder=ref("Folder", "ha-folder-root"),
            propertyCollector=_only("PropertyCollector"),
            sessionManager=_only("SessionManager"),
            fileManager=_only("FileManager"),
            virtualDiskManager=_only("VirtualDiskManager"),
            setting=ref(*MANAGERS["advancedOption"]),
            about=about(self._host),
        )

    # -- files -----------------------------------------------------------------------------------------------

    async def _file(self, path: str, request: HttpRequest) -> HttpResponse:
        login = request.password_of()
        if login is None:
            return HttpResponse(401, headers={"WWW-Authenticate": 'Basic realm="VMware HTTP server"'})
        right = accounts.admits(self._host, *login)
        self.logins.append((login[0], right))
        if not right:
            accounts.failed(self._host, "https")
            return HttpResponse(401, headers={"WWW-Authenticate": 'Basic realm="VMware HTTP server"'})
        if path == files.HOST_KEY and request.method == "GET" and self._host.release.since(5, 1):
            lines = [line for line in self._host_keys() if line.startswith("ssh-rsa ")]
            return HttpResponse(200, "".join(f"{line}\n" for line in lines).encode())
        if path == files.KEYS and self._host.release.since(5, 1):
            return await files.keys(self._host, request, self.changing)
        if path.startswith(files.FOLDER):
            return await files.folder(self._host, path, request, self.changing)
        return HttpResponse(404, b"Not found\n")


def _only(kind: str) -> Any:
    return ref(kind, SINGLE[kind])
