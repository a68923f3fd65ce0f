"""Shell text for a host: the one place where values are quoted and where commands are put together and taken apart.

Every ESXi has busybox ash and nothing more. Many commands travel in one exec: each runs in a subshell of its own,
and a mark with a random word and its exit status closes its output on both streams, so that the bytes between are
the command's own, to the letter. The text is sent to `sh` on standard input, because dropbear (ESXi 4.x) takes only
short commands; it is one shell function, so that a text cut on its way is a syntax error and nothing of it runs.
A command that has begun goes on to its end when the link is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from reconciler.records import record

VERSION_TEST = '"$(vmware -v 2>/dev/null)"'


@record
class Output:
    """What a whole script left: exit status (None when the session ended without one) and both streams."""

    status: int | None
    out: bytes
    err: bytes


@record
class Piece:
    """One command's part of the output, to the letter."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are kept as surrogates."""
        return self.out.decode("utf-8", "surrogateescape")

    @property
    def said(self) -> str:
        """All that it printed, for a person: esxcli prints its errors on standard output."""
        return (self.out + b"\n" + self.err).decode("utf-8", "replace").strip()


def quote(value: str) -> str:
    """`value` as one word of a shell command, whatever is in it.

    Raises ValueError for what no shell can carry: a NUL, and half a surrogate pair.
    """
    value.encode("utf-8", "surrogateescape")
    if "\0" in value:
        raise ValueError("a NUL can't be part of a shell command")
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", value):
        return value
    return "'" + value.replace("'", "'\\''") + "'"


def print_bytes(content: bytes) -> str:
    """A printf command that prints `content` to the letter, readable where it is text."""
    body = "".join(_printf_letter(byte) for byte in content)
    body = "\\055" + body[1:] if body.startswith("-") else body
    return f"printf {quote(body)}" if body else ":"


def _printf_letter(byte: int) -> str:
    letter = chr(byte)
    if letter in "\\%":
        return letter * 2
    if letter == "\n":
        return "\\n"
    return letter if 32 <= byte < 127 else f"\\{byte:03o}"


def reading_lines(
    always: Sequence[str], arms: Sequence[tuple[str, Sequence[str]]], functions: Iterable[str] = ()
) -> list[str]:
    """For a `script`: `always`, and the commands of the arm whose pattern fits what `vmware -v` prints, whatever their
    exit statuses.

    `arms` are (shell patterns, commands); commands are numbered through, `always` first. `functions` are definitions of
    shell functions that any of the commands may call.
    """
    lines = [*functions, *(_read(number, command) for number, command in enumerate(always))]
    number = len(always)
    lines.append(f"case {VERSION_TEST} in")
    for patterns, commands in arms:
        lines.append(f"{patterns})")
        lines += [_read(number + at, command) for at, command in enumerate(commands)]
        lines.append(";;")
        number += len(commands)
    return [*lines, "esac"]


def _read(number: int, command: str) -> str:
    return f"( {command}\n) </dev/null; reconciler_mark {number}"


def writing_script(commands: Iterable[str], word: str) -> bytes:
    """The commands in order, up to the first that fails."""
    lines = []
    for number, command in enumerate(commands):
        lines += [_read(number, command), '[ "$reconciler_status" = 0 ] || return 0']
    return script(lines, word)


def script(lines: Sequence[str], word: str, values: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Lines of commands as a script that marks the end of each; `word` is random. `values` are shell variables: what
    differs from host to host, so that the lines are the same for all."""
    mark = f'printf \'\\036 {word} %s %s\\036\' "$1" "$reconciler_status"'
    head = ["reconciler_mark() {", "reconciler_status=$?", mark, f"{mark} >&2", "}"]
    head += ["reconciler_run() {", "trap '' HUP PIPE"]
    given = [f"{name}={quote(value)}" for name, value in values.items()]
    text = "\n".join([*given, *head, *lines, "return 0", "}", "reconciler_run", ""])
    return text.encode("utf-8", "surrogateescape")


def split(output: Output, word: str) -> tuple[list[bytes], list[bytes]]:
    """Both streams, split where a mark begins: without the random word in it, and the same for the same output."""
    lead = _lead(word)
    return output.out.split(lead), output.err.split(lead)


def pieces(output: Output, word: str) -> dict[int, Piece]:
    """Take the output of a script apart: the number of each command that ended, and its piece."""
    return pieces_of(split(output, word), word)


def pieces_of(printed: tuple[list[bytes], list[bytes]], word: str) -> dict[int, Piece]:
    """As `pieces`, of what is `split` already."""
    out, err = (_cut(parts, _lead(word)) for parts in printed)
    return {
        number: Piece(status, text, err.get(number, (0, b""))[1]) for number, (status, text) in out.items()
    }


def _lead(word: str) -> bytes:
    return b"\x1e " + word.encode() + b" "


def _cut(parts: Sequence[bytes], lead: bytes) -> dict[int, tuple[int, bytes]]:
    end = b"\x1e"
    found: dict[int, tuple[int, bytes]] = {}
    text, *rests = parts
    for part in rests:
        mark, ended, rest = part.partition(end)
        number, _, status = mark.partition(b" ")
        if ended and number.isdigit() and status.isdigit():
            found[int(number)], text = (int(status), text), rest
        else:
            text += lead + part
    return found
