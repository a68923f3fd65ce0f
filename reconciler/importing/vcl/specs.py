"""What a VCL database says, as the documents of profiles and hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

from reconciler.importing.keys import NO_KEYS, Keys
from reconciler.importing.names import apart
from reconciler.importing.notes import Draft, Note, Sort
from reconciler.importing.vcl import images
from reconciler.importing.vcl.choice import chosen
from reconciler.importing.vcl.hosts import Addresses, Belongings, host
from reconciler.importing.vcl.hypervisors import why_not_esx
from reconciler.importing.vcl.logins import has_vcenter
from reconciler.importing.vcl.paths import canonical, written
from reconciler.importing.vcl.profiles import Wanted, profile
from reconciler.importing.vcl.rows import HostRow, ProfileRow, Snapshot
from reconciler.importing.writing import Noted
from reconciler.records import record

VARIABLE = "ESXI_PASSWORD_"
"""How variables begin that are to hold passwords; specs from git may name such ones."""


@record
class Options:
    """What is wished: profiles that no host uses, too; names of profiles that decide for computers with several;
    `images`: none, production or loaded; the keys that were given."""

    all_profiles: bool = False
    preferred: tuple[str, ...] = ()
    images: str = "none"
    keys: Keys = NO_KEYS


@dataclass
class Imported:
    """The documents, and the notes that are about none of them."""

    profiles: list[Draft] = field(default_factory=list)
    hosts: list[Draft] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def imported(rows: Snapshot, options: Options) -> Imported:
    """Documents in the order of their names. Raises CannotImport where a computer has several profiles and nothing
    decides."""
    result = Imported()
    pairs = chosen(rows, options.preferred, result.notes)
    profiles = _profiles(result, rows, options)
    used = _hosts(result, rows, pairs, profiles, options)
    for number, it in profiles.items():
        it.draft.notes += _shared_folder(it.spec, used.get(number, ()))
        if options.all_profiles or number in used:
            result.profiles.append(it.draft)
        else:
            what = f"profile {it.row.name!r} (vmprofile {number}): no host uses it (--all-profiles writes it)"
            result.notes.append(Note(Sort.LEFT_OUT, what))
    result.notes += _about_keys(rows, options.keys)
    return result


@record
class _Profile:
    row: ProfileRow
    name: str
    draft: Draft

    @property
    def spec(self) -> Mapping[str, object]:
        assert isinstance(self.draft.document, Mapping)
        spec = self.draft.document["spec"]
        assert isinstance(spec, Mapping)
        return spec


def _profiles(result: Imported, rows: Snapshot, options: Options) -> dict[int, _Profile]:
    """The profiles of ESX hosts by the ids of their rows, in the order of their names in VCL."""
    esx = sorted(_esx(rows, result.notes), key=lambda row: (row.name, row.id))
    names = apart([row.name for row in esx])
    production = images.production(rows, result.notes) if options.images == "production" else ()
    return {
        row.id: _Profile(row, name, profile(row, Wanted(name, variable, production, options.keys)))
        for row, name, variable in zip(esx, names, _variables(names), strict=True)
    }


def _esx(rows: Snapshot, notes: list[Note]) -> Iterator[ProfileRow]:
    for row in rows.profiles:
        why = why_not_esx(row)
        if why is None:
            yield row
        else:
            what = f"profile {row.name!r} (vmprofile {row.id}): it is for another hypervisor: {why}"
            notes.append(Note(Sort.LEFT_OUT, what))


def _hosts(
    result: Imported,
    rows: Snapshot,
    pairs: Sequence[tuple[HostRow, ProfileRow]],
    profiles: Mapping[int, _Profile],
    options: Options,
) -> dict[int, list[str]]:
    """Add the hosts; their names by the profile that they use."""
    loaded = images.loaded(rows, result.notes) if options.images == "loaded" else {}
    addresses, used = Addresses(), dict[int, list[str]]()
    for (row, of), name in zip(pairs, apart([row.name for row, _ in pairs]), strict=True):
        its, wanted = profiles[of.id], loaded.get(row.computer, ())
        if wanted and "virtualDisk" not in its.spec:
            what = "what its machines have loaded, since its profile has no virtual disk path"
            result.notes.append(Note(Sort.LEFT_OUT, f"host {row}: {what}"))
            wanted = ()
        belongings = Belongings(
            name=name,
            profile=its.name,
            doubtful=of.resource_path is not None,
            vcenter=has_vcenter(of),
            images=wanted,
        )
        draft = host(row, belongings, addresses)
        if isinstance(draft, str):
            result.notes.append(Note(Sort.LEFT_OUT, f"host {row}: {draft}"))
        else:
            result.hosts.append(draft)
            used.setdefault(of.id, []).append(name)
    return used


def _variables(names: Sequence[str]) -> list[str]:
    """The variable of the password of each profile, all apart."""
    chosen: list[str] = []
    for name in names:
        like = "".join(sign if sign.isalnum() else "_" for sign in name.upper())
        numbered = (f"{like}_{number}" for number in count(2))
        chosen.append(next(it for it in chain((like,), numbered) if it not in chosen))
    return [VARIABLE + variable for variable in chosen]


def _shared_folder(spec: Mapping[str, object], hosts: Sequence[str]) -> Iterator[Note]:
    folder = spec.get("workingDirectory")
    if len(hosts) < 2 or not isinstance(folder, Noted):
        return
    path = canonical(str(folder.value))
    own = f"{written(path)}{'/' if path.relative else ' '}${{name}}"
    what = (
        f"workingDirectory: {', '.join(hosts)} would share it where {path.datastore} is one volume "
        f'(would be right: workingDirectory: "{own}")'
    )
    yield Note(Sort.DOUBT, what, ("spec", "workingDirectory"))


def _about_keys(rows: Snapshot, keys: Keys) -> Iterator[Note]:
    """Where no key was given: which ones VCL uses."""
    if keys.public:
        return
    known = [f"{name} uses {files}" for name, files in rows.key_files if files]
    which = f" (management node {'; '.join(known)})" if known else ""
    yield Note(Sort.FILL_IN, f"ssh.authorizedKeys of the profiles: no --key was given{which}")
