"""The pages in a real browser: on a phone and a desk, light and dark, by keyboard, for a screen reader."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reconciler import web
from reconciler.render.values import map_texts
from tests.live.web.looking import accessible, contrasts, focus, overflow
from tests.live.web.pictures import packed
from tests.unit.web import boards

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-lcd-text",
]
PHONE, DESK = 360, 1100
PATHS = ("/", "/hosts/vmhost-a-01", "/hosts/vmhost-a-03", "/hosts/vmhost-z-99")
PICTURES = os.environ.get("RECONCILE_PICTURES")
"""The folder to which the pictures of the documentation go; `make screenshots` names it."""

Scheme = Literal["light", "dark"]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def look(browser: Browser) -> Iterator[Open]:
    """Opens a page of a board. At the end nothing may have been complained of, or fetched from elsewhere."""
    contexts, servers, complaints, fetched = [], [], list[str](), list[str]()

    def start(
        path: str = "/",
        board: boards.Shown | None = None,
        width: int = DESK,
        scheme: Scheme = "light",
        height: int = 800,
    ) -> Page:
        servers.append(web.serve("127.0.0.1:0", board or boards.Shown(), boards.metrics))
        place = f"http://127.0.0.1:{servers[-1].address[1]}"
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, base_url=place
            )
        )
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: fetched.append(request.url.removeprefix(place)))
        page.goto(path)
        return page

    yield start
    for context in contexts:
        context.close()
    for server in servers:
        server.close()
    assert [it for it in complaints if "404" not in it] == []
    assert [url for url in fetched if not url.startswith("/")] == []


def long_words() -> boards.Shown:
    """Each text one word, longer than any window is wide."""
    shown = map_texts(boards.TROUBLED, lambda text: "x" * 250 if len(text) > 4 else text)
    return boards.Shown(shown, [map_texts(it, lambda _: "y" * 250) for it in boards.HISTORY])


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_no_page_is_wider_than_its_window(look: Open, width: int) -> None:
    page = look(board=boards.Shown(boards.TROUBLED), width=width)
    for path in PATHS:
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert overflow(page) == 0
    page = look(board=long_words(), width=width)
    assert overflow(page) == 0
    page.goto("/hosts/" + "x" * 250)
    assert overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_text_can_be_read(look: Open, scheme: Scheme) -> None:
    page = look(board=boards.Shown(boards.TROUBLED), scheme=scheme)
    backs = set()
    for path in PATHS:
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        found = contrasts(page)
        assert len(found) > 10
        assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []
        backs.add(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert backs == {"rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 22, 27)"}


def test_all_is_reached_by_keyboard_in_order_and_the_focus_is_seen(look: Open) -> None:
    page = look(height=1400)
    reached: list[str] = []
    while not reached or reached[-1] != "metrics":
        page.keyboard.press("Tab")
        it = focus(page)
        assert it["seen"], it
        assert it["outlined"], it
        reached.append(it["name"])
    assert reached[:3] == ["Skip to the content", "reconciler", "all 10"]
    hosts = [name for name in reached if name.startswith("vmhost")]
    assert hosts[:3] == ["vmhost-a-03", "vmhost-b-02", "vmhost-a-01"]
    assert len(hosts) == 10
    assert reached.index("q") < reached.index("Search") < reached.index("vmhost-a-03")


def test_the_first_tab_leads_past_what_each_page_begins_with(look: Open) -> None:
    page = look()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert focus(page)["name"] == "main"
    page.keyboard.press("Tab")
    assert focus(page)["name"] == "all 10"


def test_hosts_are_found_and_opened_by_keyboard(look: Open) -> None:
    page = look("/?status=drifted")
    page.locator("#q").fill("A-01")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=A-01&status=drifted")
    links = page.locator("tbody a")
    assert links.all_inner_texts() == ["vmhost-a-01"]
    links.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/hosts/vmhost-a-01")
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("esxcli storage nfs add").is_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_screen_reader_is_told_all(look: Open, width: int) -> None:
    told = accessible(look(board=boards.Shown(boards.TROUBLED), width=width))
    for wanted in (
        ("banner", ""),
        ("main", ""),
        ("contentinfo", ""),
        ("search", ""),
        ("heading", "Hosts"),
        ("region", "The guard has tripped"),
        ("region", "2 mistakes in the newest specs"),
        ("navigation", "Hosts by status"),
        ("searchbox", "Name contains"),
        ("button", "Search"),
        ("table", "10 hosts, those with trouble first"),
        ("columnheader", "Status"),
        ("rowheader", "vmhost-a-03"),
        ("link", "vmhost-a-03"),
        ("link", "failed 1"),
    ):
        assert wanted in told, wanted
    page = look("/hosts/vmhost-a-01", width=width)
    told = accessible(page)
    for wanted in (
        ("heading", "vmhost-a-01 drifted"),
        ("region", "Plan"),
        ("heading", "create datastore/repository done"),
        ("table", "datastore/repository: old and new values"),
        ("rowheader", "nfs.server"),
        ("region", "History"),
        ("table", "The newest 3 entries, newest first"),
    ):
        assert wanted in told, wanted


@pytest.mark.parametrize(
    ("name", "path", "width", "height", "scheme"),
    [
        ("hosts", "/", 1100, 800, "light"),
        ("hosts-on-a-phone", "/", 390, 844, "dark"),
        ("host", "/hosts/vmhost-a-01", 1000, 900, "light"),
        ("trouble", "/?status=failed", 1000, 680, "dark"),
    ],
)
def test_pictures_can_be_taken(
    look: Open, tmp_path: Path, name: str, path: str, width: int, height: int, scheme: Scheme
) -> None:
    board = boards.Shown(replace(boards.TROUBLED, dry_run=False) if name == "trouble" else boards.CALM)
    page = look(path, board, width, scheme, height)
    picture = page.screenshot()
    assert picture.startswith(b"\x89PNG")
    if PICTURES is not None:
        small = packed(picture)
        assert len(small) < 60_000
        Path(PICTURES, f"{name}.png").write_bytes(small)
