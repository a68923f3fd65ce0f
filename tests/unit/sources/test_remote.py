"""Which addresses of repositories are taken, and what of them is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.secrets import mask
from reconciler.sources.remote import WrongAddress, checked_branch, checked_path, parse_remote


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/specs.git",
        "https://git.example.org:8443/specs.git",
        "https://[2001:db8::1]:8443/specs.git",
        "ssh://git@git.example.org:22/specs.git",
        "git://git.example.org/specs.git",
        "file:///srv/specs.git",
        "git@git.example.org:team/specs.git",
        "git.example.org:specs",
        "/srv/specs.git",
    ],
)
def test_is_given_to_git_as_it_stands(address: str) -> None:
    remote = parse_remote(address)
    assert (remote.url, remote.origin, remote.login) == (address, address, None)


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/a")
    assert parse_remote("specs.git").url == f"{tmp_path}/specs.git"
    assert parse_remote("./a:b").url == f"{tmp_path}/a:b"
    assert parse_remote("~/specs").url == "/home/a/specs"


def test_a_password_in_a_url_is_taken_out_and_masked() -> None:
    remote = parse_remote("https://bob:p%40ss-W0rd@git.example.org:8443/specs.git")
    assert remote.url == remote.origin == "https://git.example.org:8443/specs.git"
    assert (remote.login, remote.server) == (("bob", "p@ss-W0rd"), "https://git.example.org:8443")
    assert mask("p%40ss-W0rd or p@ss-W0rd by bob") == "*** or *** by bob"


@pytest.mark.parametrize("password", [":", ":x-oauth-basic", ""])
def test_a_token_in_place_of_a_user_is_a_secret_too(password: str) -> None:
    remote = parse_remote(f"https://ghp_0123456789abcdefghij{password}@git.example.org/specs.git")
    assert remote.origin == "https://git.example.org/specs.git"
    assert mask("ghp_0123456789abcdefghij x-oauth-basic") == "*** x-oauth-basic"


def test_a_token_in_the_query_is_not_shown() -> None:
    remote = parse_remote("https://git.example.org/specs.git?private_token=Zq81LmNo")
    assert remote.origin == "https://git.example.org/specs.git"
    assert "Zq81LmNo" not in mask(remote.url)


def test_a_short_user_without_a_password_is_for_the_credential_helper() -> None:
    remote = parse_remote("https://bob@git.example.org/specs.git")
    assert (remote.url, remote.login) == ("https://bob@git.example.org/specs.git", None)
    assert mask("bob") == "bob"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "no address"),
        ("-u/tmp", "no address"),
        ("https://a/b\nc", "no address"),
        ("ext::sh -c touch% /tmp/x", "ext::"),
        ("::x", "ext::"),
        ("fd::17/x", "ext::"),
        ("http://git.example.org/specs.git", "not encrypted"),
        ("ftp://git.example.org/specs.git", "ftp:// is refused"),
        ("ssh+git://git.example.org/specs.git", "is refused"),
        ("https:///specs.git", "no host"),
        ("ssh://-oProxyCommand=x/specs", "no host"),
        ("-oProxyCommand=x:specs", "no address"),
        ("git@-oProxyCommand=x:specs", "can't begin with '-'"),
        ("https://git.example.org:port/specs.git", "no right URL"),
        ("https://[::1/specs.git", "no right URL"),
        ("ssh://git:Hunter2x@git.example.org/specs.git", "takes no password"),
    ],
)
def test_other_addresses_are_refused(address: str, why: str) -> None:
    with pytest.raises(WrongAddress, match=why) as caught:
        parse_remote(address)
    assert "Hunter2x" not in str(caught.value)


@pytest.mark.parametrize("name", ["main", "team/live", "v1.0", "ÄÖ", "a@b", "a{b"])
def test_branches(name: str) -> None:
    assert checked_branch(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "-x", ".x", "/x", "x/", "x.", "a..b", "a//b", "a/.b", "a.lock", "a.lock/b", "a b", "a~", "a^"),
        *("a:b", "a?", "a*", "a[", "a\\b", "a@{b", "a\nb", "a\x7fb"),
    ],
)
def test_what_is_no_branch_is_refused(name: str) -> None:
    with pytest.raises(WrongAddress):
        checked_branch(name)


def test_paths_in_the_repository() -> None:
    assert [str(checked_path(text)) for text in ("specs", "./a/b/", ".", "")] == ["specs", "a/b", ".", "."]
    for text in ("/etc", "..", "a/../b", "a\nb"):
        with pytest.raises(WrongAddress):
            checked_path(text)
