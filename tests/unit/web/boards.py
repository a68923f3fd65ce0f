"""What a loop over a small fleet shows, and a board that shows it: for tests of the pages, and for their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from reconciler.board import GuardState, HostState, Overview, SpecsState
from reconciler.entries import Entry
from reconciler.facts import Product
from reconciler.faults import FaultKind
from reconciler.kinds.model import Difference, Source
from reconciler.plan import Note
from reconciler.report import Action, FaultReport, HeldReport, HostReport, Outcome, Status, StepReport

NOW = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)
COMMIT = "5f3c2a9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b4a39"
EARLIER = "0b1d2c3e4f5a69788796a5b4c3d2e1f00f1e2d3c"
OLD_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 former admin"
NEW_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDe VCL root account"

MOUNT = StepReport(
    "datastore/repository",
    "create",
    "safe",
    (Difference("nfs.server", None, "10.10.0.1"), Difference("nfs.path", None, "/install/vmware_images")),
    (
        Action(
            "mount 10.10.0.1:/install/vmware_images as repository",
            ("esxcli storage nfs add -H 10.10.0.1 -s /install/vmware_images -v repository",),
        ),
    ),
    (),
    "it is not mounted",
    Source("specs/profiles.yaml", 14),
)
KEYS = StepReport(
    "authorizedKeys",
    "update",
    "service",
    (Difference("keys", [OLD_KEY, "ssh-rsa AAAAB3 backup"], ["ssh-rsa AAAAB3 backup", NEW_KEY]),),
    (
        Action(
            "replace 1 key in /etc/ssh/keys-root/authorized_keys", ("cat > keys <<'EOF'\nssh-rsa AAAA\nEOF",)
        ),
    ),
    ("ssh",),
    "root lacks a key, and has one that no spec names",
    Source("specs/hosts.yaml", 8),
)
VLAN = StepReport(
    "portGroup/Private",
    "update",
    "link",
    (Difference("vlan", 11, 10),),
    (Action("set VLAN 10 on Private", ("esxcli network vswitch standard portgroup set -p Private -v 10",)),),
    ("datastore/repository",),
    "it has VLAN 11, with 2 clients",
    Source("specs/profiles.yaml", 27),
)
UNMOUNT = StepReport(
    "datastore/old-iso",
    "delete",
    "service",
    (Difference("nfs.server", "10.10.0.9", None), Difference("nfs.readOnly", True, None)),
    (Action("unmount old-iso", ("esxcli storage nfs remove -v old-iso",)), Action("proved: it is gone", ())),
    (),
    "it is to be absent",
    Source("specs/profiles.yaml", 18),
)
UNREACHABLE = FaultReport(
    FaultKind.UNREACHABLE,
    "vmhost-b-02.example.org:22 can't be reached: no answer within 10 s",
    "see that the host is up and that SSH is switched on",
)
HOST_KEY = FaultReport(
    FaultKind.HOST_KEY,
    "the host key of vmhost-a-03 (10.0.1.3:22) is not the expected one, and nothing was sent:\n"
    "expected SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDYtWPG5yKxgFpXPzE\n"
    "offered SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
    "if the host was installed anew, put its new key into access.ssh.hostKey; else find out who answers there",
)


def host(name: str, status: Status, **more: object) -> HostState:
    """A host whose last pass ended a while ago; `more` are fields of its report or its state."""
    report = HostReport(
        name, f"{name}.example.org", status, "ssh", Product("VMware ESXi", (6, 7, 0), "8169922")
    )
    state = HostState(report, "enforce", {"site": name[7:8], "rack": "r3"}, NOW - timedelta(seconds=95))
    state = replace(state, next_due=NOW + timedelta(seconds=210), revision=COMMIT)
    of_report = {key: value for key, value in more.items() if key in HostReport.__dataclass_fields__}
    of_state = {key: value for key, value in more.items() if key not in of_report}
    return replace(state, report=replace(report, **of_report), **of_state)  # type: ignore[arg-type]


def fleet() -> tuple[HostState, ...]:
    """One host of each kind, and a few that are as they should be."""
    calm = ("ssh", "authorizedKeys", "datastore/datastore1", "virtualDisk", "repository", "portGroup/Public")
    return (
        host("vmhost-a-01", Status.DRIFTED, steps=(replace(MOUNT, outcome=Outcome.DONE), KEYS, UNMOUNT),
             held=(HeldReport("portGroup/Private", "its risk is link, and no more than service is allowed", VLAN),
                   HeldReport("portGroup/Storage", "it must exist, and there is no such port group")),
             unknown=(Note("datastore/archive", "it is mounted from 10.10.0.2:/archive but not accessible"),),
             findings=(Note("authorizedKeys", "the key ssh-ed25519 admin will be refused at login by ESXi 6.7"),),
             in_sync=("ssh", "datastore/datastore1", "virtualDisk", "portGroup/Public"),
             doing="image/vmwarewinxp-base234-v12: 12.4 of 24.0 GiB, 110 MiB/s, 2 min left"),
        host("vmhost-a-02", Status.IN_SYNC, in_sync=calm),
        host("vmhost-a-03", Status.FAILED, transport=None, product=None, fault=HOST_KEY, failures=6,
             next_due=NOW + timedelta(minutes=27)),
        host("vmhost-a-04", Status.CONVERGED, steps=(replace(KEYS, outcome=Outcome.DONE),), in_sync=calm[2:]),
        host("vmhost-b-01", Status.HELD, in_sync=calm,
             held=(HeldReport("image/vmwarewin7-old55-v3", "it is in use by the machine vm-113 on vmhost-b-04"),)),
        host("vmhost-b-02", Status.UNREACHABLE, transport=None, product=None, fault=UNREACHABLE, failures=2,
             next_due=NOW - timedelta(seconds=1), doing="connecting"),
        host("vmhost-b-03", Status.PENDING, transport=None, product=None, observed_at=None, revision=None,
             next_due=NOW),
        host("vmhost-b-04", Status.PAUSED, transport=None, product=None, observed_at=None, next_due=None,
             revision=None, mode="paused"),
        host("vmhost-b-05", Status.DRIFTED, steps=(VLAN,), mode="observe", in_sync=calm, revision=EARLIER),
        host("vmhost-b-06", Status.IN_SYNC, in_sync=calm),
    )  # fmt: skip


SPECS = SpecsState(
    "git https://git.example.org/esxi.git, branch main, specs", COMMIT, NOW - timedelta(hours=5)
)
BROKEN = replace(
    SPECS,
    mistakes=(
        "specs/hosts.yaml:14:7: spec.datastore: there is no such field (datastores would be right)",
        "specs/profiles.yaml:9:18: spec.portGroups.Private.vlan: 5000 is too much (0 to 4095 would be right)",
    ),
)
CALM = Overview(NOW, NOW - timedelta(days=41), False, fleet(), SPECS, GuardState("10%"))
TROUBLED = replace(
    CALM,
    dry_run=True,
    specs=replace(
        BROKEN, trouble="the remote can't be reached", warnings=("specs/hosts.yaml:3:1: a short key",)
    ),
    guard=GuardState("10%", True, NOW - timedelta(minutes=12), ("vmhost-a-03", "vmhost-b-02")),
)

HISTORY = (
    Entry(NOW - timedelta(hours=5), "revision", revision=COMMIT),
    Entry(
        NOW - timedelta(minutes=31), "status", "vmhost-a-01",
        fields=(Difference("status", "in-sync", "drifted"),), revision=COMMIT,
    ),
    Entry(
        NOW - timedelta(minutes=30), "step", "vmhost-a-01", "datastore/repository", "create", MOUNT.fields, "done",
        1.234, COMMIT,
    ),
    Entry(
        NOW - timedelta(minutes=20), "step", "vmhost-a-01", "datastore/old-iso", "delete", UNMOUNT.fields, "failed",
        0.5, COMMIT, FaultReport(FaultKind.REFUSED, "old-iso is busy", "power off vm-113"),
    ),
    Entry(NOW - timedelta(minutes=9), "fault", "vmhost-b-02", revision=COMMIT, fault=UNREACHABLE),
)  # fmt: skip


@dataclass
class Shown:
    """A board of values."""

    shown: Overview = CALM
    entries: Sequence[Entry] = HISTORY
    turning: bool = True
    waiting: str | None = None

    def overview(self) -> Overview:
        return self.shown

    def host(self, name: str) -> HostState | None:
        return next((it for it in self.shown.hosts if it.report.name == name), None)

    def history(self, host: str | None, limit: int) -> list[Entry]:
        return [it for it in self.entries if host in (None, it.host)][-limit:]

    def alive(self) -> bool:
        return self.turning

    def unready(self) -> str | None:
        return self.waiting


def many(number: int) -> Overview:
    """A large fleet, most of it in sync."""
    hosts = tuple(
        replace(it, report=replace(it.report, name=f"vmhost-{index:04d}"))
        for index in range(number)
        for it in [fleet()[index % 10] if index % 100 < 10 else fleet()[1]]
    )
    return replace(CALM, hosts=hosts)


def metrics() -> tuple[str, bytes]:
    return "text/plain; version=0.0.4; charset=utf-8", b"# HELP reconciler_spec_errors ...\n"
