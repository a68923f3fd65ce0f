"""Whether root's keys survive a power loss, and what makes them. Part of `authorizedKeys`."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.facts import BootModules, Facts, KeysFile, Persistence, SavedState, Unseen
from reconciler.kinds.boot_config import BootConfig, read_boot_config, with_module
from reconciler.kinds.key_lines import KeyLine, read_lines
from reconciler.kinds.model import Change, Difference, Risk, Stage, Verdict
from reconciler.kinds.paths import VOLUMES
from reconciler.verbs import ArchiveKeys, ReplaceBootConfig, SaveConfiguration

MODULE = "vcl.tgz"
PLACE = ("ssh", "persistKeys")
VALID_STATES = 3


def judge(wanted: Iterable[KeyLine], file: KeysFile, pending: bool, facts: Facts) -> Verdict:
    """Compare what a boot would bring back with the wish. `pending`: the live file itself is about to change."""
    seen = facts.see(Persistence())
    if isinstance(seen, Unseen):
        return Verdict(unknown=f"can't see what a reboot would bring back: {seen.why}")
    if not seen.bank.startswith(VOLUMES):
        why = f"/bootbank leads to {seen.bank}, not to a boot device: what is saved there is gone at the next boot"
        return Verdict(held=(why,), findings=(f"the boot device is not there; {why}",))
    if isinstance(seen, SavedState):
        return _saved({key.identity for key in wanted}, file, pending, seen)
    return _modules(file, pending, seen)


def _saved(wanted: set[tuple[str, str]], file: KeysFile, pending: bool, seen: SavedState) -> Verdict:
    """5.0 and later: the keys have to be found in the saved state, and none that was removed."""
    findings = tuple(_state_findings(seen))
    live, saved = file.content or b"", seen.keys or b""
    if not pending and _lines(live, wanted) <= _lines(saved, wanted) and _lines(saved) <= _lines(live):
        return Verdict(findings=findings)
    kept = Difference("persistKeys", False, True)
    why = "the saved state does not have the keys as they are; a power loss would undo them"
    change = Change("update", Risk.SAFE, (kept,), (SaveConfiguration(),), why, PLACE, Stage.SAVING)
    return Verdict(changes=(change,), findings=findings)


def _lines(content: bytes, only: set[tuple[str, str]] | None = None) -> set[bytes]:
    """The lines that hold a key (one of `only`), without their ends."""
    keys = ((line, key) for line, key in read_lines(content) if key is not None)
    return {line.rstrip(b"\r\n") for line, key in keys if only is None or key.identity in only}


def _modules(file: KeysFile, pending: bool, seen: BootModules) -> Verdict:
    """4.x: the archive first, whole; then boot.cfg, which names it."""
    if seen.boot_cfg is None:
        return Verdict(held=("there is no /bootbank/boot.cfg to name the archive in",))
    config = read_boot_config(seen.boot_cfg)
    if config.strange is not None:
        why = f"/bootbank/boot.cfg is not as a loader expects it, and nothing is written to it: {config.strange}"
        return Verdict(held=(why,), findings=(why,))
    return Verdict(
        changes=(*_archive(file, pending, seen, config), *_naming(seen.boot_cfg, config)),
        findings=tuple(_module_findings(config, seen)),
        held=_no_room(seen.boot_cfg, config),
    )


def _archive(file: KeysFile, pending: bool, seen: BootModules, config: BootConfig) -> Iterable[Change]:
    kept = (Difference("archive", "whole" if seen.whole else None, "whole"),)
    broken = config.lists(MODULE) and not (seen.archive and seen.whole)
    if broken:
        what = f"{MODULE} there is damaged" if seen.archive else "there is no such file"
        why = f"boot.cfg names {MODULE}, and {what}: this host would not boot"
        yield Change("create", Risk.SAFE, kept, (ArchiveKeys(),), why, PLACE, Stage.REPAIR)
    if pending or not (broken or (seen.archive and seen.archived_keys == file.content)):
        why = (
            f"{MODULE} has not the keys as they are"
            if seen.archive
            else f"there is no {MODULE} in the boot bank"
        )
        wish = (Difference("archivedKeys", "other keys", "as they are"),) if seen.archive or broken else kept
        yield Change("update", Risk.SAFE, wish, (ArchiveKeys(),), why, PLACE, Stage.SAVING)


def _naming(boot_cfg: bytes, config: BootConfig) -> Iterable[Change]:
    if config.lists(MODULE) or _no_room(boot_cfg, config):
        return
    named = (Difference("bootModule", None, MODULE),)
    why = f"the modules line of boot.cfg does not name {MODULE}, so a boot would not unpack it"
    action = ReplaceBootConfig(boot_cfg, with_module(boot_cfg, MODULE))
    yield Change("update", Risk.SAFE, named, (action,), why, PLACE, Stage.SAVING)


def _no_room(boot_cfg: bytes, config: BootConfig) -> tuple[str, ...]:
    if config.lists(MODULE):
        return ()
    try:
        with_module(boot_cfg, MODULE)
    except ValueError as error:
        return (f"{MODULE} can't be named in /bootbank/boot.cfg: {error}",)
    return ()


def _module_findings(config: BootConfig, seen: BootModules) -> Iterable[str]:
    if config.audit_mode:
        yield "the host runs in audit mode (kernelopt of boot.cfg): it saves no configuration at all"
    other = _next_bank(seen.boot_cfg, seen.other_boot_cfg)
    if other is not None and not other.lists(MODULE):
        yield (
            f"/altbootbank is newer (updated={other.updated}) and does not name {MODULE}: "
            "the next boot takes that bank, and the keys are gone"
        )


def _state_findings(seen: SavedState) -> Iterable[str]:
    if seen.leftover:
        yield "a vcl.tgz of an older VCL is left in the boot bank; ESXi 5.0 and later do not need it"
    other = _next_bank(seen.boot_cfg, seen.other_boot_cfg)
    if other is not None:
        yield (
            f"an update is staged: the next boot takes /altbootbank (updated={other.updated}); "
            "what is proved here is the state in /bootbank"
        )


def _next_bank(this: bytes | None, other: bytes | None) -> BootConfig | None:
    """The other bank, if the loader takes it at the next boot: valid, and updated later."""
    if this is None or other is None:
        return None
    config = read_boot_config(other)
    newer = config.bootstate < VALID_STATES and config.updated > read_boot_config(this).updated
    return config if newer else None
