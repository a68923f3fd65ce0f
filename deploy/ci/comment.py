"""Posts a plan as the comment of a pull request (GitHub) or merge request (GitLab): one comment, which each run renews.

    python comment.py plan.md

Where to is told by the variables that the jobs of both have, the right to it by GITHUB_TOKEN or GITLAB_TOKEN.
Needs nothing but the standard library. Exit status: 0 posted, 1 not, and why on standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "<!-- plan of reconciler -->"
"""Begins our comment, and is how the next run finds it."""
CUT = "\n\n**The plan is longer than a comment can be: the rest stands in the log of this job.**\n"
PAGE = 100
PATIENCE = 30.0
"""Seconds for an answer."""
FENCE = re.compile(r"`{3,}")


class Trouble(Exception):
    """Why it can't be posted, in a sentence."""


@dataclass(frozen=True)
class Place:
    """Where comments of one pull or merge request are: `comments` lists and takes them, `one` (ending in a slash) is
    what an id is appended to. `limit` is in characters."""

    comments: str
    one: str
    headers: Mapping[str, str]
    renew: str
    limit: int
    me: str | None


def main(arguments: list[str]) -> int:
    try:
        if len(arguments) != 1:
            raise Trouble("usage: comment.py FILE")
        place = gitlab(os.environ) if "GITLAB_CI" in os.environ else github(os.environ)
        post(place, Path(arguments[0]).read_text(encoding="utf-8"))
    except (Trouble, OSError, ValueError) as error:
        print(f"the plan could not be posted: {error}", file=sys.stderr)
        return 1
    return 0


def github(environ: Mapping[str, str]) -> Place:
    number = re.fullmatch(r"refs/pull/(\d+)/merge", needed(environ, "GITHUB_REF"))
    if number is None:
        raise Trouble(f"{environ['GITHUB_REF']} is no pull request")
    base = f"{needed(environ, 'GITHUB_API_URL')}/repos/{needed(environ, 'GITHUB_REPOSITORY')}/issues"
    headers = {
        "Authorization": f"Bearer {needed(environ, 'GITHUB_TOKEN')}",
        "Accept": "application/vnd.github+json",
    }
    return Place(f"{base}/{number[1]}/comments", f"{base}/comments/", headers, "PATCH", 65_536, None)


def gitlab(environ: Mapping[str, str]) -> Place:
    api = needed(environ, "CI_API_V4_URL")
    project, number = needed(environ, "CI_PROJECT_ID"), needed(environ, "CI_MERGE_REQUEST_IID")
    notes = f"{api}/projects/{project}/merge_requests/{number}/notes"
    headers = {"PRIVATE-TOKEN": needed(environ, "GITLAB_TOKEN")}
    me = asked(headers, "GET", f"{api}/user")["username"]
    return Place(notes, f"{notes}/", headers, "PUT", 1_000_000, me)


def needed(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise Trouble(f"the variable {name} is not set")
    return environ[name]


def post(place: Place, plan: str) -> None:
    """Renew our comment, or write the first one."""
    body = {"body": f"{MARK}\n{shortened(plan, place.limit - len(MARK) - 1)}"}
    mine = next((it["id"] for it in comments(place) if ours(it, place)), None)
    if mine is None:
        asked(place.headers, "POST", place.comments, body)
    else:
        asked(place.headers, place.renew, f"{place.one}{mine}", body)


def comments(place: Place) -> Iterator[dict[str, Any]]:
    page = 1
    while found := asked(place.headers, "GET", f"{place.comments}?per_page={PAGE}&page={page}"):
        yield from found
        page += 1


def ours(comment: Mapping[str, Any], place: Place) -> bool:
    """Not one in which a person has copied the mark."""
    if not str(comment["body"]).startswith(MARK):
        return False
    if place.me is None:
        return bool(comment["user"]["type"] == "Bot")
    return bool(comment["author"]["username"] == place.me)


def shortened(plan: str, limit: int) -> str:
    """As many whole hosts (or lines of the table) as fit, and a note that there are more."""
    if len(plan) <= limit:
        return plan
    fitting = [end for end in ends(plan) if end + len(CUT) <= limit]
    return plan[: max(fitting, default=0)].rstrip("\n") + CUT


def ends(plan: str) -> Iterator[int]:
    """Where it can be cut, in characters: after lines that leave no host and no code block open."""
    at, fence, folded = 0, None, False
    for line in plan.splitlines(keepends=True):
        at += len(line)
        if fence is not None:
            fence = None if line.rstrip() == fence else fence
        elif mark := FENCE.match(line):
            fence = mark[0]
        else:
            folded = (folded or line.startswith("<details>")) and line.rstrip() != "</details>"
        if fence is None and not folded:
            yield at


def asked(headers: Mapping[str, str], method: str, url: str, body: object = None) -> Any:
    """The answer's JSON. Raises Trouble; what it says holds no token."""
    data = None if body is None else json.dumps(body).encode()
    more = {"Content-Type": "application/json", "User-Agent": "reconciler-comment"}
    request = urllib.request.Request(url, data, {**headers, **more}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read(500).decode(errors="replace")
        raise Trouble(f"{method} {url} was answered with {error.code} {error.reason}: {said}") from None
    except OSError as error:
        raise Trouble(f"{method} {url} was not answered: {error}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
