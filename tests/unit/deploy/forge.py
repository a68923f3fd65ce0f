"""A stand-in for the comments of GitHub and GitLab, over real HTTP, with what of their rules the script has to keep."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-that-nobody-may-see"


@dataclass
class Forge:
    """One pull or merge request. `asked` are the changing requests that it took, as (method, path)."""

    kind: str
    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def listing(self) -> str:
        return (
            "/repos/o/r/issues/7/comments" if self.kind == "github" else "/projects/3/merge_requests/7/notes"
        )

    @property
    def single(self) -> str:
        return "/repos/o/r/issues/comments/" if self.kind == "github" else f"{self.listing}/"

    @property
    def limit(self) -> int:
        return 65_536 if self.kind == "github" else 1_000_000

    def variables(self) -> dict[str, str]:
        """What a job finds in its environment."""
        if self.kind == "github":
            return {
                "GITHUB_API_URL": self.url,
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_REF": "refs/pull/7/merge",
                "GITHUB_TOKEN": TOKEN,
            }
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        }

    def said(self, body: str, *, by_us: bool = False) -> None:
        """Somebody writes a comment."""
        author = {
            "user": {"type": "Bot" if by_us else "User"},
            "author": {"username": "us" if by_us else "them"},
        }
        self.comments.append({"id": 100 + len(self.comments), "body": body, **author})


@contextmanager
def serving(kind: str) -> Iterator[Forge]:
    forge = Forge(kind)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            status, answer = _answer(forge, self.command, self.path, self._body(), dict(self.headers))
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def do_GET(self) -> None:
            self._take()

        def do_POST(self) -> None:
            self._take()

        def do_PATCH(self) -> None:
            self._take()

        def do_PUT(self) -> None:
            self._take()

        def _body(self) -> dict[str, Any] | None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return json.loads(data) if data else None

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        forge.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()


def _answer(
    forge: Forge, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> tuple[int, Any]:
    where, query = urlsplit(path).path, parse_qs(urlsplit(path).query)
    token = headers.get("Authorization") if forge.kind == "github" else headers.get("Private-Token")
    if token not in (TOKEN, f"Bearer {TOKEN}"):
        return 401, {"message": "Bad credentials"}
    if (method, where, forge.kind) == ("GET", "/user", "gitlab"):
        return 200, {"username": "us"}
    if (method, where) == ("GET", forge.listing):
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return 200, forge.comments[size * (page - 1) : size * page]
    if body is None or len(body["body"]) > forge.limit:
        return 422, {"message": "body is too long"}
    forge.asked.append((method, where))
    if (method, where) == ("POST", forge.listing):
        forge.said(body["body"], by_us=True)
        return 201, forge.comments[-1]
    number = where.removeprefix(forge.single)
    if method == ("PATCH" if forge.kind == "github" else "PUT") and where != number:
        (comment,) = [it for it in forge.comments if str(it["id"]) == number]
        comment["body"] = body["body"]
        return 200, comment
    return 404, {"message": "Not Found"}
