"""Hosts refuse what real ones refuse."""

from __future__ import annotations

import pytest

from reconciler.simulator.faults import Fault
from reconciler.simulator.model import Machine, NfsMount, Storage
from reconciler.simulator.strikes import relieve, strike
from tests.simulator.support import host, script

VSWITCH = "esxcli network vswitch standard"
NFS = "esxcli storage nfs"
REFUSED = [
    ("6.7", f"{VSWITCH} add -v vSwitch0", "A portset with this name already exists\n"),
    (
        "6.7",
        f"{VSWITCH} portgroup add -p 'VM Network' -v vSwitch0",
        "A portgroup with the name VM Network already exists\n",
    ),
    ("6.7", f"{VSWITCH} portgroup add -p X -v nosuch", "Sysinfo error: Not found\n"),
    ("6.7", f"{VSWITCH} portgroup remove -p nosuch -v vSwitch0", "Sysinfo error: Not found\n"),
    ("6.7", f"{VSWITCH} portgroup set -p nosuch -v 1", "Sysinfo error: Not found\n"),
    ("6.7", f"{NFS} nosuch", "Error: Unknown command or namespace storage nfs nosuch\n"),
    ("5.5", "esxcli storage nfs41 list", "Error: Unknown command or namespace storage nfs41 list\n"),
    ("6.5", "esxcli --formatter=json storage nfs list", "Error: Unknown formatter: json\n"),
]


@pytest.mark.parametrize(("version", "command", "said"), REFUSED)
def test_a_refusal_is_on_standard_output_with_status_1(version: str, command: str, said: str) -> None:
    ran = script(host(version), command)
    assert (ran.out, ran.err, ran.status) == (said, "", 1)


MISSING = [
    "esxcli storage nfs list",
    "localcli storage nfs list",
    "sha1sum /etc/hosts",
    "crypto-util",
    "/etc/init.d/SSH status",
]


@pytest.mark.parametrize("command", MISSING[1:])
def test_4x_lacks_what_came_later(command: str) -> None:
    ran = script(host("4.1"), command)
    assert ran.status == 127
    assert "not found" in ran.err


def test_4x_esxcli_knows_no_storage_namespace() -> None:
    ran = script(host("4.1"), MISSING[0])
    assert (ran.out, ran.status) == ("Error: Unknown command or namespace storage nfs list\n", 1)


@pytest.mark.parametrize(
    "missing",
    [
        "-s /a -v n",
        "-H filer -v n",
        "-H filer -s /a",
        "-H filer -s /a -v n --nooption",
        "-H filer -s /a -v n x",
    ],
)
def test_a_wrong_call_mounts_nothing(missing: str) -> None:
    on = host("6.7", Storage({"filer": ("/a",)}))
    assert script(on, f"{NFS} add {missing}").status == 1
    assert on.config.mounts == []


@pytest.mark.parametrize(
    ("state", "text"),
    [("down", "Unable to connect to NFS server"), ("deny", "The NFS server denied the mount request")],
)
def test_a_mount_that_fails_says_why(state: str, text: str) -> None:
    storage = Storage({"filer": ("/a",)})
    storage.set_state("filer", state)
    ran = script(host("6.7", storage, mount_delay=0.0), f"{NFS} add -H filer -s /a -v repo")
    assert ran.status == 1
    assert ran.out == (
        "Unable to connect to NAS volume repo: Unable to complete Sysinfo operation.  Please see the VMkernel log "
        f"file for more details.: Sysinfo error: {text}See VMkernel log for details.\n"
    )


def test_there_is_a_limit_of_mounts() -> None:
    paths = tuple(f"/e{number}" for number in range(10))
    on = host("6.7", Storage({"filer": paths}))
    ran = script(on, "".join(f"{NFS} add -H filer -s {path} -v n{path[1:]}\n" for path in paths[:9]))
    assert "NFS has reached the maximum number of supported volumes" in ran.out
    assert len(on.config.mounts) == 8
    raised = script(
        on, f"esxcli system settings advanced set -o /NFS/MaxVolumes -i 9 && {NFS} add -H filer -s /e8 -v n8"
    )
    assert (raised.out, raised.status) == ("", 0)


def test_a_name_that_a_volume_has_is_taken() -> None:
    ran = script(host("6.7", Storage({"filer": ("/a",)})), f"{NFS} add -H filer -s /a -v datastore1")
    assert "Already exists" in ran.out


def test_what_machines_stand_on_is_busy() -> None:
    machine = Machine(1, "vm", "repo", "vm/vm.vmx", running=True)
    on = host("6.7", Storage({"filer": ("/a",)}), nfs=(NfsMount("repo", "filer", "/a"),), machines=(machine,))
    ran = script(on, f"{NFS} remove -v repo")
    assert (ran.out, ran.status) == (
        "Error performing operation: NFS Error: Unable to Unmount filesystem: Busy.\n",
        1,
    )


def test_a_machine_on_a_lost_datastore_is_not_listed() -> None:
    machine = Machine(12, "vm", "repo", "vm/vm.vmx")
    on = host("6.7", Storage({"filer": ("/a",)}), nfs=(NfsMount("repo", "filer", "/a"),), machines=(machine,))
    strike(on, Fault("nfs-down"))
    ran = script(on, "vim-cmd vmsvc/getallvms")
    assert (ran.out.count("\n"), ran.err) == (1, "Skipping invalid VM '12'\n")


def test_mounting_opens_the_firewall_and_unmounting_closes_it() -> None:
    on = host("6.7", Storage({"filer": ("/a",)}))
    rule = "esxcli network firewall ruleset list -r nfsClient | tail -n 1"
    ran = script(on, f"{rule}; {NFS} add -H filer -s /a -v r; {rule}; {NFS} remove -v r; {rule}")
    assert [line.split()[-1] for line in ran.out.splitlines()] == ["false", "true", "false"]


def test_a_vim_cmd_fault_has_status_0() -> None:
    ran = script(host("6.7"), "vim-cmd vmsvc/power.getstate 77")
    assert ran.status == 0
    assert ran.out.startswith("(vim.fault.NotFound) {")


def test_hostd_that_can_save_nothing_says_so_with_status_0() -> None:
    on = host("6.7", ssh_policy=False)
    strike(on, Fault("disk-full"))
    ran = script(on, "vim-cmd hostsvc/enable_ssh")
    assert (ran.status, ran.err, on.ssh_policy) == (0, "", False)
    assert ran.out.startswith("(vim.fault.HostConfigFault) {")


def test_nothing_can_be_made_beside_the_volumes() -> None:
    ran = script(host(), "mkdir /vmfs/volumes/x; mkdir /vmfs/volumes/nosuch/x")
    assert "'/vmfs/volumes/x': Operation not permitted" in ran.err
    assert "'/vmfs/volumes/nosuch/x': No such file or directory" in ran.err


def test_a_read_only_mount_is_not_written_to() -> None:
    on = host("6.7", Storage({"filer": ("/a",)}), nfs=(NfsMount("ro", "filer", "/a", read_only=True),))
    assert "Read-only file system" in script(on, "mkdir /vmfs/volumes/ro/x").err


def test_hosts_share_what_a_server_exports() -> None:
    storage = Storage({"filer": ("/a",)}, aliases={"10.0.0.1": "filer"})
    one = host("6.7", storage, nfs=(NfsMount("a", "filer", "/a"),))
    two = host("6.7", storage, nfs=(NfsMount("b", "10.0.0.1", "/a"),))
    script(one, "echo hi > /vmfs/volumes/a/f")
    assert script(two, "cat /vmfs/volumes/b/f").out == "hi\n"


def test_a_full_disk_takes_nothing_and_loses_nothing() -> None:
    on = host("6.7", authorized_keys=b"old\n")
    strike(on, Fault("disk-full"))
    path = on.release.keys_path
    assert script(on, f"echo new >> {path}").status == 1
    assert script(on, "esxcli network vswitch standard portgroup add -p X -v vSwitch0").status == 1
    assert (on.files.read(path), on.config.port_group("X")) == (b"old\n", None)
    relieve(on)
    assert script(on, f"echo new >> {path}").status == 0


def test_while_hostd_is_down_localcli_works() -> None:
    on = host("6.7")
    strike(on, Fault("hostd-down", polls=2))
    down = "Connect to localhost failed: Connection failure\n"
    assert script(on, "vim-cmd vmsvc/getallvms").out == down
    assert script(on, "localcli system version get").status == 0
    assert script(on, "esxcli system version get").out == down
    assert script(on, "esxcli system version get").status == 0


def test_a_script_that_never_ends_is_ended() -> None:
    assert script(host(), "while :; do :; done").status == 137


def test_what_newer_shells_know_is_not_there() -> None:
    ran = script(host(), "echo $'a'; [[ a = a ]]; echo $?")
    assert (ran.out, ran.err) == ("$a\n127\n", "sh: [[: not found\n")


def test_what_is_cut_off_is_not_run() -> None:
    ran = script(host(), "echo whole\nf() {\necho never\nmkdir /never\n")
    assert (ran.out, ran.status) == ("whole\n", 2)
    assert ran.err == 'sh: syntax error: unexpected end of file (expecting "}")\n'


def test_looking_changes_nothing() -> None:
    on = host("6.7", Storage({"filer": ("/a",)}), nfs=(NfsMount("repo", "filer", "/a"),))
    before = on.digest()
    ran = script(
        on,
        "esxcli storage nfs list; esxcli storage filesystem list; vim-cmd vmsvc/getallvms; cat /etc/hosts; ls -la /; "
        "tar -xzOf /bootbank/state.tgz local.tgz > /tmp/l; rm /tmp/l; find / -name x; chkconfig --list SSH; df -h",
    )
    assert ran.status == 0
    assert on.digest() == before
    assert not [each for each in on.executed if each.changing]


CHANGES = [
    ("mkdir /vmfs/volumes/datastore1/x", True),
    ("mkdir /tmp/x", False),
    ("echo x > /etc/x", True),
    ("echo x > /tmp/x", False),
    ("echo x > /dev/null", False),
    ("cat /etc/hosts > /bootbank/x", True),
    ("vim-cmd hostsvc/enable_ssh", True),
    ("chkconfig SSH on", True),
    ("chkconfig --list", False),
    ("tar -czf /bootbank/x.tgz /etc/hosts", True),
    ("tar -tzf /bootbank/state.tgz", False),
    ("cp /etc/hosts /tmp/x", False),
    ("mv /etc/hosts /tmp/x", True),
    ("/sbin/auto-backup.sh", True),
    ("{ echo x; } > /etc/x", True),
]


@pytest.mark.parametrize(("command", "changing"), CHANGES)
def test_commands_that_change_a_host_are_known(command: str, changing: bool) -> None:
    on = host()
    script(on, command)
    assert any(each.changing for each in on.executed) == changing
