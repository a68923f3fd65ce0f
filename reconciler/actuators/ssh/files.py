"""The commands that write files on a host. Each leaves the file whole, whenever it is cut.

/etc and /.ssh lie in RAM; the boot bank is a FAT volume, where names are 8.3 and a rename replaces in one go.
"""

from __future__ import annotations

from reconciler.transports.shell import print_bytes, quote
from reconciler.verbs import (
    AppendKeys,
    ArchiveKeys,
    OweBackup,
    ReplaceBootConfig,
    RewriteKeys,
    SaveConfiguration,
    digest,
)

Version = tuple[int, ...]
OWED = "/var/run/reconciler-owed"
TRIAL = "/var/run/reconciler-trial"
BANK = "/bootbank"
FIRST_MARKED: Version = (5, 0, 0)


def append_keys(verb: AppendKeys, version: Version) -> tuple[str, ...]:
    """One append, after a newline where the last line lacks it; the file keeps inode, mode and every other byte. On
    a full disk the part that was written is cut off again.

    Mode 1600 on 5.0 and later: the sticky bit is how visorfs marks what the configuration backup takes along.
    """
    path, folder = quote(verb.path), quote(verb.path.rpartition("/")[0])
    file_mode, folder_mode = ("1600", "755") if version >= FIRST_MARKED else ("600", "700")
    lines = print_bytes(b"".join(line + b"\n" for line in verb.lines))
    cut = f"dd if=/dev/null of={path} bs=1 seek=$((size)) 2>/dev/null; false"
    making = (
        f"[ -d {folder} ] || {{ mkdir -p {folder} && chmod {folder_mode} {folder}; }}",
        f"[ -e {path} ] || {{ : > {path} && chmod {file_mode} {path}; }}",
    )
    there = (f"[ -f {path} ] || {{ echo 'the file is gone since it was looked at'; false; }}",)
    return (
        *(making if verb.create else there),
        f'[ -z "$(tail -c 1 {path})" ] || echo >> {path}',
        f"size=$(wc -c < {path}) && {{ {lines} >> {path} || {{ {cut}; }}; }}",
    )


def rewrite_keys(verb: RewriteKeys, version: Version) -> tuple[str, ...]:
    """Write over the same inode, and never a longer text over a shorter one; if that fails, the old text comes back.
    Both texts travel with the command, so that no copy lies about on the host."""
    path = quote(verb.path)
    back = f"{{ {print_bytes(verb.old)} > {path}; false; }}"
    return (
        _unchanged(path, verb.old),
        f"{print_bytes(verb.new)} > {path} && {_holds(path, verb.new)} || {back}",
    )


def archive_keys(verb: ArchiveKeys, version: Version) -> tuple[str, ...]:
    """Make the archive under another name, unpack it as the loader will, compare, and only then rename it."""
    new, keys = f"{BANK}/vcl.new", ".ssh/authorized_keys"
    same = f'{{ [ ! -e /{keys} ] || [ "$(md5sum < /{keys})" = "$(md5sum < {TRIAL}/{keys})" ]; }}'
    unpacked = f"rm -rf {TRIAL} && mkdir -m 700 {TRIAL} && tar -C {TRIAL} -xzf {new} && {same}"
    return (
        "[ -d /.ssh ] || { mkdir -p /.ssh && chmod 700 /.ssh; }",
        f"tar -C / -czf {new} .ssh || {{ rm -f {new}; false; }}",
        f"{unpacked}; s=$?; rm -rf {TRIAL}; [ $s = 0 ] || rm -f {new}; exit $s",
        f"mv -f {new} {BANK}/vcl.tgz && {{ sync || true; }}",
    )


def replace_boot_config(verb: ReplaceBootConfig, version: Version) -> tuple[str, ...]:
    """The new text whole beside the old one, then one rename; what was there stays as boot.bak."""
    config, new, kept = f"{BANK}/boot.cfg", f"{BANK}/boot.new", f"{BANK}/boot.bak"
    return (
        _unchanged(config, verb.old),
        f"[ -f {BANK}/vcl.tgz ] || {{ echo 'there is no vcl.tgz to name'; false; }}",
        f"cp -f {config} {kept} && {_holds(kept, verb.old)}",
        f"{print_bytes(verb.new)} > {new} && {_holds(new, verb.new)} || {{ rm -f {new}; false; }}",
        f"{_unchanged(config, verb.old)}; mv -f {new} {config} && {{ sync || true; }}",
    )


def save_configuration(verb: SaveConfiguration, version: Version) -> tuple[str, ...]:
    """Run the host's own backup, and see that an archive changed: backup.sh tells of few of its failures. While a live
    update is pending it writes to the other bank.

    `backup.sh 0` counts its runs in a file that it saves, so that a backup that was made is never the same bytes.
    Sources: backup.sh of 5.x and 6.x; KB 301134 for a boot bank that is a link to /tmp.
    """
    bank = f"readlink -f {BANK} | grep -q '^/vmfs/volumes/'"
    lost = "echo 'the boot bank is no boot device: what is saved there is gone at the next boot'"
    archives = f"$(md5sum {BANK}/*.tgz /altbootbank/*.tgz 2>/dev/null)"
    stale = "echo 'the saved state is still the old one'"
    return (
        f"{bank} || {{ {lost}; false; }}",
        f'old={archives}; /sbin/backup.sh 0 && [ "{archives}" != "$old" ] || {{ {stale}; false; }}',
        f"rm -f {OWED}",
    )


def owe_backup(verb: OweBackup, version: Version) -> tuple[str, ...]:
    """A note in RAM: a boot forgets it together with what was not saved."""
    name = quote(verb.resource)
    return (f"grep -qxF {name} {OWED} 2>/dev/null || echo {name} >> {OWED}",)


def _unchanged(path: str, content: bytes) -> str:
    return f"{_holds(path, content)} || {{ echo 'the file has changed since it was looked at'; exit 1; }}"


def _holds(path: str, content: bytes) -> str:
    return f"[ \"$(md5sum < {path})\" = '{digest(content)}  -' ]"
