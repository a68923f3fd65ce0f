"""The container's health check asks the loop that listens, and finds nothing wrong where there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.container.healthcheck import address, healthy

WITH_TINI = ["tini", "--", "/opt/reconciler/bin/python", "/opt/reconciler/bin/reconcile"]


@pytest.mark.parametrize(
    ("arguments", "environ", "asked"),
    [
        (["watch", "--listen", "0.0.0.0:8080"], {}, ("127.0.0.1", "8080")),
        (["watch", "--listen=[::]:8080", "--log-format", "json"], {}, ("::1", "8080")),
        (["watch", "--listen", "10.10.0.9:80"], {}, ("10.10.0.9", "80")),
        (["watch", "--listen", "[fd00::9]:80"], {}, ("fd00::9", "80")),
        (["watch"], {"RECONCILE_LISTEN": ":8080"}, ("127.0.0.1", "8080")),
        (["--listen", "a:1", "watch", "--listen", "b:2"], {"RECONCILE_LISTEN": "c:3"}, ("b", "2")),
        (["watch"], {}, None),
        (["watch"], {"RECONCILE_LISTEN": ""}, None),
        (["--dry-run"], {"RECONCILE_LISTEN": "0.0.0.0:8080"}, None),
        (["validate", "-f", "/specs"], {}, None),
    ],
)
def test_what_is_asked(arguments: list[str], environ: dict[str, str], asked: tuple[str, str] | None) -> None:
    assert address([*WITH_TINI, *arguments, ""], environ) == asked


@contextmanager
def serving(status: int, text: str) -> Iterator[tuple[str, str]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield "127.0.0.1", str(server.server_port)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "text"), [(200, "ok"), (503, "no turn for 75 s")])
def test_the_answer_decides_and_is_shown(status: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(status, text) as (host, port):
        assert healthy(host, port) == (status == 200)
    assert capsys.readouterr().out == f"{status} {text}\n"
