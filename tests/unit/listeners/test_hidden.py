"""Which parts of a URL are secrets: by URLs as people write them, and as Apprise shows them."""

from __future__ import annotations

import pytest

from reconciler.listeners.hidden import hidden

URLS = [
    (
        "json://root:pass%40word@127.0.0.1:8080/hooks/Abc123def456?+X-Token=zyx987wvu&verify=no",
        "json://root:****@127.0.0.1:8080/hooks/Abc123def456?method=POST&verify=no&%2BX-Token=zyx987wvu",
        {"pass@word", "Abc123def456", "zyx987wvu"},
    ),
    (
        "slack://T1JJ3T3L2/A1BRTD4JD/tiiajkdnlazkcoxridevi/#general",
        "slack://T...2/A...D/t...i/%23general/?image=yes",
        {"T1JJ3T3L2", "A1BRTD4JD", "tiiajkdnlazkcoxridevi"},
    ),
    (
        "mailtos://operator:hunter22@mail.example.org?smtp=smtp.example.org&from=reconciler@example.org",
        "mailtos://operator:****@mail.example.org/?cto=15&smtp=smtp.example.org&from=reconciler%40example.org",
        {"hunter22"},
    ),
    ("mailto://joe:a:bcd@mail.example.org", "mailto://joe:****@mail.example.org/", {"a:bcd"}),
    (
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "tgram://1...p/12315544/",
        {"123456789", "abcdefg_hijklmnop", "12315544"},
    ),
    ("json://vmhost-a-01:8080", "json://vmhost-a-01:8080/?method=POST", set()),
    ("json://x:abc@vmhost-a-01", "json://x:****@vmhost-a-01/?method=POST", set()),
]


@pytest.mark.parametrize(("url", "shown", "words"), URLS)
def test_secrets_are_hidden_and_names_are_not(url: str, shown: str, words: set[str]) -> None:
    found = {part for part in hidden(url, shown) if "/" not in part and "@mail" not in part}
    assert found - {url.partition("://")[2]} == words


def test_the_url_is_hidden_under_any_scheme_too() -> None:
    url, shown, _ = URLS[0]
    assert "root:pass%40word@127.0.0.1:8080/hooks/Abc123def456" in hidden(url, shown)
