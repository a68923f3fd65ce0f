"""Setting image folders aside, deleting what was set aside, and putting whole ones into their place.

Nothing is deleted under an image's own name: a folder is renamed first, which fails while one of its files is open.
"""

from __future__ import annotations

import re

from reconciler.image_verbs import DeleteFolder, PutInPlace, SetAside
from reconciler.transports.shell import quote

_DELETABLE = re.compile(r"_delete_[^/]+|[^/]+~|[^/]+_2gbsparse|\.reconciler-[0-9a-f]{12}")


def set_aside_commands(verb: SetAside) -> tuple[str, ...]:
    folder, aside = quote(verb.room.folder), quote(verb.aside)
    taken = f"[ ! -e {aside} ] || {{ echo 'something is set aside under that name already'; exit 1; }}"
    return (f"{_no_machine(folder)}; {taken}; mv {folder} {aside}",)


def delete_commands(verb: DeleteFolder) -> tuple[str, ...]:
    """Raises ValueError for a folder that is no leftover: nothing else is ever deleted."""
    name = verb.room.folder.rpartition("/")[2]
    if _DELETABLE.fullmatch(name) is None:
        raise ValueError(f"{verb.room.folder} is no leftover, and nothing else is deleted")
    folder = quote(verb.room.folder)
    stays = f"[ ! -e {folder} ] || {{ echo 'a part of it stays'; exit 1; }}"
    return (f"{_no_machine(folder)}; rm -rf {folder}; {stays}",)


def put_in_place_commands(verb: PutInPlace) -> tuple[str, ...]:
    folder = quote(verb.room.folder)
    taken = f"[ ! -e {folder} ] || {{ echo 'something stands there now'; exit 1; }}"
    return (f"{taken}; mv {quote(verb.source)} {folder}",)


def _no_machine(folder: str) -> str:
    """Fails when a virtual machine lives in a folder, or somebody has a file of it locked."""
    names = "-name '*.vmx' -o -name '*.vmtx' -o -name '.lck-*'"
    found = f"m=$(find {folder}/ {names}) || {{ echo 'it can not be searched'; exit 1; }}"
    return f'{found}; [ -z "$m" ] || {{ echo "in use: $m"; exit 1; }}'
