"""Addresses of git repositories: which are allowed, and what of them may be shown."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler import secrets
from reconciler.records import record

PROTOCOLS = ("https", "ssh", "git", "file")
_HELPER = re.compile(r"[A-Za-z0-9.+-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.+-]*)://")
_BRANCH = re.compile(
    r"(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)))[^-./\s~^:?*\[\\][^\s\x00-\x20\x7f~^:?*\[\\]*(?<![./])"
)
_TOKEN_LENGTH = 20
_NO_PASSWORD = ("", "x-oauth-basic")


class WrongAddress(ValueError):
    """The repository can't be used as it was given; the text says why, and never holds a secret."""


@record
class Remote:
    """`url` is what git is given, without a password; `origin` what people are shown. `login` are user and password of
    an https URL that had them; `server` is the part of the URL for which they are."""

    url: str
    origin: str
    login: tuple[str, str] | None = None
    server: str = ""


def parse_remote(text: str) -> Remote:
    """The repository at a URL, at `[USER@]HOST:PATH` (ssh) or at a path. What is secret in it is masked from now on.

    Raises WrongAddress.
    """
    if not text or not text.isprintable() or text.startswith("-"):
        raise WrongAddress("--git is no address of a repository (would be right: a URL, or a path)")
    if _HELPER.match(text):
        raise WrongAddress(
            "--git: helpers like ext:: are refused (would be right: https, ssh, git, file or a path)"
        )
    scheme = _SCHEME.match(text)
    if scheme is not None:
        return _url(text, scheme[1].lower())
    head, colon, _ = text.partition(":")
    if colon and "/" not in head:
        if head.rpartition("@")[2].startswith("-"):
            raise WrongAddress("--git: the name of a host can't begin with '-'")
        return Remote(text, text)
    path = os.path.abspath(os.path.expanduser(text))
    return Remote(path, path)


def _url(text: str, scheme: str) -> Remote:
    if scheme not in PROTOCOLS:
        why = (
            "is not encrypted, so that anyone between could write the specs"
            if scheme == "http"
            else "is refused"
        )
        raise WrongAddress(f"--git: {scheme}:// {why} (would be right: https, ssh, git, file or a path)")
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError as error:
        raise WrongAddress("--git: this is no right URL") from error
    if scheme == "file":
        return Remote(text, text)
    if not host or host.startswith("-"):
        raise WrongAddress("--git: the URL names no host")
    if scheme == "https":
        return _https(parts)
    if parts.password is not None:
        raise WrongAddress(f"--git: {scheme} takes no password from a URL (would be right: a key, for ssh)")
    return Remote(text, text)


def _https(parts: SplitResult) -> Remote:
    """Git passes URLs on in command lines, which everybody on the machine can read: so a password is taken out."""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    host = parts.netloc.rpartition("@")[2]
    for secret in (password, parts.query):
        if secret not in _NO_PASSWORD:
            secrets.conceal(secret)
    if len(user) >= _TOKEN_LENGTH or (user and parts.password is not None and password in _NO_PASSWORD):
        secrets.conceal(user)
    origin = parts._replace(netloc=host, query="", fragment="").geturl()
    if parts.password is None:
        return Remote(parts.geturl(), origin)
    return Remote(parts._replace(netloc=host).geturl(), origin, (user, password), f"https://{host}")


def checked_branch(name: str) -> str:
    """A branch, by the rules of git-check-ref-format(1). Raises WrongAddress."""
    if not _BRANCH.fullmatch(name) or not name.isprintable():
        raise WrongAddress(f"--git-branch: {name!r} is no name of a branch")
    return name


def checked_path(text: str) -> PurePosixPath:
    """A path within the repository. Raises WrongAddress."""
    path = PurePosixPath(text)
    if not text.isprintable() or path.is_absolute() or ".." in path.parts:
        raise WrongAddress(
            f"--git-path: {text!r} is no path within the repository (would be right: specs, or .)"
        )
    return path
