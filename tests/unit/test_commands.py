"""What is typed on a host for each verb: every value stays one argument, and a busybox does what is meant."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.actuators.ssh.commands import Version, commands
from reconciler.facts import NfsSource
from reconciler.image_verbs import LoadModule
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    AppendKeys,
    ArchiveKeys,
    MakeFolder,
    MarkKeys,
    MountNfs,
    MovePortGroup,
    OweBackup,
    RemountNfs,
    ReplaceBootConfig,
    RewriteKeys,
    SaveConfiguration,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)

OLD, NEW = (4, 1, 0), (6, 7, 0)
HOSTILE = [
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned; "',
    "a'b\"c\\d",
    "two\nlines\n",
    "a;b|c&d>e<f #g",
    "[datastore1] (1) *?{a,b}~!",
    "%s %d %2f",
    "-n",
    "~root $HOME",
    "\x1e\x01\x7f\t",
    "größe \N{SNOWMAN}",
    " ",
]
TOOLS = ["esxcli", "esxcfg-nas", "esxcfg-vswitch", "vim-cmd"]
FAKE = """#!/bin/sh
printf '%s\\0' "${0##*/}" "$@"
printf '\\001\\0'
case " $1 $3 " in *" $FAILING "*) exit 1;; esac
"""
STANDARD = ["esxcli", "network", "vswitch", "standard"]

Case = tuple[Callable[[str], Verb], Version, Callable[[str], list[list[str]]]]
MOUNT41 = NfsSource("a,b", "/x", "4.1", True)
CASES: dict[str, Case] = {
    "start": (lambda v: StartSsh(), NEW, lambda v: [["vim-cmd", "hostsvc/start_ssh"]]),
    "stop": (lambda v: StopSsh(), NEW, lambda v: [["vim-cmd", "hostsvc/stop_ssh"]]),
    "policy on": (lambda v: SetSshPolicy(True), OLD, lambda v: [["vim-cmd", "hostsvc/enable_ssh"]]),
    "policy off": (lambda v: SetSshPolicy(False), NEW, lambda v: [["vim-cmd", "hostsvc/disable_ssh"]]),
    "mount": (
        lambda v: MountNfs(v + "n", NfsSource(v + "s", "/" + v)),
        NEW,
        lambda v: [["esxcli", "storage", "nfs", "add", "-H", v + "s", "-s", "/" + v, "-v", v + "n"]],
    ),
    "mount 4.1": (
        lambda v: MountNfs(v, MOUNT41),
        NEW,
        lambda v: [["esxcli", "storage", "nfs41", "add", "-H", "a,b", "-s", "/x", "-v", v, "-r"]],
    ),
    "mount old": (
        lambda v: MountNfs(v + "n", NfsSource(v + "s", "/" + v)),
        OLD,
        lambda v: [["esxcfg-nas", "-a", "-o", v + "s", "-s", "/" + v, v + "n"]],
    ),
    "unmount": (
        lambda v: UnmountNfs(v, "3"),
        NEW,
        lambda v: [["esxcli", "storage", "nfs", "remove", "-v", v]],
    ),
    "unmount 4.1": (
        lambda v: UnmountNfs(v, "4.1"),
        NEW,
        lambda v: [["esxcli", "storage", "nfs41", "remove", "-v", v]],
    ),
    "unmount old": (lambda v: UnmountNfs(v, "3"), OLD, lambda v: [["esxcfg-nas", "-d", v]]),
    "remount": (
        lambda v: RemountNfs(v, MOUNT41, NfsSource(v, "/" + v)),
        NEW,
        lambda v: [
            ["esxcli", "storage", "nfs41", "remove", "-v", v],
            ["esxcli", "storage", "nfs", "add", "-H", v, "-s", "/" + v, "-v", v],
        ],
    ),
    "switch": (lambda v: AddSwitch(v), NEW, lambda v: [[*STANDARD, "add", "-v", v]]),
    "switch old": (lambda v: AddSwitch(v), OLD, lambda v: [["esxcfg-vswitch", "-a", v]]),
    "group": (
        lambda v: AddPortGroup(v + "p", v + "s"),
        NEW,
        lambda v: [[*STANDARD, "portgroup", "add", "-p", v + "p", "-v", v + "s"]],
    ),
    "group old": (
        lambda v: AddPortGroup(v + "p", v + "s"),
        OLD,
        lambda v: [["esxcfg-vswitch", "-A", v + "p", v + "s"]],
    ),
    "move": (
        lambda v: MovePortGroup(v + "p", v + "o", v + "n", 5, 10),
        NEW,
        lambda v: [
            [*STANDARD, "portgroup", "remove", "-p", v + "p", "-v", v + "o"],
            [*STANDARD, "portgroup", "add", "-p", v + "p", "-v", v + "n"],
            [*STANDARD, "portgroup", "set", "-p", v + "p", "-v", "10"],
        ],
    ),
    "move old": (
        lambda v: MovePortGroup(v + "p", v + "o", v + "n", 5, 0),
        OLD,
        lambda v: [
            ["esxcfg-vswitch", "-D", v + "p", v + "o"],
            ["esxcfg-vswitch", "-A", v + "p", v + "n"],
            ["esxcfg-vswitch", "-v", "0", "-p", v + "p", v + "n"],
        ],
    ),
    "vlan": (
        lambda v: SetVlan(v + "p", v + "s", 10),
        NEW,
        lambda v: [[*STANDARD, "portgroup", "set", "-p", v + "p", "-v", "10"]],
    ),
    "vlan old": (
        lambda v: SetVlan(v + "p", v + "s", 10),
        OLD,
        lambda v: [["esxcfg-vswitch", "-v", "10", "-p", v + "p", v + "s"]],
    ),
}
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tools that print their arguments."""
    folder = tmp_path_factory.mktemp("tools")
    for name in TOOLS:
        (folder / name).write_text(FAKE)
        (folder / name).chmod(0o755)
    return folder


def busybox(text: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("busybox")
    assert program is not None, "these tests need busybox: apt-get install busybox"
    environment.setdefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    raw = text.encode("utf-8", "surrogateescape")
    return subprocess.run([program, "sh"], input=raw, capture_output=True, env=environment, check=False)


def arguments(printed: bytes) -> list[list[str]]:
    calls = printed.decode("utf-8", "surrogateescape").split("\0\x01\0")
    return [call.split("\0") for call in calls if call]


def called(tools: Path, lines: list[str], failing: str = "nothing") -> list[list[str]]:
    path = f"{tools}:/usr/bin:/bin"
    return arguments(busybox("\n".join(lines), PATH=path, FAILING=failing).stdout)


@pytest.mark.parametrize("name", CASES)
def test_no_hostile_value_is_more_or_less_than_one_argument(name: str, tools: Path) -> None:
    make, version, wanted = CASES[name]
    lines = [line for value in HOSTILE for line in commands(make(value), version)]
    assert called(tools, lines) == [call for value in HOSTILE for call in wanted(value)]


@given(st.sampled_from(sorted(CASES)), words)
@example("mount old", "it's $(x)\n")
@settings(max_examples=60, deadline=None)
def test_any_value_is_one_argument(tools: Path, name: str, value: str) -> None:
    make, version, wanted = CASES[name]
    assert called(tools, list(commands(make(value), version))) == wanted(value)


def test_a_mount_that_fails_brings_the_old_one_back(tools: Path) -> None:
    remount = RemountNfs("ds (1)", NfsSource("filer", "/o'ld"), NfsSource("filer", "/new"))
    lines = list(commands(remount, NEW))
    assert [call[3:] for call in called(tools, lines, failing="storage add")] == [
        ["remove", "-v", "ds (1)"],
        ["add", "-H", "filer", "-s", "/new", "-v", "ds (1)"],
        ["add", "-H", "filer", "-s", "/o'ld", "-v", "ds (1)"],
    ]
    assert busybox(lines[0], PATH=f"{tools}:/bin", FAILING="storage add").returncode != 0


def test_a_mount_that_can_not_be_taken_away_stays_alone(tools: Path) -> None:
    lines = list(commands(RemountNfs("ds", NfsSource("filer", "/old"), NfsSource("filer", "/new")), OLD))
    assert called(tools, lines, failing="-d") == [["esxcfg-nas", "-d", "ds"]]


@pytest.mark.parametrize("failing", ["-A new", "-v -p"])
def test_a_port_group_that_can_not_move_comes_back(failing: str, tools: Path) -> None:
    lines = list(commands(MovePortGroup("it's", "old", "new", 5, 10), OLD))
    calls = called(tools, lines, failing=failing)
    assert calls[:2] == [["esxcfg-vswitch", "-D", "it's", "old"], ["esxcfg-vswitch", "-A", "it's", "new"]]
    assert calls[-3:] == [
        ["esxcfg-vswitch", "-D", "it's", "new"],
        ["esxcfg-vswitch", "-A", "it's", "old"],
        ["esxcfg-vswitch", "-v", "5", "-p", "it's", "old"],
    ]
    assert busybox(lines[0], PATH=f"{tools}:/bin", FAILING=failing).returncode != 0


@pytest.mark.parametrize(("loaded", "ok"), [("multiextent 1 64\n", True), ("multiextents 1 64\n", False)])
def test_a_module_that_is_loaded_already_is_as_good(loaded: str, ok: bool, tmp_path: Path) -> None:
    module = tmp_path / "vmkload_mod"
    module.write_text(f"#!/bin/sh\n[ \"$1\" = -l ] && printf '%s' '{loaded}'\n[ \"$1\" = -l ]\n")
    module.chmod(0o755)
    (line,) = commands(LoadModule("multiextent"), (5, 5, 0))
    assert (busybox(line, PATH=f"{tmp_path}:/usr/bin:/bin").returncode == 0) is ok


EVERY: list[Verb] = [
    *(make("a b") for make, _, _ in CASES.values()),
    MakeFolder("/vmfs/volumes/ds/a"),
    AppendKeys("/.ssh/authorized_keys", (b"ssh-rsa AAAA",), create=True),
    AppendKeys("/etc/ssh/keys-root/authorized_keys", (b"a", b"b")),
    MarkKeys("/etc/ssh/keys-root/authorized_keys"),
    RewriteKeys("/etc/ssh/keys-root/authorized_keys", b"a\nb\n", b"", 2),
    ArchiveKeys(),
    ReplaceBootConfig(b"modules=a", b"modules=a --- vcl.tgz"),
    SaveConfiguration(),
    OweBackup("datastore/a"),
]


@pytest.mark.parametrize("verb", EVERY, ids=lambda verb: type(verb).__name__)
@pytest.mark.parametrize("version", [OLD, (5, 0, 0), NEW])
def test_a_verb_is_shell_that_a_busybox_reads_and_one_line_for_people(verb: Verb, version: Version) -> None:
    lines = commands(verb, version)
    assert lines
    assert busybox("set -n\n" + "\n".join(lines)).stderr == b""
    assert verb.title
    assert "\n" not in verb.title


@pytest.mark.parametrize(
    ("verb", "title"),
    [
        (AppendKeys("/x", (b"a",)), "add 1 key to /x"),
        (AppendKeys("/x", (b"a", b"b")), "add 2 keys to /x"),
        (RewriteKeys("/x", b"", b"", 1), "remove 1 key from /x"),
        (SetSshPolicy(True), "start SSH with the host"),
        (SetSshPolicy(False), "do not start SSH with the host"),
        (RemountNfs("ds", MOUNT41, NfsSource("f", "/n")), "replace the mount ds by f:/n"),
    ],
)
def test_titles_are_said_as_people_say_them(verb: Verb, title: str) -> None:
    assert verb.title == title


def test_what_lives_in_the_saved_configuration_is_known() -> None:
    saved = {type(verb).__name__ for verb in EVERY if verb.saved}
    configuring = {
        "MountNfs",
        "UnmountNfs",
        "RemountNfs",
        "AddSwitch",
        "AddPortGroup",
        "MovePortGroup",
        "SetVlan",
    }
    assert saved == configuring | {"SetSshPolicy", "AppendKeys", "MarkKeys", "RewriteKeys"}
    assert not AppendKeys("/.ssh/authorized_keys", ()).saved


class Unknown(Verb):
    title = "unknown"


def test_a_verb_that_ssh_can_not_do_is_no_command() -> None:
    with pytest.raises(KeyError):
        commands(Unknown(), NEW)
