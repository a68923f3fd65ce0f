"""VCL's paths in every spelling, as the one that specs are written with."""

from __future__ import annotations

import re

from reconciler.kinds.paths import VOLUMES, DatastorePath, parse_datastore_path

_VOLUME_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}(?:-[0-9a-f]{4}-[0-9a-f]{12})?")


def tidy(text: str) -> str:
    """Without blanks and quotes around it, without slashes in a row, and with the first one of /vmfs/volumes."""
    text = re.sub("/+", "/", text.strip().strip("\"'").strip().replace("\\ ", " "))
    return f"/{text}" if text.startswith(VOLUMES[1:]) else text


def canonical(text: str) -> DatastorePath:
    """A tidy path on a datastore. Raises ValueError with what is wrong."""
    bracketed = re.fullmatch(r"\[([^]]*)\]\s*/?(.*)", text, re.DOTALL)
    return parse_datastore_path(f"[{bracketed[1]}] {bracketed[2]}" if bracketed else text)


def written(path: DatastorePath) -> str:
    """As vSphere spells it; as the host's shell does where brackets would be misread."""
    return path.absolute if "]" in path.datastore else path.spelled


def is_volume_id(name: str) -> bool:
    """Whether it is the id of a volume and not the name of a datastore."""
    return _VOLUME_ID.fullmatch(name) is not None


def is_elsewhere(text: str) -> bool:
    """Whether a tidy path is on no datastore."""
    return text.startswith("/") and not text.startswith(VOLUMES)
