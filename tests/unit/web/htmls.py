"""A page taken apart by the standard library's parser, and what has to hold for each."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "link", "input"}
BLOCKS = {"dt", "dd", "p", "li", "th", "td", "h1", "h2", "h3", "h4", "caption", "section", "header", "main"}
Attributes = dict[str, str | None]


class Page(HTMLParser):
    """`tags` in order with their attributes, `text` all that is shown; raises AssertionError where tags don't nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.pieces: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        self.pieces.append(" " if tag in BLOCKS else "")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The tags with the names of their attributes: what no text may change."""
        return [(tag, tuple(attributes)) for tag, attributes in self.tags]

    def all(self, *names: str) -> list[Attributes]:
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def links(self) -> list[str]:
        return [it["href"] or "" for it in self.all("a")]


def is_sound(page: Page) -> None:
    """No scripts, nothing from elsewhere; headings in order, names that are there, one main, tables with heads."""
    assert {tag for tag, _ in page.tags}.isdisjoint(
        {"script", "style", "iframe", "object", "embed", "base", "svg"}
    )
    for tag, attributes in page.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "srcdoc", "http-equiv")
        ]
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "#").startswith(("./", "../", "#", "hosts/")), (tag, attributes)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [it for _, attributes in page.tags for it in (attributes.get("aria-labelledby") or "").split()]
    assert set(named) <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("title")) == 1
    assert page.all("html") == [{"lang": "en"}]
    assert page.links[0] == "#main"
    assert all(it["scope"] in ("col", "row") for it in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption"))
    labels = {it["for"] for it in page.all("label")}
    assert {it["id"] for it in page.all("input") if it.get("type") != "hidden"} == labels
