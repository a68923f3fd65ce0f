"""What no single field shows: values of one host, or of several, that don't go together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.desired import fleet_lint, image_lint
from reconciler.desired.host import DesiredHost, datastore_path
from reconciler.desired.image_lint import on_host
from reconciler.desired.mistakes import Mistake, listed, suggestion
from reconciler.desired.nodes import Node, Place
from reconciler.desired.public_keys import Judgement, judge_host_key, judge_key
from reconciler.kinds import authorized_keys, datastores, images, working_directory
from reconciler.kinds.key_lines import parse_key_line

SPEC = ("spec",)
SECRETS: tuple[Place, ...] = (("access", "ssh", "password"),)


def lint(hosts: Sequence[DesiredHost]) -> tuple[list[Mistake], list[Mistake]]:
    """Mistakes and warnings in valid specs; takes time in proportion to the number of hosts."""
    mistakes = list(fleet_lint.fleet_mistakes(hosts))
    warnings: list[Mistake] = []
    for host in hosts:
        mistakes += _alternatives(host)
        mistakes += _empty_secrets(host)
        mistakes += _unnamed_datastores(host)
        mistakes += image_lint.image_mistakes(host)
        mistakes += _servers(host)
        mistakes += _keyless(host)
        _keys(host, mistakes, warnings)
    return mistakes, warnings


def lint_profile(profile: DesiredHost) -> tuple[list[Mistake], list[Mistake]]:
    """Mistakes and warnings in a profile that no host uses, as if a host had nothing but it. What a host, or another
    profile, may still bring is not asked for."""
    mistakes, warnings = [*_alternatives(profile), *_servers(profile)], list[Mistake]()
    _keys(profile, mistakes, warnings)
    return mistakes, warnings


def _alternatives(host: DesiredHost) -> Iterator[Mistake]:
    """Maps in which only one of several fields can stand; merging may well bring two of them together."""
    root = host.root
    stores = root.child("datastores")
    places = (
        [("datastores", name) for name in stores.value] if stores and isinstance(stores.value, dict) else []
    )
    for place in places:
        yield from _one_of(root, place, ("nfs", "vmfs"))
    for secret in SECRETS:
        yield from _one_of(root, secret, ("env", "file", "exec"))
    yield from _one_of(root, ("access", "ssh"), ("hostKey", "knownHosts"))


def _one_of(root: Node, place: Place, names: Iterable[str]) -> Iterator[Mistake]:
    node = root.find(place)
    if node is None:
        return
    there = _parts(node, names)
    if len(there) > 1:
        right = f"would be right: one of them; null takes a profile's away, as in {there[0]}: null"
        yield node.nearest((there[-1],)).mistake_at_key(
            (*SPEC, *place), f"has {listed(there, 'and')} at once ({right})"
        )


def _empty_secrets(host: DesiredHost) -> Iterator[Mistake]:
    """References of which nulls have taken every part away."""
    for place in SECRETS:
        node = host.root.find(place)
        if node is not None and isinstance(node.value, dict) and not _parts(node, node.value):
            what = "is a reference without any part left (would be right: {env: NAME}, or null to have none)"
            yield node.mistake((*SPEC, *place), what)


def _parts(node: Node, names: Iterable[str]) -> list[str]:
    return [name for name in names if (child := node.child(name)) is not None and child.value is not None]


def _unnamed_datastores(host: DesiredHost) -> Iterator[Mistake]:
    """Paths on datastores that the merged `datastores` does not name, or names as absent."""
    stores = host.root.child("datastores")
    if stores is None or not isinstance(stores.value, dict):
        return
    for place, text in _paths(host):
        name, node = datastore_path(text).datastore, host.root.nearest(place)
        store = stores.value.get(name)
        if store is None or store.value is None:
            known = [key for key, child in stores.value.items() if child.value not in (None, "absent")]
            what = f"is on the datastore {name!r}, which is not among `datastores`{suggestion(name, known)}"
            yield node.mistake((*SPEC, *place), what)
        elif store.value == "absent":
            what = f"is on the datastore {name!r}, which `datastores` wishes absent"
            yield node.mistake((*SPEC, *place), what)


def _paths(host: DesiredHost) -> Iterator[tuple[Place, str]]:
    """Every path on a datastore, and where it stands."""
    folder = host.wish(working_directory.KIND).working_directory
    wish = host.wish(images.KIND)
    if folder is not None:
        yield ("workingDirectory",), folder
    if wish.virtual_disk is not None:
        yield ("virtualDisk", "path"), wish.virtual_disk.path
    if wish.repository is not None and on_host(wish.repository.path):
        yield ("repository", "path"), wish.repository.path


def _servers(host: DesiredHost) -> Iterator[Mistake]:
    for name, wish in (host.wish(datastores.KIND).datastores or {}).items():
        if wish != "absent" and wish.nfs is not None and "," in wish.nfs.server and wish.nfs.version == "3":
            place = ("datastores", name, "nfs", "server")
            what = 'several servers need NFS 4.1 (would be right: version: "4.1", or one server)'
            yield host.root.nearest(place).mistake((*SPEC, *place), what)


def _keyless(host: DesiredHost) -> Iterator[Mistake]:
    """Settings of keys where no key is wished."""
    wish = host.wish(authorized_keys.KIND)
    for field, on in (("exclusiveKeys", wish.exclusive_keys), ("persistKeys", wish.persist_keys)):
        if on and wish.authorized_keys is None:
            what = "does nothing without ssh.authorizedKeys (would be right: name the keys)"
            yield host.root.nearest(("ssh", field)).mistake((*SPEC, "ssh", field), what)


def _keys(host: DesiredHost, mistakes: list[Mistake], warnings: list[Mistake]) -> None:
    wish = host.wish(authorized_keys.KIND)
    for index, item in enumerate(wish.authorized_keys or ()):
        if isinstance(item, str):
            _key(host.root, ("ssh", "authorizedKeys", index), judge_key(item), mistakes, warnings)
    mistakes += _contradicting_keys(host)
    pinned = host.access.ssh.host_key
    if pinned is not None:
        _key(host.root, ("access", "ssh", "hostKey"), judge_host_key(pinned), mistakes, warnings)


def _contradicting_keys(host: DesiredHost) -> Iterator[Mistake]:
    """One key with and without options, or with two kinds of them: sshd takes the first line only."""
    options: dict[tuple[str, str], str] = {}
    for index, item in enumerate(host.wish(authorized_keys.KIND).authorized_keys or ()):
        text = item if isinstance(item, str) else host.key_files.get(item.file, "")
        for key in (key for line in text.splitlines() if (key := parse_key_line(line)) is not None):
            if options.setdefault(key.identity, key.options) != key.options:
                place = ("ssh", "authorizedKeys", index)
                what = "is a key that another item wishes with other options; sshd takes the first line of a key only"
                yield host.root.nearest(place).mistake(
                    (*SPEC, *place), f"{what} (would be right: one item a key)"
                )


def _key(
    root: Node, place: Place, judged: Judgement, mistakes: list[Mistake], warnings: list[Mistake]
) -> None:
    node = root.nearest(place)
    if judged.wrong is not None:
        mistakes.append(node.mistake((*SPEC, *place), judged.wrong))
    if judged.weak is not None:
        warnings.append(node.mistake((*SPEC, *place), judged.weak))
