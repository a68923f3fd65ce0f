"""backup.sh, auto-backup.sh and crypto-util (field guide, sections 5.1 to 5.3; captures of 4.0, 5.5 and 6.7).

Inferred: from 7.0 on the scripts print as 6.7's do, with the lines of the unverified 8.x text where the state is
encrypted; the text of crypto-util's refusals.
"""

from __future__ import annotations

import asyncio
import difflib
import time

from reconciler.simulator import archive
from reconciler.simulator.saved import KEY_ID, LOCK, branched, certified, save, saved_files
from reconciler.simulator.shell.streams import decode
from reconciler.simulator.tools.call import Call, Usage, always, program, target


@program("/sbin/backup.sh", changing=always)
async def backup(call: Call) -> int:
    """`backup.sh 0|1 [BANK]`: its status hides most failures, as the real one's does."""
    words = call.argv[1:]
    if not words:
        await call.error("Usage: backup.sh IsShutdown [path]\n")
        return 0
    if words[0] not in ("0", "1"):
        await call.error("Usage: backup.sh IsShutdown [path]\n")
        return 1
    return await run_backup(call, (words[1:2] or ["/bootbank"])[0], words[0] == "1")


async def run_backup(call: Call, bank: str, shutdown: bool) -> int:
    """The work of backup.sh."""
    host = call.host
    if host.audit:
        return 0
    if not certified(host):
        await call.out("SSL certificates are invalid\n")
        return 1
    if not await _locked(call):
        return 1
    try:
        await _say_beginning(call, bank)
        try:
            save(host, bank, shutdown)
        except OSError as problem:
            await call.error(f"tar: write error: {problem.strerror}\nError (1) saving state to {bank}\n")
        await _say_end(call)
    finally:
        if host.files.find(LOCK) is not None and host.faults.get("backup-locked") is None:
            host.files.unlink(LOCK)
    return 0


async def _locked(call: Call) -> bool:
    """Take the lock; give up after a while, without a word."""
    until = asyncio.get_running_loop().time() + call.host.model.lock_wait
    while call.host.files.find(LOCK) is not None:
        if asyncio.get_running_loop().time() >= until:
            return False
        await asyncio.sleep(0.05)
    call.host.files.write(LOCK, b"")
    return True


async def _say_beginning(call: Call, bank: str) -> None:
    if not call.host.release.since(5):
        await call.out("config implicitly loaded\n")
    await call.out(f"Saving current state in {bank}\n")
    if call.host.release.encrypted:
        await call.out("Creating ConfigStore Backup\nLocking esx.conf\nCreating archive\nUnlocked esx.conf\n")
        await call.out(f"Using key ID {KEY_ID}\nto encrypt\n")


async def _say_end(call: Call) -> None:
    now = time.gmtime(call.host.now())
    await call.error("Clock updated.\n")
    if not call.host.release.encrypted:
        await call.error(time.strftime("Time: %H:%M:%S   Date: %m/%d/%Y   UTC\n", now))


@program("/sbin/auto-backup.sh", changing=always)
async def auto_backup(call: Call) -> int:
    """Compare with the saved state, and back up at the first difference. Status 0 nearly always."""
    host = call.host
    if host.files.find("/bootbank") is None:
        await call.error("Bootbank cannot be found at path '/bootbank'\n")
        return 1
    if host.files.find("/bootbank/state.tgz") is None:
        await run_backup(call, "/bootbank", False)
        return 0
    old = saved_files(host)
    if old is None:
        await call.error("tar: short read\n")
        return 1
    directory = f"/tmp/auto-backup.{host.new_pid()}" + ("" if host.release.since(5) else ".dir")
    if not host.release.since(5):
        await call.out("config implicitly loaded\nlocal.tgz\n" + "".join(f"{name}\n" for name in old))
    for path, node in branched(host):
        if old.get(path) == node.data:
            continue
        await _say_difference(call, path, old.get(path), node.data, directory)
        await run_backup(call, "/bootbank", False)
        return 0
    return 0


async def _say_difference(call: Call, path: str, before: bytes | None, now: bytes, directory: str) -> None:
    slash = "//" if call.host.release.since(5) else "/"
    other = f"{directory}{slash}{path}"
    if before is None and not call.host.release.since(6):
        await call.error(f"diff: can't stat '{other}': No such file or directory\n")
        return
    if b"\0" in now + (before or b""):
        await call.out(f"Binary files /{path} and {other} differ\n")
        return
    await call.out(unified(f"/{path}", other, now, before or b""))


def unified(first: str, second: str, old: bytes, new: bytes) -> str:
    """A unified diff as busybox prints it."""
    rows = difflib.unified_diff(
        decode(old).splitlines(keepends=True), decode(new).splitlines(keepends=True), first, second
    )
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


@program("/bin/crypto-util", "/usr/bin/crypto-util", changing=target, since="7.0")
async def crypto_util(call: Call) -> int:
    """`crypto-util envelope extract --aad ESXConfiguration IN OUT`; OUT must be a file."""
    words = call.argv[1:]
    if words[:2] != ["envelope", "extract"] or words[2:3] != ["--aad"] or len(words) != 6:
        raise Usage("Usage: crypto-util envelope extract --aad AAD INPUT OUTPUT")
    if words[5] == "-":
        raise Usage("crypto-util: cannot write to '-'")
    try:
        data = archive.unseal(call.files.read(words[4], call.cwd), call.host.seal_key, words[3].encode())
        call.files.write(words[5], data, call.cwd, 0o600)
    except OSError as problem:
        raise Usage(f"crypto-util: {words[4]}: {problem.strerror}") from problem
    except archive.BadArchive as problem:
        raise Usage(f"crypto-util: failed to extract envelope: {problem}") from problem
    return 0
