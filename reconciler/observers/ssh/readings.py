"""What is asked of an ESXi shell for each question, by release: commands, and how their answers are read. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    Datastores,
    Machines,
    NetworkState,
    Persistence,
    Place,
    Product,
    Question,
    ShellTimeout,
    SshState,
)
from reconciler.image_facts import (
    DisksInUse,
    FileBlock,
    HalfCopies,
    HostTime,
    ImageFolder,
    Library,
    ModuleLoaded,
    TopDisks,
)
from reconciler.observers.ssh import answers, images, registered, search, uses, volumes
from reconciler.observers.ssh.folders import ENTER, LOOK_INTO, volume_root
from reconciler.placement_facts import HardwareUuid
from reconciler.records import record
from reconciler.transports.shell import Piece


class Release(Enum):
    """The families of commands; the value is a shell pattern for what `vmware -v` prints.

    From 9.0 on the product is called VMware ESX again; classic ESX had versions 3 and 4.
    """

    V4 = "'VMware ESXi 4.'*"
    V5 = "'VMware ESXi 5.'*"
    V6 = "'VMware ESXi '[6-9].*|'VMware ESXi '[1-9][0-9].*|'VMware ESX 9.'*|'VMware ESX '[1-9][0-9].*"

    @classmethod
    def of(cls, product: Product) -> Release:
        major = product.version[0]
        return cls.V4 if major < 5 else cls.V5 if major == 5 else cls.V6


@record
class NthFolder(Question[Place]):
    """A folder that is asked for, by its number. Its path is given to the script in a variable: in it the hosts of a
    fleet differ, whose scripts are the same otherwise."""

    number: int

    @property
    def variable(self) -> str:
        return f"reconciler_folder_{self.number}"

    def values(self, path: str) -> dict[str, str]:
        """The shell variables that give it a path."""
        return {self.variable: path, f"{self.variable}_root": volume_root(path)}


@record
class Reading:
    """Commands of one question, and what their pieces say. `read` raises Unreadable when it can't tell.

    `functions` are definitions of shell functions that the commands call: they travel once, however many call them.
    """

    commands: tuple[str, ...]
    read: Callable[[Sequence[Piece]], Any]
    functions: tuple[str, ...] = ()


IDENTITY = Reading(("vmware -v",), answers.identity)

_KEYS_4X, _KEYS = "/.ssh/authorized_keys", "/etc/ssh/keys-root/authorized_keys"
_XML = "esxcli --formatter=xml "
_NETWORK = Reading(
    (_XML + "network vswitch standard list", _XML + "network vswitch standard portgroup list"),
    answers.network,
)
_MACHINES = Reading(("vim-cmd vmsvc/getallvms", _XML + "vm process list"), answers.machines)
_SSH = Reading(("chkconfig --list", "/etc/init.d/SSH status"), answers.ssh)
_TIMEOUT = Reading(
    (_XML + "system settings advanced list -o /UserVars/ESXiShellTimeOut",), answers.shell_timeout
)
_OWED = Reading(("cat /var/run/reconciler-owed",), answers.owed)
_NFS, _VOLUMES = _XML + "storage nfs list", _XML + "storage filesystem list"

_TRIAL = "t=/tmp/.reconciler-look.$$; rm -rf $t; mkdir -m 700 $t || exit 90; "
_ARCHIVE_4X = (
    "[ -e /bootbank/vcl.tgz ] || exit 4; " + _TRIAL + "tar -C $t -xzf /bootbank/vcl.tgz && "
    "{ [ -e $t/.ssh/authorized_keys ] || { rm -rf $t; exit 3; }; } && cat $t/.ssh/authorized_keys; "
    "s=$?; rm -rf $t; exit $s"
)
_MEMBER = "etc/ssh/keys-root/authorized_keys"
_STATE = (
    "[ -e /bootbank/state.tgz ] || exit 4; "
    + _TRIAL
    + "look() { cd $t && tar -xzf /bootbank/state.tgz || return 91; "
    "if [ -e local.tgz.ve ]; then crypto-util envelope extract --aad ESXConfiguration local.tgz.ve local.tgz "
    ">/dev/null || return 92; fi; [ -e local.tgz ] || return 93; "
    "z=z; tar -tzf local.tgz > names 2>/dev/null || { z=; tar -tf local.tgz > names || return 94; }; "
    f"name=$(grep -E '^(\\./)?{_MEMBER}$' names) || return 3; "
    f'tar -x${{z}}f local.tgz "$name" && cat "$name"; }}; look; s=$?; cd /; rm -rf $t; exit $s'
)
_OTHER_BANK = ("cat /bootbank/boot.cfg", "cat /altbootbank/boot.cfg")
_LEFTOVER = "grep -i 'vcl\\.tgz' /bootbank/boot.cfg; ls -d /bootbank/vcl.tgz"


def _keys_file(path: str) -> Reading:
    folder = path.rpartition("/")[0]
    return Reading((f"ls -ldn {path}", f"cat {path}", f"ls -ldn {folder}"), answers.keys_file(path))


_FIXED: dict[Release, dict[Question[Any], Reading]] = {
    Release.V4: {
        Datastores(): Reading(
            ("esxcfg-nas -l", "vim-cmd hostsvc/datastore/listsummary"),
            answers.datastores_4x,
        ),
        Machines(): Reading(("vim-cmd vmsvc/getallvms",), answers.machines),
        DisksInUse(): Reading((registered.LAYOUTS_AND_POWER, search.SEARCH_4X), uses.disks_in_use_4x),
        NetworkState(): Reading(("esxcfg-vswitch -l",), answers.network_4x),
        SshState(): Reading(("chkconfig --list", "/etc/init.d/TSM-SSH status"), answers.ssh),
        AuthorizedKeys(): _keys_file(_KEYS_4X),
        Persistence(): Reading(
            ("readlink -f /bootbank", "cat /bootbank/boot.cfg", "cat /altbootbank/boot.cfg", _ARCHIVE_4X),
            answers.boot_modules,
        ),
        BackupOwed(): _OWED,
    },
    Release.V5: {
        Datastores(): Reading((_NFS, _VOLUMES), answers.datastores),
        Machines(): _MACHINES,
        DisksInUse(): Reading(
            (registered.LAYOUTS, _XML + "vm process list", search.SEARCH), uses.disks_in_use
        ),
        NetworkState(): _NETWORK,
        SshState(): _SSH,
        ShellTimeout(): _TIMEOUT,
        AuthorizedKeys(): _keys_file(_KEYS),
        Persistence(): Reading(
            ("readlink -f /bootbank", _STATE, _LEFTOVER, *_OTHER_BANK), answers.saved_state
        ),
        BackupOwed(): _OWED,
    },
}
_FIXED[Release.V6] = {
    **_FIXED[Release.V5],
    Datastores(): Reading((_NFS, _VOLUMES, _XML + "storage nfs41 list"), answers.datastores),
}


def reading(question: Question[Any], release: Release, *, blind: bool = False) -> Reading | None:
    """How that release answers the question over SSH; None when it can't. `blind`: nobody knows yet which
    datastores can be reached."""
    if isinstance(question, NthFolder):
        guard = _only_vmfs(question) if blind else ""
        return Reading((f'{guard}ls -ldn "${question.variable}"/.',), answers.folder)
    return _FIXED[release].get(question) or _of_images(question)


def _only_vmfs(folder: NthFolder) -> str:
    """Let a command be tried only on VMFS: below an NFS mount whose server is gone it would hang. The name of a volume
    is a link to its id, whose form tells them apart; that of NFS 4.1 ends with zeros."""
    told, no = f'"$(readlink "${folder.variable}_root")"', f"exit {answers.NOT_NOW};;"
    return f"case {told} in *-0000-000000000000) {no} ????????-????????-????-????????????) ;; *) {no} esac; "


def _of_images(question: Question[Any]) -> Reading | None:
    """The questions that all releases answer alike."""
    if isinstance(question, ImageFolder) and not question.here:
        return Reading((images.command(question),), images.state(question), (ENTER, LOOK_INTO))
    if isinstance(question, Library) and not question.here:
        return Reading((volumes.library_script(question),), volumes.library, (ENTER,))
    if isinstance(question, HalfCopies):
        return Reading((volumes.half_copies_script(question),), volumes.half_copies, (ENTER,))
    if isinstance(question, FileBlock):
        return Reading((volumes.file_block_script(question),), volumes.file_block)
    if isinstance(question, TopDisks):
        return Reading((volumes.top_disks_script(question),), volumes.top_disks(question.configs))
    if isinstance(question, HostTime):
        return Reading(("date +%s",), volumes.seconds)
    if isinstance(question, HardwareUuid):
        return Reading(("esxcfg-info -u",), answers.hardware)
    if isinstance(question, ModuleLoaded):
        return Reading((volumes.MODULES,), volumes.module_loaded(question.module))
    return None
