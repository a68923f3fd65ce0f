"""Folders and files on datastores: the datastore's browser, and HTTPS below /folder.

The browser tells of a thin disk what it takes, not how long it is, and may leave extents out; what is read of a file
and how long it is comes over HTTPS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from reconciler.facts import Datastore
from reconciler.kinds.paths import DatastorePath
from reconciler.observers.sdk.shown import Beyond, Unclear
from reconciler.records import record
from reconciler.transports.sdk import MethodFault, NoRight, Passing, SdkSession

SECONDS = 600.0
"""The longest that a search may take: of a whole volume, folder by folder."""
GONE = ("vim.fault.FileNotFound", "vim.fault.NotFound")
DATACENTER = "ha-datacenter"
"""The only one that a host has."""
BUSY = (403, 409, 423, 500)
"""How a file is refused that a running machine holds alone. Inferred: the API reference does not say which it is."""


@record
class Entry:
    """Something in a folder; `size` in bytes as the browser says, `modified` in seconds since 1970."""

    folder: bool
    size: int | None
    modified: int | None


class Held(Exception):
    """The host does not hand a file out that is there: somebody holds it, or it may not be read."""


class Browser:
    """One datastore that is accessible. Paths are relative to it. Everything raises MethodFault, faults.Unreachable."""

    def __init__(self, session: SdkSession, datastore: Datastore, searcher: Any) -> None:
        if searcher is None:
            raise Unclear(f"the datastore {datastore.name} shows no browser")
        self._session, self.datastore, self._searcher = session, datastore, searcher

    def folder(self, relative: str) -> Mapping[str, Entry] | None:
        """What lies in a folder; None: there is no such folder."""
        found = self._search("SearchDatastore_Task", relative, ["*"])
        return None if found is None else {it.path: _entry(it) for it in found.file or ()}

    def tree(self, relative: str, patterns: list[str]) -> Mapping[str, Entry] | None:
        """All files at any depth that fit, by their paths below the folder; None: there is no such folder."""
        found = self._search("SearchDatastoreSubFolders_Task", relative, patterns)
        if found is None:
            return None
        files: dict[str, Entry] = {}
        for results in found:
            below = self._below(results.folderPath, relative)
            files.update({f"{below}{it.path}": _entry(it) for it in results.file or ()})
        return files

    def _below(self, folder: str, start: str) -> str:
        """A folder that was searched, relative to where the search began; with a slash behind it."""
        head = f"[{self.datastore.name}]"
        if not folder.startswith(head):
            raise Unclear(f"a search on {self.datastore.name} tells of the folder {folder!r}")
        path = folder.removeprefix(head).strip().strip("/")
        inner = path[len(start) :].strip("/") if path.startswith(start) else path
        return f"{inner}/" if inner else ""

    def _search(self, method: str, relative: str, patterns: list[str]) -> Any:
        flags = self._session.make(
            "FileQueryFlags", fileType=True, fileSize=True, modification=True, fileOwner=False
        )
        spec = self._session.make("HostDatastoreBrowserSearchSpec", details=flags, matchPattern=patterns)
        path = self._spelled(relative)
        try:
            if method == "SearchDatastore_Task":
                task = self._session.call(
                    self._searcher, "SearchDatastore_Task", datastorePath=path, searchSpec=spec
                )
            else:
                task = self._session.call(
                    self._searcher, "SearchDatastoreSubFolders_Task", datastorePath=path, searchSpec=spec
                )
            return self._session.wait(task, SECONDS)
        except MethodFault as fault:
            if fault.name not in GONE:
                raise
            return None

    def _spelled(self, relative: str) -> str:
        """As vSphere writes a path. Raises Beyond for a datastore that it can't name: nothing says how a bracket in a
        name would be written, and another folder might be meant."""
        name = self.datastore.name
        if "[" in name or "]" in name:
            raise Beyond(f"the SDK has no way to write the bracket in the name of the datastore {name!r}")
        return DatastorePath(name, relative).spelled

    def head(self, relative: str, length: int) -> bytes | None:
        """The first bytes of a file; None: there is none. Raises Held."""
        wanted = {"Range": f"bytes=0-{length - 1}"}
        try:
            answer = self._session.https("GET", self._url(relative), headers=wanted, limit=16 * 1024 * 1024)
        except NoRight as fault:
            raise Held(fault.said) from fault
        if answer.status == 404:
            return None
        if answer.status == 416:
            return b""
        if answer.status not in (200, 206):
            raise Held(f"GET was answered with {answer.status} {answer.reason}")
        return answer.body[:length]

    def size(self, relative: str) -> int | None:
        """How long a file is, in bytes; None: that is not told, or there is none."""
        answer = self._session.https("HEAD", self._url(relative))
        told = answer.headers.get("content-length", "")
        return int(told) if answer.status == 200 and told.isdecimal() else None

    def held(self, relative: str) -> bool:
        """Whether somebody holds a file, so that it can't be read. One byte is asked for, and no more is taken."""
        wanted = {"Range": "bytes=0-0"}
        try:
            answer = self._session.https("GET", self._url(relative), headers=wanted, limit=1)
        except NoRight:
            return True
        except Passing:
            raise
        except MethodFault:
            return False
        return answer.status in BUSY

    def _url(self, relative: str) -> str:
        where = urlencode({"dcPath": DATACENTER, "dsName": self.datastore.name}, quote_via=quote)
        return f"/folder/{quote(relative)}?{where}"


def _entry(shown: Any) -> Entry:
    written = getattr(shown, "modification", None)
    return Entry(
        getattr(shown, "_wsdlName", "") == "FolderFileInfo",
        getattr(shown, "fileSize", None),
        None if written is None else int(written.timestamp()),
    )
