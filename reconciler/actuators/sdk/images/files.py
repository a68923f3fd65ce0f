"""Files and folders of one datastore over the SDK: FileManager, the datastore's browser, and HTTPS below /folder.

Making a folder fails when it is there, and renaming one fails when it is gone: on that the lock stands, as over SSH.
There is no call that removes a folder only if it is empty; what may not be is renamed first, and looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from reconciler.actuators.sdk.session import Session, Stumbled
from reconciler.actuators.sdk.volumes import Volume
from reconciler.kinds.paths import DatastorePath
from reconciler.records import record
from reconciler.transports.sdk import HttpAnswer, Want
from reconciler.transports.sdk.answers import MethodFault

SMALL_SECONDS = 120.0
"""The longest that a rename, a search or a deletion may take."""
THERE, GONE = "vim.fault.FileAlreadyExists", ("vim.fault.FileNotFound", "vim.fault.NotFound")
DATACENTER = "ha-datacenter"
"""The only one that a host has."""


@record
class Entry:
    """What the browser tells of a file: bytes, and when it was written, as the host says it."""

    size: int | None
    modified: str


class VolumeFiles:
    """All paths are relative to the datastore. Everything raises MethodFault, Stumbled, faults.Unreachable."""

    def __init__(self, session: Session, volume: Volume) -> None:
        self._session, self._volume = session, volume
        self._browser: Any = None

    def path(self, relative: str) -> str:
        """As vSphere writes it."""
        return DatastorePath(self._volume.name, relative).spelled

    def mkdir(self, relative: str, *, parents: bool = False) -> bool:
        """Whether it was made; False: something is there."""
        manager, name = self._session.content.fileManager, self.path(relative)
        try:
            self._session.call(manager, "MakeDirectory", name=name, createParentDirectories=parents)
        except MethodFault as fault:
            if fault.name != THERE:
                raise
            return False
        return True

    def move(self, source: str, target: str) -> bool:
        """Rename within the datastore, never over something; whether the source was there."""
        manager = self._session.content.fileManager
        return self._done(
            lambda: self._session.call(
                manager,
                "MoveDatastoreFile_Task",
                sourceName=self.path(source),
                destinationName=self.path(target),
                force=False,
            )
        )

    def copy(self, source: str, target: str) -> None:
        """A plain file; `source` is as vSphere writes it."""
        manager = self._session.content.fileManager
        task = self._session.call(
            manager,
            "CopyDatastoreFile_Task",
            sourceName=source,
            destinationName=self.path(target),
            force=False,
        )
        self._session.wait(task, SMALL_SECONDS)

    def delete(self, relative: str) -> bool:
        """With all that is in it; whether it was there."""
        manager = self._session.content.fileManager
        return self._done(
            lambda: self._session.call(manager, "DeleteDatastoreFile_Task", name=self.path(relative))
        )

    def list(self, relative: str) -> Mapping[str, Entry] | None:
        """What lies in a folder; None: there is no such folder."""
        flags = self._session.make(
            "FileQueryFlags", fileType=True, fileSize=True, modification=True, fileOwner=False
        )
        spec = self._session.make("HostDatastoreBrowserSearchSpec", details=flags, matchPattern=["*"])
        try:
            task = self._session.call(
                self._searcher(),
                "SearchDatastore_Task",
                datastorePath=self.path(relative),
                searchSpec=spec,
            )
            found = self._session.wait(task, SMALL_SECONDS)
        except MethodFault as fault:
            if fault.name not in GONE:
                raise
            return None
        return {it.path: Entry(it.fileSize, str(it.modification)) for it in found.file or ()}

    def get(self, relative: str) -> bytes | None:
        """The content of a small file; None: there is none."""
        answer = self._session.https("GET", self._url(relative))
        if answer.status == 404:
            return None
        self._must("GET", relative, answer)
        return answer.body

    def put(self, relative: str, content: bytes) -> None:
        self._must("PUT", relative, self._session.https("PUT", self._url(relative), body=content))

    def is_of_size(self, relative: str, size: int) -> bool:
        """Whether a file has that many bytes. The browser tells of a thin disk what it takes, not how long it is."""
        answer = self._session.https("HEAD", self._url(relative))
        return answer.status == 200 and answer.headers.get("content-length") == str(size)

    def _must(self, method: str, relative: str, answer: HttpAnswer) -> None:
        if not 200 <= answer.status < 300:
            where = self.path(relative)
            raise Stumbled(f"{method} of {where} was answered with {answer.status} {answer.reason}".rstrip())

    def _url(self, relative: str) -> str:
        where = urlencode({"dcPath": DATACENTER, "dsName": self._volume.name}, quote_via=quote)
        return f"/folder/{quote(relative)}?{where}"

    def _done(self, start: Callable[[], Any]) -> bool:
        try:
            self._session.wait(start(), SMALL_SECONDS)
        except MethodFault as fault:
            if fault.name not in GONE:
                raise
            return False
        return True

    def _searcher(self) -> Any:
        if self._browser is None:
            for row in self._session.read([Want("Datastore", ("browser",), of=self._volume.object)]):
                self._browser = row.values.get("browser")
        if self._browser is None:
            raise Stumbled(f"the datastore {self._volume.name} shows no browser")
        return self._browser
