"""Which rows of vmhost become hosts, and with which profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.importing.notes import CannotImport, Note, Sort
from reconciler.importing.vcl.hypervisors import why_not_esx
from reconciler.importing.vcl.rows import HostRow, ProfileRow, Snapshot


def chosen(rows: Snapshot, preferred: Sequence[str], notes: list[Note]) -> list[tuple[HostRow, ProfileRow]]:
    """The hosts with their profiles, by name. What is left out is noted.

    `preferred`: names of profiles, of which the first that a computer has decides where it has several. Raises
    CannotImport for a name that no profile has, and where nobody decides.
    """
    _known(rows, preferred)
    profiles = {row.id: row for row in rows.profiles}
    notes += (Note(Sort.LEFT_OUT, f"vmhost {stray}: there is no such computer") for stray in rows.strays)
    by_computer: dict[int, list[HostRow]] = {}
    for host in rows.hosts:
        why = _gone(host, profiles)
        if why is None:
            by_computer.setdefault(host.computer, []).append(host)
        else:
            notes.append(Note(Sort.LEFT_OUT, f"host {host}: {why}"))
    decided = [_decided(hosts, profiles, preferred, notes) for hosts in by_computer.values()]
    undecided = [text for text in decided if isinstance(text, str)]
    if undecided:
        raise CannotImport("\n".join([*undecided, "nothing was written; --prefer-profile NAME decides"]))
    pairs = [(host, profiles[host.profile]) for host in decided if isinstance(host, HostRow)]
    pairs.sort(key=lambda pair: (pair[0].name, pair[0].computer))
    return list(_of_esx(pairs, notes))


def _known(rows: Snapshot, preferred: Sequence[str]) -> None:
    names = [row.name for row in rows.profiles]
    for name in preferred:
        if name not in names:
            raise CannotImport(
                f"--prefer-profile {name}: there is no such profile; there are {_listed(names)}"
            )


def _gone(host: HostRow, profiles: Mapping[int, ProfileRow]) -> str | None:
    if host.deleted:
        return "it is deleted in VCL"
    return None if host.profile in profiles else f"there is no vmprofile {host.profile}"


def _decided(
    hosts: Sequence[HostRow],
    profiles: Mapping[int, ProfileRow],
    preferred: Sequence[str],
    notes: list[Note],
) -> HostRow | str:
    """The row of a computer that counts; what is wrong where nobody can say."""
    by_name = {profiles[host.profile].name: host for host in hosts}
    name = next(iter(by_name)) if len(by_name) == 1 else next((it for it in preferred if it in by_name), None)
    if name is None:
        return f"host {hosts[0].name!r} (computer {hosts[0].computer}) has several profiles in VCL: {_listed(by_name)}"
    others = (host for host in hosts if host is not by_name[name])
    notes += (Note(Sort.LEFT_OUT, f"host {host}: its profile {name!r} is preferred") for host in others)
    return by_name[name]


def _of_esx(
    pairs: Sequence[tuple[HostRow, ProfileRow]], notes: list[Note]
) -> Iterator[tuple[HostRow, ProfileRow]]:
    for host, profile in pairs:
        why = why_not_esx(profile)
        if why is None:
            yield host, profile
        else:
            what = f"host {host}: its profile {profile.name!r} is for another hypervisor: {why}"
            notes.append(Note(Sort.LEFT_OUT, what))


def _listed(names: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none"
