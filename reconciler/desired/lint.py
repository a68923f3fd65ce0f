"""What no single field shows: values of one host, or of several, that don't go together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.desired import fleet_lint, image_lint
from reconciler.desired.check import is_reference
from reconciler.desired.host import DesiredHost, datastore_path
from reconciler.desired.image_lint import on_host
from reconciler.desired.mistakes import Mistake, listed, suggestion
from reconciler.desired.nodes import Node, Place
from reconciler.desired.public_keys import Judgement, judge_host_key, judge_key
from reconciler.kinds import authorized_keys, images, working_directory
from reconciler.kinds.key_lines import parse_key_line

SPEC = ("spec",)
KEYS = ("ssh", "authorizedKeys")
APIS: tuple[Place, ...] = (("access", "sdk"), ("access", "vcenter"))
SECRETS: tuple[Place, ...] = (("access", "ssh", "password"), *((*api, "password") for api in APIS))
TRUST = ("thumbprint", "caFile", "insecure")


def lint(hosts: Sequence[DesiredHost], whole: Iterable[DesiredHost]) -> tuple[list[Mistake], list[Mistake]]:
    """Mistakes and warnings in specs whose fields are checked; takes time in proportion to the number of hosts.

    `whole` are the hosts all of whose profiles are known: of the others nobody can say what they lack.
    """
    mistakes = list(fleet_lint.fleet_mistakes(hosts))
    warnings: list[Mistake] = []
    for host in hosts:
        mistakes += lint_together(host.root, host.key_files)
        lint_keys(host.root, mistakes, warnings)
    for host in whole:
        mistakes += _empty_secrets(host)
        mistakes += _unopened(host)
        mistakes += _unnamed_datastores(host)
        mistakes += image_lint.image_mistakes(host)
        mistakes += _keyless(host)
    return mistakes, warnings


def lint_together(root: Node, key_files: Mapping[str, str]) -> Iterator[Mistake]:
    """Values of one merged spec that don't go together. What it lacks is not asked for."""
    yield from _alternatives(root)
    yield from _servers(root)
    yield from _contradicting_keys(root, key_files)


def lint_keys(root: Node, mistakes: list[Mistake], warnings: list[Mistake]) -> None:
    """Keys that are wrong whatever stands beside them."""
    for index, item in enumerate(_listed_keys(root)):
        if isinstance(item.value, str):
            _key(item, (*KEYS, index), judge_key(item.value), mistakes, warnings)
    place = ("access", "ssh", "hostKey")
    pinned = root.find(place)
    if pinned is not None and isinstance(pinned.value, str):
        _key(pinned, place, judge_host_key(pinned.value), mistakes, warnings)


def _stores(root: Node) -> dict[str, Node]:
    stores = root.child("datastores")
    return stores.value if stores is not None and isinstance(stores.value, dict) else {}


def _listed_keys(root: Node) -> list[Node]:
    keys = root.find(KEYS)
    return keys.value if keys is not None and isinstance(keys.value, list) else []


def _alternatives(root: Node) -> Iterator[Mistake]:
    """Maps in which only one of several fields can stand; merging may well bring two of them together."""
    for name in _stores(root):
        yield from _one_of(root, ("datastores", name), ("nfs", "vmfs"))
    for secret in SECRETS:
        yield from _one_of(root, secret, ("env", "file", "exec"))
    yield from _one_of(root, ("access", "ssh"), ("hostKey", "knownHosts"))
    for api in APIS:
        node = root.find((*api, "insecure"))
        checked = node is not None and node.value is False
        yield from _one_of(root, api, TRUST[:2] if checked else TRUST)


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
        if node is not None and is_reference(node.value) and not _parts(node, node.value):
            what = "is a reference without any part left (would be right: {env: NAME}, or null to have none)"
            yield node.mistake((*SPEC, *place), what)


def _unopened(host: DesiredHost) -> Iterator[Mistake]:
    """A way to the host that is the only one, and can't be taken."""
    if host.access.prefer == "sdk" and host.access.sdk.password is None:
        what = "needs access.sdk.password (would be right: a reference to the password, or prefer: auto)"
        yield host.root.nearest(("access", "prefer")).mistake((*SPEC, "access", "prefer"), what)


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


def _servers(root: Node) -> Iterator[Mistake]:
    """Several servers of one mount, which need NFS 4.1."""
    for name, store in _stores(root).items():
        server = store.find(("nfs", "server"))
        if server is not None and isinstance(server.value, str) and "," in server.value and _by_nfs3(store):
            what = 'several servers need NFS 4.1 (would be right: version: "4.1", or one server)'
            yield server.mistake((*SPEC, "datastores", name, "nfs", "server"), what)


def _by_nfs3(store: Node) -> bool:
    """Whether version 3 is written, or holds by default: while the path is lacking too, whoever brings it may bring
    the version."""
    version, path = store.find(("nfs", "version")), store.find(("nfs", "path"))
    if version is not None and version.value is not None:
        return bool(version.value == "3")
    return path is not None and path.value is not None


def _keyless(host: DesiredHost) -> Iterator[Mistake]:
    """Settings of keys where no key is wished."""
    wish = host.wish(authorized_keys.KIND)
    for field, on in (("exclusiveKeys", wish.exclusive_keys), ("persistKeys", wish.persist_keys)):
        if on and wish.authorized_keys is None:
            what = "does nothing without ssh.authorizedKeys (would be right: name the keys)"
            yield host.root.nearest(("ssh", field)).mistake((*SPEC, "ssh", field), what)


def _contradicting_keys(root: Node, key_files: Mapping[str, str]) -> Iterator[Mistake]:
    """One key with and without options, or with two kinds of them: sshd takes the first line only."""
    options: dict[tuple[str, str], str] = {}
    for index, item in enumerate(_listed_keys(root)):
        for key in (key for line in _text(item, key_files).splitlines() if (key := parse_key_line(line))):
            if options.setdefault(key.identity, key.options) != key.options:
                what = "is a key that another item wishes with other options; sshd takes the first line of a key only"
                yield item.mistake((*SPEC, *KEYS, index), f"{what} (would be right: one item a key)")


def _text(item: Node, key_files: Mapping[str, str]) -> str:
    """The lines of an item of authorizedKeys: its own, or those of its file."""
    if isinstance(item.value, str):
        return item.value
    file = item.child("file")
    return key_files.get(file.value, "") if file is not None and isinstance(file.value, str) else ""


def _key(
    node: Node, place: Place, judged: Judgement, mistakes: list[Mistake], warnings: list[Mistake]
) -> None:
    if judged.wrong is not None:
        mistakes.append(node.mistake((*SPEC, *place), judged.wrong))
    if judged.weak is not None:
        warnings.append(node.mistake((*SPEC, *place), judged.weak))
