"""`authorizedKeys`: the keys that root must have, and that they survive a reboot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic import Field

from reconciler.facts import (
    AuthorizedKeys,
    Facts,
    Identity,
    KeysFile,
    Persistence,
    Question,
    SessionKey,
    Unseen,
)
from reconciler.kinds.key_lines import KeyLine, parse_key_line, read_lines, refused_by
from reconciler.kinds.key_persistence import judge as judge_persistence
from reconciler.kinds.model import (
    Change,
    Difference,
    Finder,
    Found,
    Fragment,
    Kind,
    LocalFile,
    Resource,
    Risk,
    Verdict,
    Wisher,
)
from reconciler.records import record
from reconciler.verbs import AppendKeys, MarkKeys, RewriteKeys

NAME = "authorizedKeys"
PLACE = ("ssh", "authorizedKeys")
EXCLUSIVE = ("ssh", "exclusiveKeys")


class KeyFile(Fragment):
    """A file with public keys, one a line, on the machine that runs the reconciler."""

    file: LocalFile = Field(description="path of a file with public keys", examples=["/etc/vcl/vcl.key.pub"])


class KeysWish(Fragment):
    """`spec.ssh`, the keys' part."""

    authorized_keys: list[str | KeyFile] | None = Field(
        default=None,
        description="keys that root must have; one per item: the key itself (a line of authorized_keys), or a file",
        examples=[["ssh-rsa AAAAB3NzaC1yc2E... VCL root account", {"file": "/etc/vcl/vcl.key.pub"}]],
    )
    exclusive_keys: bool = Field(
        default=False, description="remove every other key (never the one that the session itself uses)"
    )
    persist_keys: bool = Field(
        default=False,
        description="keys survive a reboot: ESXi 4.x by vcl.tgz and boot.cfg, 5.x and later by a configuration backup",
    )


@record
class KeysResource:
    """root's keys. `wanted` are whole lines; options in them are part of the wish."""

    wanted: tuple[KeyLine, ...]
    lines: tuple[str, ...]
    exclusive: bool
    persist: bool
    name: str = NAME
    place: tuple[str, ...] = PLACE

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ()

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield Identity()
        yield AuthorizedKeys()
        if self.exclusive:
            yield SessionKey()
        if self.persist:
            yield Persistence()

    def judge(self, facts: Facts) -> Verdict:
        file = facts.see(AuthorizedKeys())
        if isinstance(file, Unseen):
            return Verdict(unknown=file.why)
        if file.odd is not None:
            return Verdict(held=(f"{file.path} is {file.odd}, not a plain file",))
        there = [key for _, key in read_lines(file.content or b"") if key is not None]
        behind = [key for key in self.wanted if _hidden(key, there)]
        missing = [key for key in self.wanted if key not in behind and not _present(key, there)]
        foreign, findings = self._foreign(there, facts)
        adding, marking = self._adding(file, missing), self._marking(file)
        removing = self._removing(_grown(file, adding), foreign)
        lasting = self._lasting(file, bool(adding or marking), bool(removing), facts)
        return Verdict(
            (*adding, *removing, *marking, *lasting.changes),
            tuple(_hidden_text(key) for key in behind) + lasting.held,
            lasting.unknown,
            (
                *self._refused(facts),
                *map(_hidden_text, behind),
                *_unusable(file, there, self.wanted),
                *findings,
                *lasting.findings,
            ),
        )

    def _lasting(self, file: KeysFile, pending: bool, removing: bool, facts: Facts) -> Verdict:
        """What makes the keys last. What only a removal makes necessary goes with it, since that may be held."""
        if not self.persist:
            return Verdict()
        verdict = judge_persistence(self.wanted, file, pending, facts)
        if pending or not removing:
            return verdict
        more = judge_persistence(self.wanted, file, True, facts).changes
        following = (replace(change, follows=EXCLUSIVE) for change in more if change not in verdict.changes)
        return replace(verdict, changes=(*verdict.changes, *following))

    def _adding(self, file: KeysFile, missing: list[KeyLine]) -> tuple[Change, ...]:
        if not missing:
            return ()
        lines = tuple(
            self.lines[self.wanted.index(key)].encode("utf-8", "surrogateescape") for key in missing
        )
        create = file.content is None
        action = AppendKeys(file.path, lines, create=create)
        added = Difference("keys", [], [key.label for key in missing])
        why = (
            "there is no such file" if create else "root lacks " + ("a key" if len(missing) == 1 else "keys")
        )
        return (Change("create" if create else "update", Risk.SAFE, (added,), (action,), why, PLACE),)

    def _removing(self, file: KeysFile, foreign: list[KeyLine]) -> tuple[Change, ...]:
        if not foreign or file.content is None:
            return ()
        kept = b"".join(line for line, key in read_lines(file.content) if key not in foreign)
        action = RewriteKeys(file.path, file.content, kept, len(foreign))
        gone = Difference("keys", [key.label for key in foreign], [])
        why = "no spec names " + ("this key" if len(foreign) == 1 else "these keys")
        return (Change("update", Risk.SERVICE, (gone,), (action,), why, EXCLUSIVE),)

    def _marking(self, file: KeysFile) -> tuple[Change, ...]:
        if not self.persist or file.marked is not False:
            return ()
        mark = Difference("savedByEsxi", False, True)
        why = "it lacks the sticky bit, ESXi's mark for files that the configuration backup takes along"
        return (Change("update", Risk.SAFE, (mark,), (MarkKeys(file.path),), why, ("ssh", "persistKeys")),)

    def _foreign(self, there: list[KeyLine], facts: Facts) -> tuple[list[KeyLine], list[str]]:
        """Keys to be removed, and what to say of those that are spared."""
        if not self.exclusive:
            return [], []
        wanted = {key.identity for key in self.wanted}
        foreign = [key for key in there if key.identity not in wanted]
        session = facts.see(SessionKey())
        if isinstance(session, Unseen):
            return [], [f"other keys are not removed: can't tell which one this session uses ({session.why})"]
        own = parse_key_line(session or "")
        mine = [key for key in foreign if own is not None and key.identity == own.identity]
        said = (
            [f"the key of this very session, {mine[0].label}, is in no spec; it is not removed"]
            if mine
            else []
        )
        return [key for key in foreign if key not in mine], said

    def _refused(self, facts: Facts) -> Iterable[str]:
        product = facts.see(Identity())
        if not isinstance(product, Unseen):
            for key in self.wanted:
                why = refused_by(key, product.version)
                if why is not None:
                    yield f"the key {key.label} will be refused at login: {why}"


def _unusable(file: KeysFile, there: list[KeyLine], wanted: tuple[KeyLine, ...]) -> Iterable[str]:
    """Why sshd passes over what stands in the file."""
    for path in file.loose:
        yield f"others than root may write to {path}, so sshd takes no key from there: chmod go-w {path}"
    for key in there:
        if len(key.blob) % 4 and any(key.identity == it.identity for it in wanted):
            yield f"the key {key.label} stands in the file without its last '=', and sshd will not take that line"


def _grown(file: KeysFile, adding: tuple[Change, ...]) -> KeysFile:
    """The file as the removal will find it: with the keys that are added before."""
    added = [line for change in adding for verb in change.actions for line in getattr(verb, "lines", ())]
    if file.content is None or not added:
        return file
    begun = b"" if file.content.endswith(b"\n") or not file.content else b"\n"
    return replace(file, content=file.content + begun + b"".join(line + b"\n" for line in added))


def _present(wanted: KeyLine, there: list[KeyLine]) -> bool:
    return any(key.identity == wanted.identity and key.options == wanted.options for key in there)


def _hidden(wanted: KeyLine, there: list[KeyLine]) -> bool:
    """Whether the first line with that key, which is the one that sshd takes, has other options."""
    first = next((key for key in there if key.identity == wanted.identity), None)
    return first is not None and first.options != wanted.options


def _hidden_text(key: KeyLine) -> str:
    wish = "with other options" if key.options else "with options of its own"
    return (
        f"the key {key.label} stands in the file {wish}, and sshd takes the first line that fits; "
        "it is neither changed nor added a second time: put the options in the spec, or mend the line by hand"
    )


def resources(wish: KeysWish, wisher: Wisher) -> Iterable[Resource]:
    """The keys, when the spec names any."""
    if wish.authorized_keys is None:
        return
    found: dict[KeyLine, str] = {}
    for item in wish.authorized_keys:
        text = item if isinstance(item, str) else wisher.key_files.get(item.file, "")
        for line in text.splitlines():
            key = parse_key_line(line)
            if key is not None and not any(_same(key, other) for other in found):
                found[key] = line.strip()
    yield KeysResource(tuple(found), tuple(found.values()), wish.exclusive_keys, wish.persist_keys)


def _same(key: KeyLine, other: KeyLine) -> bool:
    return key.identity == other.identity and key.options == other.options


def asks(wish: KeysWish, facts: Facts) -> Iterable[Question[Any]]:
    """What has to be seen to tell which keys root has."""
    yield AuthorizedKeys()


def found(wish: KeysWish, facts: Facts) -> Iterable[Found]:
    """All of root's keys, in an order that does not depend on that in the file."""
    file = facts.see(AuthorizedKeys())
    if isinstance(file, Unseen):
        yield Found(NAME, PLACE, why=file.why)
        return
    if file.odd is not None:
        yield Found(NAME, PLACE, why=f"{file.path} is {file.odd}, not a plain file")
        return
    keys: dict[tuple[str, str], KeyLine] = {}
    for _, key in read_lines(file.content or b""):
        if key is not None:
            # sshd takes the first line with that key
            keys.setdefault(key.identity, key)
    odd = [key for key in keys.values() if not key.options.isprintable()]
    for key in odd:
        yield Found(NAME, PLACE, why=f"{key.label}: its options are no plain text")
    if len(keys) > len(odd):
        yield Found(NAME, PLACE, sorted(key.written for key in keys.values() if key not in odd))


KIND = Kind(NAME, "ssh", KeysWish, resources, Finder(asks, found))
