"""Rows of VCL's tables as values: what is not in an older database has its default, empty texts are None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.records import record

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
"""Rows by the lower-case name of their table, each with all the columns that are read."""

_STATES = {1: "deleted", 10: "maintenance", 20: "vmhostinuse", 21: "tovmhostinuse"}


@record
class ProfileRow:
    """A row of vmprofile. `switches`: virtualswitch0 to 3; `disk_format`: the name in imagetype; `password`,
    `encrypted`: whether there is one; `secret`: the number under which version 2.5 keeps its key."""

    id: int
    name: str
    datastore: str | None
    vm_path: str | None
    repository: str | None
    resource_path: str | None
    folder_path: str | None
    switches: tuple[str | None, ...]
    disk: str
    disk_format: str
    user: str | None
    password: bool
    encrypted: bool
    secret: int | None
    key_path: str | None


@record
class HostRow:
    """A row of vmhost with its computer; `profile` is the id of its vmprofile."""

    id: int
    computer: int
    name: str
    address: str | None
    state: str
    deleted: bool
    profile: int

    def __str__(self) -> str:
        return f"{self.name!r} (computer {self.computer}, vmhost {self.id})"


@record
class RevisionRow:
    """A row of imagerevision with its image; `gone`: one of the two is deleted."""

    id: int
    name: str
    image: str
    production: bool
    gone: bool
    install_type: str


@record
class Snapshot:
    """What the database says. `strays`: the ids of vmhost rows whose computer is not there; `loaded`: pairs of a
    vmhost's id and a revision's, one for each machine that is not deleted; `key_files`: names of management nodes, and
    the private keys that each uses."""

    profiles: tuple[ProfileRow, ...]
    hosts: tuple[HostRow, ...]
    strays: tuple[int, ...]
    revisions: tuple[RevisionRow, ...]
    loaded: tuple[tuple[int, int], ...]
    key_files: tuple[tuple[str, str], ...]


def snapshot(tables: Tables) -> Snapshot:
    """The rows of the tables, in the order of their ids; what is in no table is empty."""
    computers = {row["id"]: row for row in tables["computer"]}
    hosts = sorted(tables["vmhost"], key=lambda row: row["id"])
    states = _STATES | {row["id"]: _word(row["name"]) for row in tables.get("state", ())}
    formats = {row["id"]: _word(row["name"]) for row in tables.get("imagetype", ())}
    profiles = sorted(tables["vmprofile"], key=lambda row: row["id"])
    return Snapshot(
        profiles=tuple(_profile(row, formats) for row in profiles),
        hosts=tuple(
            _host(row, computers[row["computerid"]], states)
            for row in hosts
            if row["computerid"] in computers
        ),
        strays=tuple(row["id"] for row in hosts if row["computerid"] not in computers),
        revisions=_revisions(tables),
        loaded=tuple(sorted(_loaded(tables["computer"], states))),
        key_files=tuple(
            sorted((_word(row["hostname"]), _word(row["keys"])) for row in tables.get("managementnode", ()))
        ),
    )


def _profile(row: Row, formats: Mapping[int, str]) -> ProfileRow:
    return ProfileRow(
        id=row["id"],
        name=_word(row["profilename"]),
        datastore=_text(row["datastorepath"]),
        vm_path=_text(row["vmpath"]),
        repository=_text(row["repositorypath"]),
        resource_path=_text(row["resourcepath"]),
        folder_path=_text(row["folderpath"]),
        switches=tuple(_text(row[f"virtualswitch{number}"]) for number in range(4)),
        disk=_word(row["vmdisk"]),
        disk_format=formats.get(row["datastoreimagetypeid"], ""),
        user=_text(row["username"]),
        password=bool(row["password"]),
        encrypted=bool(row["encryptedpasswd"]),
        secret=row["secretid"],
        key_path=_text(row["rsakey"]),
    )


def _host(row: Row, computer: Row, states: Mapping[int, str]) -> HostRow:
    state = states.get(computer["stateid"], f"state {computer['stateid']}")
    return HostRow(
        id=row["id"],
        computer=computer["id"],
        name=_word(computer["hostname"]),
        address=_text(computer["privateIPaddress"]),
        state=state,
        deleted=bool(computer["deleted"]) or state == "deleted",
        profile=row["vmprofileid"],
    )


def _revisions(tables: Tables) -> tuple[RevisionRow, ...]:
    images = {row["id"]: row for row in tables.get("image", ())}
    types = {row["id"]: _word(row["installtype"]) for row in tables.get("os", ())}
    return tuple(
        RevisionRow(
            id=row["id"],
            name=_word(row["imagename"]),
            image=_word(image["name"]),
            production=bool(row["production"]),
            gone=bool(row["deleted"]) or bool(image["deleted"]),
            install_type=types.get(image["OSid"], ""),
        )
        for row in sorted(tables.get("imagerevision", ()), key=lambda row: row["id"])
        if (image := images.get(row["imageid"])) is not None
    )


def _loaded(computers: Sequence[Row], states: Mapping[int, str]) -> set[tuple[int, int]]:
    machines = (
        row
        for row in computers
        if row["type"] == "virtualmachine" and not row["deleted"] and states.get(row["stateid"]) != "deleted"
    )
    pairs = ((row["vmhostid"], row["imagerevisionid"]) for row in machines)
    return {(host, revision) for host, revision in pairs if host is not None and revision is not None}


def _text(value: Any) -> str | None:
    text = _word(value)
    return text if text.strip() else None


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
