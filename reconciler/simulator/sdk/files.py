"""Files beside the API: root's keys, and what lies on datastores (`/folder/PATH?dcPath=…&dsName=…`)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from reconciler.simulator.sdk.server import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

KEYS = "/host/ssh_root_authorized_keys"
HOST_KEY = "/host/ssh_host_rsa_key_pub"
FOLDER = "/folder/"
DATACENTER = "ha-datacenter"
Changing = Callable[[list[str], Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def keys(host: Host, request: HttpRequest, changing: Changing) -> HttpResponse:
    """GET shows the file, PUT replaces its text: the file keeps its inode and mode, as a shell's `>` leaves them.

    Inferred: what of the file PUT keeps, and that a file which is not there is answered with 404.
    """
    path = host.release.keys_path
    if request.method in ("GET", "HEAD"):
        node = host.files.find(path)
        return HttpResponse(404) if node is None or node.kind != "f" else HttpResponse(200, node.data)
    if request.method != "PUT":
        return HttpResponse(405)

    async def write() -> None:
        host.files.makedirs(path.rsplit("/", 1)[0])
        host.files.write(path, request.body, mode=0o600)

    await changing(["sdk", "PUT", KEYS], write)
    return HttpResponse(200)


async def folder(host: Host, path: str, request: HttpRequest, changing: Changing) -> HttpResponse:
    """GET and HEAD of a file on a datastore, whole or a range of it; PUT writes one anew."""
    words = parse_qs(request.path.partition("?")[2])
    volume = host.volumes.by_name((words.get("dsName") or [""])[0])
    inside = path.removeprefix(FOLDER)
    if (
        volume is None
        or not volume.reached
        or words.get("dcPath") != [DATACENTER]
        or ".." in inside.split("/")
    ):
        return HttpResponse(404)
    if request.method == "PUT":
        return await _put(host, f"/vmfs/volumes/{volume.id}/{inside}", request, changing)
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(405)
    node = host.files.find(f"/vmfs/volumes/{volume.id}/{inside}")
    if node is None:
        return HttpResponse(404)
    if node.kind != "f":
        return HttpResponse(403)
    if request.method == "GET" and "exclusive" in node.locks.values():
        return HttpResponse(500)
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if span is None:
        return HttpResponse(200, node.data)
    first, last = int(span[1]), min(int(span[2] or node.size), node.size - 1)
    if first > last:
        return HttpResponse(416)
    told = {"Content-Range": f"bytes {first}-{last}/{node.size}"}
    return HttpResponse(206, node.read_at(first, last + 1 - first), told)


async def _put(host: Host, path: str, request: HttpRequest, changing: Changing) -> HttpResponse:
    """Refused by the free licence, as the API refuses. Inferred: with which number."""
    if host.model.free_licence:
        return HttpResponse(403)
    if host.files.find(path.rsplit("/", 1)[0]) is None:
        return HttpResponse(404)
    made = host.files.find(path) is None

    async def write() -> None:
        host.files.write(path, request.body)

    await changing(["sdk", "PUT", path], write)
    return HttpResponse(201 if made else 200)
