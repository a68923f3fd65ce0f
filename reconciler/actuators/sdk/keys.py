"""Root's keys over HTTPS: `https://HOST/host/ssh_root_authorized_keys`, from 5.1 on (field guide sdk.md).

GET shows the file, PUT replaces it as a whole. So it is read just before it is written, what everyone else put there
stays byte for byte, and it is read again afterwards: only that counts.
"""

from __future__ import annotations

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.describing import KEYS_PATH
from reconciler.actuators.sdk.session import Session, Stumbled
from reconciler.kinds.key_lines import KeyLine, parse_key_line, read_lines
from reconciler.transports.sdk import HttpAnswer
from reconciler.transports.sdk.answers import Passing
from reconciler.verbs import AppendKeys, RewriteKeys

OK, MISSING = 200, 404
CHANGED = "the file has changed since it was looked at"


def append(verb: AppendKeys, session: Session) -> Answer:
    """Add what is missing at the end. Nothing is written when nothing is missing.

    Raises MethodFault, Stumbled, faults.Unreachable.
    """
    before = _get(session)
    if before is None and not verb.create:
        return Answer(False, "the file is gone since it was looked at")
    content = before or b""
    missing = [line for line in verb.lines if not _stands(line, content)]
    if not missing:
        return Answer(True)
    begun = b"\n" if content and not content.endswith(b"\n") else b""
    wanted = content + begun + b"".join(line + b"\n" for line in missing)
    return _replaced(session, before, wanted, grown=True)


def rewrite(verb: RewriteKeys, session: Session) -> Answer:
    """Replace the text, provided that it is still the old one. Raises as `append`."""
    before = _get(session)
    if before == verb.new:
        return Answer(True)
    if before != verb.old:
        return Answer(False, CHANGED)
    return _replaced(session, before, verb.new, grown=False)


def _stands(line: bytes, content: bytes) -> bool:
    """Whether a line is there already; a key counts by itself and its options, whatever its comment."""
    wanted = _key(line)
    found = read_lines(content)
    if wanted is None:
        return any(text.rstrip(b"\r\n") == line for text, _ in found)
    return any(
        key is not None and (key.identity, key.options) == (wanted.identity, wanted.options)
        for _, key in found
    )


def _key(line: bytes) -> KeyLine | None:
    return parse_key_line(line.decode("utf-8", "surrogateescape"))


def _replaced(session: Session, before: bytes | None, wanted: bytes, *, grown: bool) -> Answer:
    """PUT, and look. `grown`: what somebody else has added behind it meanwhile is no harm."""
    said, passing = _put(session, wanted)
    after = _get(session)
    if after == wanted or (grown and (after or b"").startswith(wanted)):
        return Answer(True)
    if after == before:
        return Answer(False, said or "the host took the file, but shows the old one", passing)
    if wanted.startswith(after or b""):
        return Answer(False, f"{said or 'the file on the host is torn'}; {_restored(session, before or b'')}")
    return Answer(False, said or "the file is not what was sent: somebody else wrote it at the same time")


def _put(session: Session, content: bytes) -> tuple[str, bool]:
    """What the host said against it ("": nothing), and whether it was away for a moment only."""
    try:
        answer = session.https("PUT", KEYS_PATH, body=content)
    except Passing as away:
        return away.said, True
    return ("", False) if 200 <= answer.status < 300 else (_said("PUT", answer), False)


def _restored(session: Session, old: bytes) -> str:
    """Put the old file back, once: what is missing of a torn one are keys of others too."""
    _put(session, old)
    back = (_get(session) or b"") == old
    return "the old file is back" if back else "the old file could not be put back"


def _get(session: Session) -> bytes | None:
    """The file; None when there is none. Raises MethodFault, Stumbled, faults.Unreachable."""
    answer = session.https("GET", KEYS_PATH)
    if answer.status == OK:
        return answer.body
    if answer.status == MISSING:
        return None
    raise Stumbled(_said("GET", answer))


def _said(method: str, answer: HttpAnswer) -> str:
    return f"{method} {KEYS_PATH} was answered with {answer.status} {answer.reason}".rstrip()
