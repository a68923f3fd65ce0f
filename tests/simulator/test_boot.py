"""What a host remembers over a boot, what it forgets, and when it does not come up."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.simulator import BootFailure, bootcfg
from reconciler.simulator import config as configuration
from reconciler.simulator.archive import Member, pack, unpack
from reconciler.simulator.config import Configuration, Switch
from reconciler.simulator.faults import Fault
from reconciler.simulator.model import NfsMount, PortGroup, Storage
from reconciler.simulator.nfs_id import volume_id
from reconciler.simulator.saved import saved_files
from reconciler.simulator.strikes import relieve, strike
from reconciler.simulator.versions import RELEASES
from tests.simulator.support import HERE, host, script

KEYS = "/etc/ssh/keys-root/authorized_keys"
NEW = tuple(name for name in RELEASES if name != "4.1")


@pytest.mark.parametrize("version", NEW)
def test_a_key_survives_a_power_loss_only_after_a_backup(version: str) -> None:
    on = host(version)
    script(on, f"echo first >> {KEYS}; /sbin/auto-backup.sh; echo second >> {KEYS}")
    on.reboot(power_loss=True)
    assert on.files.read(KEYS) == b"first\n"


@pytest.mark.parametrize("version", NEW)
def test_a_clean_reboot_saves_first(version: str) -> None:
    on = host(version)
    script(on, f"echo key >> {KEYS}")
    on.reboot(power_loss=False)
    assert on.files.read(KEYS) == b"key\n"


@pytest.mark.parametrize("replace", ["mv /tmp/new {}", "sed -i s/old/new/ {}", "rm {}; echo new > {}"])
def test_a_file_that_was_replaced_is_not_saved(replace: str) -> None:
    on = host("6.7", authorized_keys=b"old\n")
    script(
        on,
        f"echo new > /tmp/new; cp /tmp/new /etc/new; {replace.format(KEYS, KEYS).replace('/tmp/new', '/etc/new')}",
    )
    assert on.files.read(KEYS) == b"new\n"
    script(on, "/sbin/backup.sh 0")
    on.reboot(power_loss=True)
    assert on.files.read(KEYS) == b""


def test_the_sticky_bit_marks_a_new_file_for_saving() -> None:
    on = host("6.7")
    script(on, "echo a > /etc/a; echo b > /etc/b; chmod +t /etc/b; /sbin/backup.sh 0")
    ran = script(on, "find /etc -maxdepth 1 -name '*#*'; stat -c '%A %n' /etc/a /etc/b")
    assert "/etc/.#b\n" in ran.out
    assert ran.out.endswith("-rw-r--r-- /etc/a\n-rw-r--r-T /etc/b\n")
    on.reboot(power_loss=True)
    assert (on.files.find("/etc/a"), on.files.read("/etc/b")) == (None, b"b\n")


def test_a_fresh_keys_file_is_empty_and_may_be_saved() -> None:
    assert script(host("6.7"), f"stat -c '%A %s' {KEYS}").out == "-rw------T 0\n"


def test_a_marker_cannot_be_made_by_hand() -> None:
    ran = script(host(), "echo x > '/etc/.#x'; mkdir /etc/.#y")
    assert ran.status == 1
    assert ran.err == (
        "sh: can't create /etc/.#x: Operation not permitted\n"
        "mkdir: can't create directory '/etc/.#y': Operation not permitted\n"
    )


def test_configuration_comes_back_only_when_saved() -> None:
    on = host("6.7", Storage({"filer": ("/a", "/b")}))
    script(on, "esxcli storage nfs add -H filer -s /a -v kept; /sbin/auto-backup.sh >/dev/null 2>&1")
    script(
        on,
        "esxcli storage nfs add -H filer -s /b -v lost; esxcli network vswitch standard portgroup add -p L -v vSwitch0",
    )
    on.reboot(power_loss=True)
    assert [mount.name for mount in on.config.mounts] == ["kept"]
    assert on.config.port_group("L") is None
    assert script(on, "ls /vmfs/volumes").out.split()[-1] == "kept"


def test_a_server_that_is_down_at_boot_leaves_the_mount_listed() -> None:
    storage = Storage({"filer": ("/a",)})
    on = host("6.7", storage, nfs=(NfsMount("repo", "filer", "/a"),))
    storage.set_state("filer", "down")
    assert "Input/output error" in script(on, "ls /vmfs/volumes/repo").err
    on.reboot(power_loss=True)
    assert "repo         filer  /a          false     true" in script(on, "esxcli storage nfs list").out
    assert script(on, "test -d /vmfs/volumes/repo").status == 1
    storage.set_state("filer", "up")
    script(on, "esxcfg-nas -r")
    assert script(on, "test -d /vmfs/volumes/repo").status == 0


def test_4x_forgets_keys_without_a_module() -> None:
    on = host("4.1")
    script(on, "mkdir /.ssh; echo key > /.ssh/authorized_keys")
    on.reboot(power_loss=False)
    assert on.files.find("/.ssh") is None


def test_4x_brings_keys_back_from_a_module_that_boot_cfg_names() -> None:
    on = host("4.1")
    script(on, "mkdir -m 700 /.ssh; echo key > /.ssh/authorized_keys; tar -C / -czf /bootbank/vcl.tgz .ssh")
    on.reboot(power_loss=True)
    assert on.files.find("/.ssh") is None
    script(on, "sed -i 's/^\\(modules=.*\\)$/\\1 --- vcl.tgz/' /bootbank/boot.cfg")
    on.reboot(power_loss=True)
    assert on.files.read("/.ssh/authorized_keys") == b"key\n"
    assert on.files.node("/.ssh").mode == 0o700


def test_a_module_that_is_listed_but_missing_stops_the_boot() -> None:
    on = host("4.1")
    script(on, "sed -i 's/^\\(modules=.*\\)$/\\1 --- vcl.tgz/' /bootbank/boot.cfg")
    with pytest.raises(BootFailure, match=r"Error loading /vcl.tgz; Fatal error: 15 \(Not found\)"):
        on.reboot(power_loss=True)
    assert not on.up
    assert "vcl.tgz" in on.down_reason


def test_a_module_that_is_cut_short_stops_the_boot() -> None:
    on = host("4.1")
    script(on, "mkdir /.ssh; tar -C / -cz .ssh | head -c 50 > /bootbank/vcl.tgz")
    script(on, "sed -i 's/^\\(modules=.*\\)$/\\1 --- vcl.tgz/' /bootbank/boot.cfg")
    with pytest.raises(BootFailure, match="Inconsistent data"):
        on.reboot(power_loss=True)


def test_a_truncated_boot_cfg_stops_the_boot() -> None:
    on = host("4.1")
    script(on, ": > /bootbank/boot.cfg")
    with pytest.raises(BootFailure, match="no hypervisor found"):
        on.reboot(power_loss=True)


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("modules=a --- b\nbuild=1\nupdated=1", ("a", "b")),
        ("MODULES = a---b debug=1 ---  c\r\nbuild=1", ("a", "b", "c")),
        ("modules=a\n# modules=x\nmodules=b --- /c\n", ("b", "c")),
        ("modules=a — b", ("a",)),
        ("nothing", ()),
    ],
)
def test_boot_cfg_is_read_as_the_loader_reads_it(text: str, modules: tuple[str, ...]) -> None:
    assert bootcfg.parse(text.encode()).modules == modules


@pytest.mark.parametrize(
    "name",
    [
        "boot_cfg_41_installable",
        "boot_cfg_50_head",
        "boot_cfg_67_altbootbank",
        "boot_cfg_installer_key_order",
    ],
)
def test_real_boot_cfgs_are_valid(name: str) -> None:
    read = bootcfg.parse((HERE / "captures" / f"{name}.txt").read_bytes())
    assert read.valid
    assert "state.tgz" in read.modules


def test_the_highest_updated_of_the_valid_banks_boots() -> None:
    def bank(updated: int, bootstate: int) -> bootcfg.BootConfig:
        return bootcfg.parse(f"build=1\nupdated={updated}\nbootstate={bootstate}\n".encode())

    assert bootcfg.choose([bank(1, 0), bank(2, 3)]) == 0
    assert bootcfg.choose([bank(1, 0), bank(2, 1)]) == 1
    assert bootcfg.choose([bank(2, 0), bank(2, 0)]) == 0
    assert bootcfg.choose([None, bank(0, 0)]) is None


@pytest.mark.parametrize("power_loss", [False, True])
def test_a_shutdown_with_an_update_pending_saves_into_both_banks(power_loss: bool) -> None:
    on = host("6.7")
    script(on, "cp /bootbank/* /altbootbank/; sed -i 's/^updated=.*/updated=9/' /altbootbank/boot.cfg")
    script(on, f"echo key >> {KEYS}; /sbin/backup.sh 0")
    bank = on.files.real("/bootbank")
    on.reboot(power_loss)
    assert on.files.real("/bootbank") != bank
    assert on.files.read(KEYS) == (b"" if power_loss else b"key\n")


@pytest.mark.parametrize(
    "hindrance", ["touch /tmp/bootbank.lck", ": > /etc/vmware/ssl/rui.key", "rm /bootbank"]
)
def test_a_shutdown_that_cannot_save_is_a_shutdown(hindrance: str) -> None:
    on = host("6.7")
    script(on, f"echo key >> {KEYS}; {hindrance}")
    on.reboot(power_loss=False)
    assert (on.up, on.files.read(KEYS)) == (True, b"")


def test_the_boot_bank_is_fat() -> None:
    on = host("6.7")
    ran = script(
        on,
        "cd /bootbank; echo a > New.Cfg; echo b > NEW.CFG; ls | grep -i new; cat new.cfg; mv new.cfg new.cfg; "
        "mv new.cfg BOOT.BAK; ls | grep -i -e new -e bak; echo x > a:b || echo refused",
    )
    assert ran.out == "New.Cfg\nb\nBOOT.BAK\nrefused\n"


def test_audit_mode_saves_nothing_and_says_nothing() -> None:
    on = host("4.1")
    script(on, "sed -i 's/^kernelopt=/kernelopt=auditMode=TRUE/' /bootbank/boot.cfg")
    on.reboot(power_loss=True)
    before = on.files.read("/bootbank/state.tgz")
    ran = script(on, "echo x >> /etc/hosts; /sbin/backup.sh 0")
    assert (ran.out, ran.err, ran.status) == ("", "", 0)
    assert on.files.read("/bootbank/state.tgz") == before


def test_a_backup_without_a_change_says_nothing_and_writes_nothing() -> None:
    on = host("6.7")
    before = on.digest()
    assert script(on, "/sbin/auto-backup.sh").out == ""
    assert on.digest() == before


@pytest.mark.parametrize("fault", ["silent-backup", "backup-locked", "disk-full", "bootbank-tmp"])
def test_a_backup_that_fails_has_status_0_all_the_same(fault: str) -> None:
    on = host("6.7", lock_wait=0.0)
    script(on, f"echo key >> {KEYS}")
    strike(on, Fault(fault))
    assert script(on, "/sbin/auto-backup.sh >/dev/null 2>&1").status == 0
    relieve(on)
    assert b"key\n" not in (saved_files(on) or {}).get(KEYS[1:], b"")
    on.reboot(power_loss=True)
    assert on.files.read(KEYS) == b""


def test_the_saved_state_of_8_can_be_read_on_the_host_only_into_a_file() -> None:
    on = host("8.0", authorized_keys=b"key\n")
    unpacked = "cd /tmp; tar -xzf /bootbank/state.tgz; crypto-util envelope extract --aad ESXConfiguration local.tgz.ve"
    assert script(on, f"{unpacked} -").status == 1
    assert script(on, f"{unpacked} l.tgz && tar -xzOf l.tgz {KEYS[1:]}").out == "key\n"
    assert script(on, f"{unpacked.replace('ESXC', 'C')} l.tgz").status == 1


def test_nfs_ids_are_those_of_real_hosts() -> None:
    assert volume_id("10.25.0.245", "/vmfs/volumes/nfs-datastore") == "95e378c2-863dd2b4"
    assert volume_id("192.168.1.10", "/c/data") == "5c302bd7-7ed49668"


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(
    st.dictionaries(NAMES, st.tuples(NAMES, NAMES, st.booleans()), max_size=3),
    st.dictionaries(NAMES, st.integers(0, 4095), max_size=3),
)
@example({'a" = "b/%2f': ("h", '/\\"x', True)}, {'p"g\\': 4095})
@settings(max_examples=60)
def test_esx_conf_carries_every_name(
    mounts: dict[str, tuple[str, str, bool]], groups: dict[str, int]
) -> None:
    written = Configuration(
        [Switch("vSwitch0", uplinks=["vmnic0"])],
        [PortGroup(name, "vSwitch0", vlan) for name, vlan in groups.items()],
        [NfsMount(name, server, share, read_only=flag) for name, (server, share, flag) in mounts.items()],
    )
    assert configuration.parse(configuration.render(written)) == written


@given(
    st.dictionaries(
        st.text("ab/.é", min_size=1, max_size=8).map(lambda name: "f/" + name.strip("/") + "x"),
        st.binary(max_size=600),
    )
)
@example({"f/x": b"\0\xff"})
def test_archives_come_back_as_they_went(contents: dict[str, bytes]) -> None:
    members = [Member(name, "f", 0o1600, 0, data) for name, data in contents.items()]
    assert unpack(pack(members)) == members
