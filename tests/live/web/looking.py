"""What a page looks like in a browser, asked of the browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

FOCUS = """() => {
  const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
  return {
    name: it.id || it.textContent.trim(), tag: it.localName,
    seen: box.width > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
}"""
"""What has the focus, and whether one can see that."""

CONTRASTS = """() => {
  const parts = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = (color) => {
    const [red, green, blue] = parts(color).map((it) => it / 255)
      .map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (it) => {
    for (; it; it = it.parentElement) {
      const [, , , alpha = 1] = parts(getComputedStyle(it).backgroundColor);
      if (alpha === 1) return getComputedStyle(it).backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const it = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || !it.checkVisibility()) continue;
    const [one, two] = [light(getComputedStyle(it).color), light(behind(it))].sort((a, b) => b - a);
    found.push([text, (one + 0.05) / (two + 0.05)]);
  }
  return found;
}"""
"""Each text with the contrast to what is behind it, as WCAG counts it."""


def focus(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(FOCUS)
    return found


def contrasts(page: Page) -> list[tuple[str, float]]:
    return [(text, ratio) for text, ratio in page.evaluate(CONTRASTS)]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return width


def accessible(page: Page) -> list[tuple[str, str]]:
    """Role and name of all that a screen reader is told of, from the browser's own tree."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in nodes
        if not node["ignored"] and "role" in node
    ]
