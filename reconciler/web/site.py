"""Which path shows what. Anything may be asked; nothing that is asked raises."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import resources

from reconciler.board import Board
from reconciler.faults import Bug
from reconciler.web import Metrics, documents, queries
from reconciler.web.answer import CSS, METHODS, SVG, Answer, Request, document, page, text
from reconciler.web.pages import Pages

HISTORY_ON_PAGE = 50
_HOST_HEADER = re.compile(r"[A-Za-z0-9._~:\[\]%-]*")
_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]{0,252})"
_LOG = logging.getLogger("pages")

Route = Callable[["Site", Request, tuple[str, ...]], Answer]


class Site:
    """The paths of the port."""

    def __init__(self, board: Board, metrics: Metrics) -> None:
        self._board, self._metrics = board, metrics
        self._pages = Pages()
        files = resources.files("reconciler.web")
        self._style = Answer(HTTPStatus.OK, CSS, files.joinpath("style.css").read_bytes())
        self._icon = Answer(HTTPStatus.OK, SVG, files.joinpath("icon.svg").read_bytes())

    def answer(self, request: Request) -> Answer:
        """What is sent back. A bug is one line in the log, and a 500 that tells nothing of the inside."""
        try:
            return self._routed(request)
        except queries.Wrong as wrong:
            return text(HTTPStatus.BAD_REQUEST, f"{wrong}.")
        except Exception as error:  # noqa: BLE001 - whoever asks gets an answer, and the loop goes on
            _LOG.error("%s", Bug.of(f"pages: {request.path}", error).message)
            return text(
                HTTPStatus.INTERNAL_SERVER_ERROR, "This page has a bug; the log of the loop names it."
            )

    def _routed(self, request: Request) -> Answer:
        if request.method not in METHODS:
            said = f"These pages only show: the methods are {' and '.join(METHODS)}."
            return text(HTTPStatus.METHOD_NOT_ALLOWED, said)
        missing = request.host is None and request.version == "HTTP/1.1"
        if missing or not _HOST_HEADER.fullmatch(request.host or ""):
            return text(HTTPStatus.BAD_REQUEST, "The request has no usable Host header.")
        for pattern, route in _ROUTES:
            match = pattern.fullmatch(request.path)
            if match is not None:
                return route(self, request, match.groups())
        return text(HTTPStatus.NOT_FOUND, "There is no such page. All hosts are at /.")

    def _hosts(self, request: Request, _: tuple[str, ...]) -> Answer:
        wanted = queries.hosts_filter(request.query)
        return page(HTTPStatus.OK, self._pages.hosts(self._board.overview(), wanted))

    def _host(self, _: Request, names: tuple[str, ...]) -> Answer:
        overview, state = self._board.overview(), self._board.host(names[0])
        if state is None:
            return page(HTTPStatus.NOT_FOUND, self._pages.unknown(overview, names[0]))
        entries = self._board.history(names[0], HISTORY_ON_PAGE)
        return page(HTTPStatus.OK, self._pages.host(overview, state, entries))

    def _report(self, *_: object) -> Answer:
        return document(HTTPStatus.OK, documents.overview_report(self._board.overview()))

    def _host_document(self, _: Request, names: tuple[str, ...]) -> Answer:
        state = self._board.host(names[0])
        if state is None:
            return text(HTTPStatus.NOT_FOUND, f"No spec names a host {names[0]}.")
        return document(HTTPStatus.OK, documents.host_state(state))

    def _history(self, request: Request, _: tuple[str, ...]) -> Answer:
        wanted = queries.history_extract(request.query, datetime.now(UTC))
        entries = self._board.history(wanted.host, wanted.limit)
        return document(HTTPStatus.OK, documents.history(entries, wanted.since))

    def _metrics_page(self, *_: object) -> Answer:
        kind, body = self._metrics()
        return Answer(HTTPStatus.OK, kind, body)

    def _alive(self, *_: object) -> Answer:
        if self._board.alive():
            return text(HTTPStatus.OK, "alive")
        return text(HTTPStatus.SERVICE_UNAVAILABLE, "The scheduler has not turned for a minute.")

    def _ready(self, *_: object) -> Answer:
        why = self._board.unready()
        return text(HTTPStatus.OK, "ready") if why is None else text(HTTPStatus.SERVICE_UNAVAILABLE, why)

    def _style_sheet(self, *_: object) -> Answer:
        return self._style

    def _icon_image(self, *_: object) -> Answer:
        return self._icon


_ROUTES: tuple[tuple[re.Pattern[str], Route], ...] = tuple(
    (re.compile(path), route)
    for path, route in (
        ("/?", Site._hosts),
        (f"/hosts/{_NAME}", Site._host),
        ("/api/v1/report", Site._report),
        (f"/api/v1/hosts/{_NAME}", Site._host_document),
        ("/api/v1/history", Site._history),
        ("/metrics", Site._metrics_page),
        ("/healthz", Site._alive),
        ("/readyz", Site._ready),
        (r"/style\.css", Site._style_sheet),
        (r"/icon\.svg", Site._icon_image),
    )
)
