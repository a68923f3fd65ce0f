"""From what commands printed to the answer of a question, and to "could not look" where it can't be told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.facts import (
    BackupOwed,
    BootModules,
    Facts,
    KeysFile,
    Place,
    Product,
    SavedState,
    ShellTimeout,
    SshService,
    SshState,
    Unseen,
)
from reconciler.faults import Bug
from reconciler.observers.ssh import answers
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.readings import Release, reading
from reconciler.placement_facts import HardwareUuid
from reconciler.transports.shell import Piece

KEYS = "/etc/ssh/keys-root/authorized_keys"
FILE = b"-rw------T    1 0        0              12 Jan  1  2020 x\n"
LOOSE = b"drwxrwxr-x    1 0        0              12 Jan  1  2020 x\n"
TIGHT = b"drwxr-xr-x    1 0        0              12 Jan  1  2020 x\n"
GETALLVMS = b"Vmid   Name   File   Guest OS   Version   Annotation\n"
NFS_LIST = b"""Volume Name  Host  Share  Accessible  Mounted  Read-Only   isPE  Hardware Acceleration
-----------  ----  -----  ----------  -------  ---------  -----  ---------------------
a            f     /e           true     true      false  false  Not Supported
"""
VOLUMES = b"""Mount Point        Volume Name  UUID  Mounted  Type  Size  Free
-----------------  -----------  ----  -------  ----  ----  ----
/vmfs/volumes/1-2  a            1-2      true  NFS     10     5
"""
SUMMARY = b"""Listsummary:

(vim.Datastore.Summary) [
   (vim.Datastore.Summary) {
      dynamicType = <unset>,
      datastore = 'vim.Datastore:f:/e',
      name = "a",
      url = "/vmfs/volumes/1-2",
      capacity = 10,
      freeSpace = 5,
      uncommitted = 0,
      accessible = true,
      multipleHostAccess = <unset>,
      type = "NFS",
   },
]
"""


def piece(out: bytes = b"", status: int = 0, err: bytes = b"") -> Piece:
    return Piece(status, out, err)


def missing(path: str = "x") -> Piece:
    return piece(status=1, err=f"cat: can't open '{path}': No such file or directory\n".encode())


def test_a_failed_command_is_no_empty_list() -> None:
    with pytest.raises(Unreadable, match="exit status 1"):
        answers.text_of(piece(b"", 1))
    with pytest.raises(Unreadable, match="NotFound"):
        answers.text_of(piece(b'(vim.fault.NotFound) {\n   msg = "gone"\n}\n', 0))


def test_the_releases_are_told_apart() -> None:
    releases = [Release.of(Product("VMware ESXi", (major, 0, 0), "1")) for major in (4, 5, 6, 8, 9)]
    assert releases == [Release.V4, Release.V5, Release.V6, Release.V6, Release.V6]
    assert answers.identity([piece(b"VMware ESXi 6.7.0 build-1\n")]).version == (6, 7, 0)


def test_datastores_of_both_dialects() -> None:
    (new,) = answers.datastores([piece(NFS_LIST), piece(VOLUMES)])
    (with_41,) = answers.datastores([piece(NFS_LIST), piece(VOLUMES), piece()])
    (old,) = answers.datastores_4x([piece(b"a is /e from f mounted\n"), piece(SUMMARY)])
    assert new == with_41
    assert (new.name, new.nfs and new.nfs.server, old.name, old.nfs and old.nfs.path) == ("a", "f", "a", "/e")
    assert (new.accessible, old.accessible) == (True, True)


def test_a_machine_that_can_not_be_read_makes_all_unknown() -> None:
    assert answers.machines([piece(GETALLVMS), piece()]) == ()
    with pytest.raises(Unreadable, match="lost"):
        answers.machines([piece(GETALLVMS, err=b"Skipping invalid VM '12'\n")])


def test_networks_ssh_and_timeouts() -> None:
    assert answers.network([piece(), piece()]).port_groups == ()
    heading = b"Switch Name      Num Ports   Used Ports  Configured Ports  MTU     Uplinks\n"
    row = b"vSwitch0         64          1           64                1500\n"
    assert answers.network_4x([piece(heading + row)]).vswitches == ("vSwitch0",)
    assert answers.ssh([piece(b"SSH on\n"), piece(b"SSH is running\n")]) == SshService(True, True)
    assert answers.ssh([piece(b"SSH off\n"), piece(b"usage: x\n", 1)]) == SshService(None, False)
    setting = b"   Path: /UserVars/ESXiShellTimeOut\n   Type: integer\n   Int Value: 600\n"
    assert answers.shell_timeout([piece(setting)]) == 600
    assert answers.folder([piece(TIGHT)]) is Place.FOLDER


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([missing(), missing(), piece(TIGHT)], KeysFile(KEYS, None)),
        ([piece(FILE), piece(b"k\n"), piece(TIGHT)], KeysFile(KEYS, b"k\n", True)),
        (
            [piece(FILE), piece(b"k\n"), piece(LOOSE)],
            KeysFile(KEYS, b"k\n", True, None, (KEYS.rpartition("/")[0],)),
        ),
        ([piece(TIGHT), piece(), piece(TIGHT)], KeysFile(KEYS, None, odd="a folder")),
    ],
    ids=["none", "there", "loose", "a folder"],
)
def test_the_keys_file(pieces: Sequence[Piece], expected: KeysFile) -> None:
    if pieces[0].status:
        pieces = [piece(status=1, err=b"ls: x: No such file or directory\n"), *pieces[1:]]
    assert answers.keys_file(KEYS)(pieces) == expected


def test_a_file_where_the_keys_folder_should_be_is_odd() -> None:
    below = piece(status=1, err=b"ls: x: Not a directory\n")
    odd = answers.keys_file(KEYS)([below, missing(), piece(FILE)]).odd
    assert odd == "below something that is no folder"


def test_boot_modules_and_saved_states() -> None:
    bank, config = piece(b"/vmfs/volumes/1\n"), piece(b"modules=a\n")
    whole = answers.boot_modules([bank, config, missing(), piece(b"k")])
    assert whole == BootModules("/vmfs/volumes/1", b"modules=a\n", None, True, True, b"k")
    assert answers.boot_modules([bank, config, config, piece(status=4)]).archive is False
    broken = answers.boot_modules([bank, config, config, piece(status=1, err=b"tar: short read\n")])
    assert (broken.archive, broken.whole) == (True, False)
    saved = answers.saved_state([bank, piece(b"k"), piece(b"vcl.tgz"), config, missing()])
    assert saved == SavedState("/vmfs/volumes/1", b"k", True, b"modules=a\n", None)


@pytest.mark.parametrize(
    "trouble", [piece(status=90), piece(status=1, err=b"tar: No space left on device\n")]
)
def test_a_full_disk_does_not_look_like_a_damaged_archive(trouble: Piece) -> None:
    bank, config = piece(b"/vmfs/volumes/1\n"), piece(b"modules=a\n")
    with pytest.raises(Unreadable, match="could not be unpacked"):
        answers.boot_modules([bank, config, config, trouble])
    with pytest.raises(Unreadable, match="could not be unpacked"):
        answers.saved_state([bank, trouble, piece(), config, config])


def test_what_is_owed_and_what_can_not_be_read() -> None:
    assert answers.owed([missing()]) == frozenset()
    assert answers.owed([piece(b"ssh\ndatastore/x y\n")]) == {"ssh", "datastore/x y"}
    with pytest.raises(Unreadable, match="could not be read"):
        answers.owed([piece(status=1, err=b"cat: read error: I/O error\n")])


def divide() -> float:
    return 1 / 0


def test_a_bug_names_its_place_and_shows_no_traceback() -> None:
    try:
        divide()
    except ZeroDivisionError as error:
        fault = Bug.of("esx", error)
    assert "ZeroDivisionError in divide (test_answers.py:" in fault.message
    assert "Traceback" not in fault.message
    assert Bug.of("esx", ValueError("x")).message == "esx: this is a bug of the reconciler: ValueError: x"


def test_a_question_that_a_release_does_not_answer_has_no_commands() -> None:
    assert reading(ShellTimeout(), Release.V4) is None


def test_a_fact_can_be_forgotten() -> None:
    facts = Facts({SshState(): SshService(True, True), BackupOwed(): frozenset()}).without(BackupOwed())
    owed = facts.see(BackupOwed())
    assert isinstance(owed, Unseen)
    assert facts.see(SshState()) == SshService(True, True)


@pytest.mark.parametrize(
    "text", [b"4C4C4544-0043-3010-8052-B4C04F564231\n", b"UUID: 4c4c4544-0043-3010-8052-b4c04f564231"]
)
def test_the_hardware_by_its_uuid(text: bytes) -> None:
    """No capture is known: on a line of its own, or behind words."""
    asked = reading(HardwareUuid(), Release.V6)
    assert asked is not None
    assert str(asked.read([piece(text)])).lower() == "4c4c4544-0043-3010-8052-b4c04f564231"
    with pytest.raises(Unreadable, match="no UUID"):
        asked.read([piece(b"unknown\n")])
