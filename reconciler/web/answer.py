"""What is asked and answered over HTTP, as values. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from reconciler.records import record
from reconciler.render.json import to_json
from reconciler.render.visible import lines
from reconciler.secrets import mask

PLAIN = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
CSS = "text/css; charset=utf-8"
SVG = "image/svg+xml"
METHODS = ("GET", "HEAD")

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)


@record
class Request:
    """What the pages need of a request. `path` is decoded, `query` is not; `host` is None without such a header."""

    method: str
    path: str
    query: str = ""
    version: str = "HTTP/1.1"
    host: str | None = None


@record
class Answer:
    """A status, and a body of this content type."""

    status: HTTPStatus
    type: str
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All headers but those that the server adds."""
        own = [("Content-Type", self.type), ("Content-Length", str(len(self.body)))]
        if self.status is HTTPStatus.METHOD_NOT_ALLOWED:
            own.append(("Allow", ", ".join(METHODS)))
        return [*own, *_HEADERS]

    @property
    def status_line(self) -> str:
        """`404 Not Found`."""
        return f"{self.status.value} {self.status.phrase}"


def text(status: HTTPStatus, said: str) -> Answer:
    """A plain text, without secrets."""
    return Answer(status, PLAIN, ("\n".join(lines(mask(said))) + "\n").encode())


def page(status: HTTPStatus, html: str) -> Answer:
    """A page that was rendered."""
    return Answer(status, HTML, html.encode())


def document(status: HTTPStatus, value: Any) -> Answer:
    """A document of maps, lists and scalars, that holds no secrets any more."""
    return Answer(status, JSON, (to_json(value) + "\n").encode())
