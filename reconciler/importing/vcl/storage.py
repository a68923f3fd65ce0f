"""Where a profile's datastores, disks, working directories and repository are."""

from __future__ import annotations

from reconciler.importing.notes import Sort
from reconciler.importing.vcl.paths import canonical, is_elsewhere, is_volume_id, tidy, written
from reconciler.importing.vcl.work import MEANING, UNFIT, VARIABLE, Work, from_column, refusal
from reconciler.importing.writing import Noted
from reconciler.kinds.paths import DatastorePath

_MODES = {"dedicated": "dedicated", "localdisk": "dedicated", "shared": "shared", "networkdisk": "shared"}


def places(work: Work) -> None:
    """The datastores, and what lies on them."""
    row = work.row
    disk = _on_datastore(work, "datastorepath", row.datastore)
    folder = _on_datastore(work, "vmpath", row.vm_path)
    repository = _repository(work, disk)
    _datastores(work)
    if disk is not None:
        _disk(work, disk)
    if folder is not None:
        work.spec["workingDirectory"] = from_column("vmpath", row.vm_path, written(folder))
    if repository is not None:
        work.spec["repository"] = {"path": from_column("repositorypath", row.repository, repository)}


def _on_datastore(work: Work, column: str, value: str | None) -> DatastorePath | None:
    """A path that has to be on a datastore; None, and a note, when it is not."""
    if value is None:
        if column == "datastorepath":
            work.note(Sort.LEFT_OUT, f"{column} is empty: there is no virtual disk path")
        return None
    path = _parsed(work, column, value)
    if path is not None:
        work.stores.setdefault(path.datastore, []).append(column)
    return path


def _parsed(work: Work, column: str, value: str) -> DatastorePath | None:
    text = tidy(value)
    if VARIABLE in text:
        work.left_out(column, value, MEANING)
        return None
    try:
        path = canonical(text)
    except ValueError as error:
        work.left_out(column, value, str(error))
        return None
    if not value.strip("\"' ").startswith("/") and text.startswith("/"):
        work.note(Sort.DOUBT, f"{column} {value!r} lacks its first slash, which was added")
    return path


def _repository(work: Work, disk: DatastorePath | None) -> str | None:
    value = work.row.repository
    if value is None:
        if disk is not None and _MODES.get(work.row.disk) == "dedicated":
            what = "dedicated without a repository: no image is ever evicted to make room"
            work.note(Sort.DOUBT, what, "virtualDisk", "mode")
        return None
    text = tidy(value)
    if is_elsewhere(text):
        return _here(work, text)
    path = _parsed(work, "repositorypath", value)
    if path is None:
        return None
    if disk is not None and _overlap(path, disk):
        work.left_out(
            "repositorypath", value, "it is the virtual disk path, or one of the two lies in the other"
        )
        return None
    work.stores.setdefault(path.datastore, []).append("repositorypath")
    return written(path)


def _here(work: Work, text: str) -> str | None:
    if VARIABLE in text or not text.isprintable():
        work.left_out("repositorypath", text, UNFIT)
        return None
    what = f"{text} is looked for on the machine that runs the reconciler; VCL looks on the management node"
    work.note(Sort.DOUBT, what, "repository", "path")
    return text


def _overlap(one: DatastorePath, other: DatastorePath) -> bool:
    first, second = f"{one.absolute}/", f"{other.absolute}/"
    return first.startswith(second) or second.startswith(first)


def _datastores(work: Work) -> None:
    """The datastores of the paths by name; where one can't be named, none is, since paths may only be on named ones."""
    for name, columns in work.stores.items():
        why = (
            "it is the id of a volume, whose name is not in VCL's database"
            if is_volume_id(name)
            else refusal({"datastores": {name: {}}})
        )
        if why is not None:
            work.note(Sort.FILL_IN, f"datastores: {name!r} ({', '.join(columns)}): {why}")
            return
    for name in work.stores:
        what = "nfs: {server: …, path: …} or vmfs: {} (VCL's database does not say which)"
        work.note(Sort.FILL_IN, f"datastores.{name}: {what}", "datastores", name)
    if work.stores:
        named = {name: Noted({}, ", ".join(columns)) for name, columns in work.stores.items()}
        work.spec["datastores"] = named


def _disk(work: Work, path: DatastorePath) -> None:
    row = work.row
    mode = _MODES.get(row.disk)
    if mode is None:
        work.left_out("vmdisk", row.disk, "it is neither dedicated nor shared; shared changes nothing")
    disk = {"path": from_column("datastorepath", row.datastore, written(path))}
    disk["mode"] = from_column("vmdisk", row.disk, mode or "shared")
    work.spec["virtualDisk"] = disk
