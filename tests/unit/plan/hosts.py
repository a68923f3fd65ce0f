"""A small model of a host: what it shows, and what a verb does to it, strict as a real one. And random specs for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from reconciler.facts import (
    BackupOwed,
    Datastore,
    Datastores,
    Facts,
    Folder,
    Identity,
    Machine,
    Machines,
    Network,
    NetworkState,
    NfsSource,
    Place,
    PortGroup,
    Product,
    Question,
)
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    MakeFolder,
    MountNfs,
    MovePortGroup,
    OweBackup,
    RemountNfs,
    SaveConfiguration,
    SetVlan,
    UnmountNfs,
    Verb,
)

STORES = ["alpha", "beta", "gamma", "delta"]
EXPORTS = ["/one", "/two", "/three"]
SWITCHES = ["vSwitch0", "vSwitch1", "vSwitch2"]
GROUPS = ["Private", "Public", "private"]
FOLDERS = ["vms", "vms/deep"]


def nfs(path: str) -> NfsSource:
    return NfsSource("filer", path)


@dataclass
class Host:
    """`mounts` maps names to exports, `volumes` are VMFS; `folders` are (volume's id, path). `owed`: not saved yet."""

    mounts: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    machines: list[tuple[str, str]] = field(default_factory=list)
    folders: set[tuple[str, str]] = field(default_factory=set)
    switches: list[str] = field(default_factory=lambda: ["vSwitch0"])
    groups: dict[str, PortGroup] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    changed: bool = False

    def id(self, name: str) -> str:
        return "id" + self.mounts[name].replace("/", "-") if name in self.mounts else f"id-{name}"

    def facts(self) -> Facts:
        stores = [Datastore(it, "VMFS-6", it not in self.dead, id=self.id(it)) for it in self.volumes]
        stores += [
            Datastore(name, "NFS", name not in self.dead, nfs(path), self.id(name))
            for name, path in self.mounts.items()
        ]
        answers: dict[Question[Any], Any] = {
            Identity(): Product("VMware ESXi", (6, 7, 0), "1"),
            BackupOwed(): frozenset(self.owed),
            Datastores(): tuple(stores),
            Machines(): tuple(
                Machine(f"vm{at}", store, f"{at}.vmx") for at, (store, _) in enumerate(self.machines)
            ),
            NetworkState(): Network(tuple(self.groups.values()), tuple(self.switches)),
        }
        return Facts(answers | self._places())

    def _places(self) -> dict[Question[Any], Any]:
        return {
            Folder(f"/vmfs/volumes/{store}/{path}"): Place.FOLDER
            if (self.id(store), path) in self.folders
            else Place.ABSENT
            for store in (*self.volumes, *self.mounts)
            for path in FOLDERS
        }

    def do(self, verb: Verb) -> None:
        """Carry it out; what a real host would refuse is a failed assertion."""
        self.changed = self.changed or verb.saved
        match verb:
            case MountNfs(name, source):
                self._mount(name, source)
            case UnmountNfs(name, _):
                self._unmount(name)
            case RemountNfs(name, old, new):
                assert old == nfs(self.mounts[name])
                self._unmount(name)
                self._mount(name, new)
            case MakeFolder(path):
                self._make_folder(path)
            case OweBackup(resource):
                self.owed.add(resource)
            case SaveConfiguration():
                self.owed, self.changed = set(), False
            case _:
                self._network(verb)

    def _mount(self, name: str, source: NfsSource) -> None:
        assert name not in self.mounts, "Already exists"
        assert name not in self.volumes, "Already exists"
        assert source.path not in self.mounts.values(), "is already exported by a volume"
        self.mounts[name] = source.path

    def _unmount(self, name: str) -> None:
        used = {name, self.id(name)}
        assert not any(store in used for store, _ in self.machines), "Busy"
        self.dead.discard(name)
        del self.mounts[name]

    def _make_folder(self, path: str) -> None:
        store, _, below = path.removeprefix("/vmfs/volumes/").partition("/")
        assert store in self.volumes or store in self.mounts, "No such file or directory"
        assert store not in self.dead, "Input/output error"
        parts = below.split("/")
        self.folders |= {(self.id(store), "/".join(parts[:count])) for count in range(1, len(parts) + 1)}

    def _network(self, verb: Verb) -> None:
        match verb:
            case AddSwitch(name):
                assert name not in self.switches, "A portset with this name already exists"
                self.switches.append(name)
            case AddPortGroup(name, vswitch):
                assert name not in self.groups, "already exists"
                assert vswitch in self.switches, "Not found"
                self.groups[name] = PortGroup(name, vswitch, 0, 0)
            case MovePortGroup(name, old, new, vlan, other):
                assert new in self.switches, "Not found"
                assert (self.groups[name].vswitch, self.groups[name].vlan) == (old, vlan)
                self.groups[name] = PortGroup(name, new, other, self.groups[name].clients)
            case SetVlan(name, vswitch, vlan):
                group = self.groups[name]
                assert group.vswitch == vswitch
                self.groups[name] = PortGroup(name, vswitch, vlan, group.clients)
            case _:
                raise AssertionError(f"nobody wished for {verb}")


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    exports = draw(st.permutations(EXPORTS))
    names = draw(st.lists(st.sampled_from(STORES), unique=True, max_size=4))
    mounts = dict(zip(names, exports, strict=False))
    host = Host(mounts, [name for name in names if name not in mounts])
    host.dead = set(draw(st.lists(st.sampled_from(names), max_size=2))) if names else set()
    named = [(store, "") for name in names for store in (name, host.id(name))]
    host.machines = draw(st.lists(st.sampled_from(named), max_size=1)) if named else []
    places = [(host.id(name), folder) for name in names for folder in FOLDERS]
    host.folders = draw(st.sets(st.sampled_from(places))) if places else set()
    host.switches = draw(st.lists(st.sampled_from(SWITCHES), unique=True))
    if host.switches:
        group = st.tuples(st.sampled_from(host.switches), st.sampled_from([0, 5]), st.integers(0, 2))
        found = draw(st.dictionaries(st.sampled_from(GROUPS), group))
        host.groups = {name: PortGroup(name, *rest) for name, rest in found.items()}
    host.owed = draw(st.sets(st.sampled_from(["portGroup/Private", "datastore/alpha", "ssh"]), max_size=1))
    host.changed = bool(host.owed)
    return host


store_wishes = st.one_of(
    st.just("absent"),
    st.just({}),
    st.just({"vmfs": {}}),
    *[st.sampled_from(EXPORTS).map(lambda path: {"nfs": {"server": "filer", "path": path}})] * 3,
)
group_wishes = st.fixed_dictionaries(
    {}, optional={"vswitch": st.sampled_from(SWITCHES), "vlan": st.sampled_from([0, 5, 10])}
)
working_directories = st.tuples(st.sampled_from(STORES), st.sampled_from(["", *FOLDERS])).map(
    lambda pair: f"[{pair[0]}] {pair[1]}".strip()
)
specs: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "datastores": st.dictionaries(st.sampled_from(STORES), store_wishes),
        "workingDirectory": working_directories,
        "portGroups": st.dictionaries(st.sampled_from(GROUPS), group_wishes),
    },
)
