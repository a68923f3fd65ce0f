"""Datastore paths in VCL's three spellings, which mean one place.

`datastore1`, `[datastore1] sub/dir` and `/vmfs/volumes/datastore1/sub/dir`: VCL accepts all of them in its VM host
profiles. Names hold blanks, brackets and parentheses; they are taken letter by letter.
"""

from __future__ import annotations

import re

from reconciler.facts import Datastore, Datastores, Facts, Unseen
from reconciler.records import record

VOLUMES = "/vmfs/volumes/"


@record
class DatastorePath:
    """`datastore` is a name (or a volume's id); `relative` has no slash at either end and may be empty."""

    datastore: str
    relative: str

    @property
    def absolute(self) -> str:
        """As the host's shell knows it."""
        return VOLUMES + self.datastore + ("/" + self.relative if self.relative else "")

    @property
    def spelled(self) -> str:
        """As vSphere writes it: `[datastore1] sub/dir`."""
        return f"[{self.datastore}] {self.relative}".rstrip()


def parse_datastore_path(text: str) -> DatastorePath:
    """Read one of the three spellings.

    Raises ValueError with what is wrong and what would be right.
    """
    if text.startswith(VOLUMES):
        datastore, _, rest = text[len(VOLUMES) :].partition("/")
    elif text.startswith("["):
        datastore, rest = _bracketed(text)
    elif text.startswith(VOLUMES.strip("/") + "/"):
        raise ValueError(f"{text!r} lacks its first slash (would be right: /{text})")
    elif text.startswith("/"):
        raise ValueError(f"{text!r} is not below {VOLUMES} (would be right: {VOLUMES}DATASTORE/sub/dir)")
    else:
        datastore, _, rest = text.partition("/")
    return _checked(text, datastore, rest)


def _bracketed(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"\[(.*?)\](?: +(.*)|)", text, re.DOTALL)
    if match is None:
        raise ValueError(f"{text!r} is no datastore path (would be right: [DATASTORE] sub/dir)")
    return match[1], match[2] or ""


def _checked(text: str, datastore: str, rest: str) -> DatastorePath:
    if not datastore.strip() or datastore in (".", ".."):
        raise ValueError(f"{text!r} names no datastore (would be right: [DATASTORE] sub/dir)")
    parts = [part for part in rest.strip().split("/") if part]
    if any(part in (".", "..") for part in parts):
        raise ValueError(f"{text!r} has a '.' or '..' in it (write the folder itself)")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError(f"{text!r} has control characters in it")
    return DatastorePath(datastore, "/".join(parts))


def datastore_of(path: DatastorePath, facts: Facts) -> Datastore | Unseen | None:
    """The datastore that a path names, by its name or its id; None when the host has none such."""
    seen = facts.see(Datastores())
    if isinstance(seen, Unseen):
        return seen
    by_name = (it for it in seen if it.name == path.datastore)
    by_id = (it for it in seen if it.id == path.datastore)
    return next(by_name, None) or next(by_id, None)
