"""A row of vmprofile as the document of a Profile."""

from __future__ import annotations

from reconciler.desired.model import API_VERSION
from reconciler.importing.keys import NO_KEYS, Keys
from reconciler.importing.notes import Draft, Sort
from reconciler.importing.vcl.logins import login
from reconciler.importing.vcl.rows import ProfileRow
from reconciler.importing.vcl.storage import places
from reconciler.importing.vcl.work import MEANING, UNFIT, VARIABLE, Work, refusal
from reconciler.importing.writing import Noted
from reconciler.records import record

# the defaults of the table, from the days of VMware Server
_UNSET_SWITCHES = ("VMnet0", "VMnet2")


@record
class Wanted:
    """What a Profile gets besides its row: its name, the variable of its password, images, keys."""

    name: str
    variable: str
    images: tuple[str, ...] = ()
    keys: Keys = NO_KEYS


def profile(row: ProfileRow, wanted: Wanted) -> Draft:
    """The document of a profile of ESX hosts, and what is to be said of it."""
    work = Work(row)
    login(work, wanted.keys, wanted.variable)
    places(work)
    _images(work, wanted.images)
    _port_groups(work)
    _placement(work)
    metadata = {
        "name": Noted(wanted.name, f"vmprofile {row.id}: {row.name}"),
        "labels": {"vcl-name": wanted.name, "vcl-id": str(row.id)},
    }
    document = {"apiVersion": API_VERSION, "kind": "Profile", "metadata": metadata, "spec": work.spec}
    return Draft(document, work.notes)


def _images(work: Work, images: tuple[str, ...]) -> None:
    if images and "virtualDisk" in work.spec:
        work.spec["images"] = Noted({name: {} for name in images}, "production revisions")
    elif images:
        work.note(Sort.LEFT_OUT, "images: there is no virtual disk path")


def _port_groups(work: Work) -> None:
    groups: dict[str, list[str]] = {}
    for number, switch in enumerate(work.row.switches):
        if switch is not None:
            groups.setdefault(switch, []).append(f"virtualswitch{number}")
    for name, columns in list(groups.items()):
        if refusal({"portGroups": {name: {}}}) is not None:
            work.left_out(", ".join(columns), name, UNFIT)
            del groups[name]
        elif name in _UNSET_SWITCHES:
            what = "is what VCL has where nothing was chosen, a name of VMware Server: is there such a port group?"
            work.note(Sort.DOUBT, f"{name} {what}", "portGroups", name)
    if groups:
        work.spec["portGroups"] = {name: Noted({}, ", ".join(columns)) for name, columns in groups.items()}


def _placement(work: Work) -> None:
    row = work.row
    placement: dict[str, object] = {}
    for name, column, value in (
        ("resourcePath", "resourcepath", row.resource_path),
        ("folderPath", "folderpath", row.folder_path),
    ):
        if value is None:
            continue
        why = refusal({"placement": {name: value}})
        if VARIABLE in value:
            why = MEANING
        if why is None:
            placement[name] = Noted(value, column)
        else:
            work.left_out(column, value, why)
    if placement:
        work.spec["placement"] = placement
