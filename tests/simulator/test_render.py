"""What hosts print is what real hosts printed, byte for byte."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.simulator.esx import render
from reconciler.simulator.esx.machines import getallvms
from reconciler.simulator.esx.render import Result, Structure, Value
from reconciler.simulator.model import Machine, NfsMount, PortGroup, Storage
from reconciler.simulator.versions import RELEASES
from tests.simulator.support import HERE, host, script


def capture(name: str) -> str:
    return (HERE / "captures" / name).read_text().rstrip("\n") + "\n"


def typed(cell: str, right: bool) -> Value:
    if not right:
        return cell
    return cell == "true" if cell in ("true", "false") else int(cell)


def parsed_table(text: str) -> Result:
    """A captured table as structures: columns of numbers and booleans are those that stand right."""
    lines = text.splitlines()
    spans = [(match.start(), match.end()) for match in re.finditer("-+", lines[1])]
    ends = [start for start, _ in spans[1:]] + [None]

    def cells(line: str) -> list[str]:
        return [line[start:end].strip() for (start, _), end in zip(spans, ends, strict=True)]

    labels, rows = cells(lines[0]), [cells(line) for line in lines[2:]]
    right = [
        all(re.fullmatch(r"true|false|\d+", row[column]) for row in rows) for column in range(len(labels))
    ]
    return Result(
        "table",
        [
            Structure("X", tuple((label, typed(row[i], right[i])) for i, label in enumerate(labels)))
            for row in rows
        ],
    )


TABLES = [
    "nfs_list_703.txt",
    "nfs41_list_65.txt",
    "nfs_list_inaccessible.txt",
    "nfs_list_50_layout.txt",
    "filesystem_list_67.txt",
    "portgroup_list_65.txt",
    "ruleset_list_one_50.txt",
    "ruleset_list_50.txt",
    "rule_list_50.txt",
    "nic_list_55.txt",
    "nic_list_60.txt",
    "ipv4_address_list_65.txt",
]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_laid_out_as_captured(name: str) -> None:
    assert render.text(parsed_table(capture(name))) == capture(name)


def parsed_blocks(text: str, titled: bool) -> Result:
    blocks = []
    for block in text.rstrip("\n").split("\n\n"):
        lines = block.split("\n")[1 if titled else 0 :]
        blocks.append(Structure("X", tuple(_labelled(line) for line in lines)))
    return Result(
        "blocks", blocks, title=("Name" if "   Name:" in text else "Display Name") if titled else ""
    )


def _labelled(line: str) -> tuple[str, Value]:
    label, _, value = line.strip(" ").partition(":")
    return label, value.removeprefix(" ")


@pytest.mark.parametrize(
    ("name", "titled"),
    [
        ("vswitch_list_50.txt", True),
        ("vswitch_list_65.txt", True),
        ("vm_process_list_50.txt", True),
        ("hostname_get.txt", False),
        ("firewall_get_50.txt", False),
    ],
)
def test_blocks_are_laid_out_as_captured(name: str, titled: bool) -> None:
    assert render.text(parsed_blocks(capture(name), titled)) == capture(name)


def test_xml_is_as_captured() -> None:
    first = parsed_blocks(capture("vm_process_list_50.txt"), True).structures[0]
    numbers = {"World ID", "Process ID", "VMX Cartel ID"}
    fields = tuple((label, int(str(value)) if label in numbers else value) for label, value in first.fields)
    got = render.xml(Result("blocks", [Structure("VirtualMachine", fields)], title="Display Name"))
    assert got == capture("vm_process_list_50.xml")


def test_keyvalue_is_as_captured() -> None:
    fields: list[tuple[str, Value]] = []
    for line in capture("nic_list_8_keyvalue.txt").splitlines():
        match = re.fullmatch(r"structure\[0\]\.Nic\.(\w+)\.(string|integer)=(.*)", line)
        assert match is not None
        fields.append((match[1], int(match[3]) if match[2] == "integer" else match[3]))
    ours = render.keyvalue(Result("table", [Structure("Nic", tuple(reversed(fields)))])).splitlines()
    assert sorted(ours) == sorted(capture("nic_list_8_keyvalue.txt").splitlines())


def test_csv_ends_every_line_with_a_comma() -> None:
    rows = [
        Structure("Ruleset", (("Ruleset", "sshServer"), ("Allowed IP Addresses", ["10.0.0.1", "10.0.0.2"])))
    ]
    assert render.csv(Result("table", rows)) == (
        'AllowedIPAddresses,Ruleset,\n"10.0.0.1,10.0.0.2,",sshServer,\n'
    )


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))), max_size=4))
@example(["a<b>&\"'"])
def test_xml_carries_every_text(texts: list[str]) -> None:
    result = Result("table", [Structure("X", (("Name", text),)) for text in texts])
    tree = ET.fromstring(render.xml(result))
    assert [node.text or "" for node in tree.iter(f"{{{render.NAMESPACE}}}string")] == texts


@pytest.mark.parametrize(
    ("name", "version"), [("getallvms_5x_seven.txt", "5.5"), ("getallvms_80_one.txt", "8.0")]
)
def test_getallvms_is_laid_out_as_captured(name: str, version: str) -> None:
    machines = []
    for line in capture(name).splitlines()[1:]:
        match = re.fullmatch(r"(\d+) +(\S+) +\[(\S+)\] (\S+\.vmx) +(\S+) +(vmx-\d+)", line)
        assert match is not None
        machines.append(Machine(int(match[1]), match[2], match[3], match[4], match[5], match[6]))
    assert getallvms(machines[::-1], RELEASES[version]) == capture(name)


SWITCHES_6X = (
    "Switch Name      Num Ports   Used Ports  Configured Ports  MTU     Uplinks   \n"
    "vSwitch0         128         4           128               1500    vmnic0    \n"
    "\n"
    "  PortGroup Name        VLAN ID  Used Ports  Uplinks   \n"
    "  VM Network            0        0           vmnic0    \n"
    "  Management Network    0        1           vmnic0    \n"
    "  Standard Switch - L2VPN - Trunk  4095     0           vmnic0    \n"
)
SWITCHES_7X = (
    "Switch Name      Num Ports   Used Ports  Configured Ports  MTU     Uplinks\n"
    "vSwitch0         2816        4           128               1500    vmnic0\n"
    "\n"
    "  PortGroup Name                            VLAN ID  Used Ports  Uplinks\n"
    "  VM Network                                0        0           vmnic0\n"
    "  Management Network                        0        1           vmnic0\n"
    "  Standard Switch - L2VPN - Trunk           4095     0           vmnic0\n"
)


@pytest.mark.parametrize(("version", "listing"), [("5.5", SWITCHES_6X), ("7.0", SWITCHES_7X)])
def test_esxcfg_vswitch_is_laid_out_as_captured(version: str, listing: str) -> None:
    on = host(version, port_groups=(PortGroup("Standard Switch - L2VPN - Trunk", vlan=4095),))
    assert script(on, "esxcfg-vswitch -l").out == listing


def test_getallvms_without_machines_is_its_heading() -> None:
    assert getallvms([], RELEASES["8.0"]) == capture("getallvms_80_empty.txt")


SAYS = [
    ("7.0", "esxcli storage nfs list", "nfs_list_703.txt"),
    ("6.5", "esxcli storage nfs list", "nfs_list_inaccessible.txt"),
    ("5.0", "esxcli storage nfs list", "nfs_list_50_layout.txt"),
    ("6.5", "esxcli network vswitch standard portgroup list", "portgroup_list_65.txt"),
    ("6.7", "esxcli system version get", "version_get_67.txt"),
    ("8.0", "esxcli system version get", "version_get_802.txt"),
    ("6.0", "esxcli system version get", "version_get_60.txt"),
    ("5.5", "esxcli system version get", "version_get_55.txt"),
    ("5.0", "esxcli network firewall get", "firewall_get_50.txt"),
    ("5.0", "esxcfg-nas -l", "nas_list_4x.txt"),
    ("4.1", "esxcfg-nas -l", "nas_list_not_connected.txt"),
    ("5.0", "esxcfg-nas -d nfs", "nas_delete_4x.txt"),
    ("4.1", "esxcfg-nas -a -o 10.0.0.1 -s /ok Win2k8_Share", "nas_add_ok_4x.txt"),
    ("6.7", "esxcfg-nas -a -o 10.0.0.1 -s /none Belstar_Ae2", "nas_add_denied_6x.txt"),
    ("7.0", "esxcli storage nfs add -H 192.168.1.22 -s /volume1/vmnfsbackup -v x", "nfs_add_duplicate_70.txt"),
    ("7.0", "esxcli storage nfs remove -v nfsbackup", "nfs_remove_busy.txt"),
    ("6.0", "esxcli graphics host refresh", "unknown_namespace_60.txt"),
    ("6.5", "vim-cmd vmsvc/power.getstate 1", "power_getstate_off_65.txt"),
    ("8.0", "vim-cmd vmsvc/power.getstate 2", None),
    ("5.1", "/etc/init.d/hostd status", "hostd_status_51.txt"),
    ("5.5", "vim-cmd hostsvc/datastore/summary nosuch", "datastore_not_found.txt"),
    ("4.1", "cat /bootbank/boot.cfg", "boot_cfg_41_installable.txt"),
]  # fmt: skip
MOUNTS = {
    "7.0": NfsMount("nfsbackup", "192.168.1.22", "/volume1/vmnfsbackup"),
    "6.5": NfsMount("ISOs", "192.168.0.100", "/srv/nfs/ISOs"),
    "5.0": NfsMount("nfs", "192.168.1.107", "/rpool1/nfs_share"),
    "4.1": NfsMount("NAS_1", "10.178.250.10", "/vol/data1"),
}
GROUPS_65 = (
    PortGroup("VM_VLAN1"), PortGroup("VM_VLAN3", vlan=3, clients=1), PortGroup("iscsi", "storage", clients=1),
    PortGroup("nfs-for-vm", "storage"),
)  # fmt: skip


@pytest.mark.parametrize(("version", "command", "name"), SAYS)
def test_a_command_prints_what_a_real_host_printed(version: str, command: str, name: str | None) -> None:
    servers = {
        "192.168.1.22": ("/volume1/vmnfsbackup",),
        "192.168.1.107": ("/rpool1/nfs_share",),
        "10.0.0.1": ("/ok",),
    }
    mounts = (MOUNTS[version],) if version in MOUNTS else ()
    groups = GROUPS_65 if version == "6.5" else ()
    machine = Machine(1, "vm", "datastore1", "vm/vm.vmx")
    on = host(version, Storage(servers), nfs=mounts, port_groups=groups, machines=(machine,), mount_delay=0.0)
    if "remove" in command:
        on.open_files.add("nfsbackup")
    ran = script(on, command)
    if name is None:
        assert ran.out == capture("vim_notfound_80.txt").replace('"1"', '"2"')
    else:
        assert ran.out == capture(name)
    assert ran.err == ""


@pytest.mark.parametrize("index", range(3))
def test_uname_is_laid_out_as_captured(index: int) -> None:
    line = capture("uname_a_lines.txt").splitlines()[index]
    words = line.split()
    version = {"5.5.0": "5.5", "6.7.0": "6.7", "8.0.2": "8.0"}[words[2]]
    ours = script(host(version), "uname -a").out.split()
    assert (len(ours), ours[0], ours[2], ours[-1]) == (len(words), words[0], words[2], words[-1])


def test_vmware_says_version_and_level() -> None:
    pairs = capture("vmware_lv_pairs.txt").split("--\n")
    for version in ("4.1", "5.0", "5.1"):
        assert script(host(version), "vmware -lv").out in pairs


def test_the_first_backup_of_a_new_key_says_so_on_5x() -> None:
    on = host("5.5")
    ran = script(on, "echo key > /etc/ssh/keys-root/authorized_keys; /sbin/auto-backup.sh")
    digits = re.compile(r"\d+(?=//etc)|(?<=Time: )\S+|(?<=Date: )\S+")
    ours, real = digits.sub("N", ran.err + ran.out), digits.sub("N", capture("auto_backup_55_newkey.txt"))
    assert sorted(ours.splitlines()) == sorted(real.splitlines())
