"""Tools that read text."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable

from reconciler.simulator.shell.streams import encode
from reconciler.simulator.tools.call import Call, Outcome, Usage, contents, pieces, program


@program("/bin/cat")
async def cat(call: Call) -> int:
    _, words = call.options("u")
    outcome = Outcome(call)
    for word in words or ["-"]:
        try:
            async for piece in pieces(call, word):
                await call.out(piece)
        except BrokenPipeError:
            raise
        except OSError as problem:
            await _unread(outcome, word, problem)
    return outcome.status


async def _unread(outcome: Outcome, name: str, problem: OSError) -> None:
    """Complain as busybox does about a file that can't be opened or read."""
    if problem.errno == errno.EISDIR:
        outcome.status = 1
        await outcome.call.complain("read error: Is a directory")
    else:
        await outcome.failed(f"can't open '{name}'", problem)


@program("/bin/head", "/usr/bin/head")
async def head(call: Call) -> int:
    call.argv = _old_style(call.argv)
    options, words = call.options("n:c:")
    if "c" in options and len(words) <= 1:
        return await _first_bytes(call, words[0] if words else "-", _count(call, options["c"]))
    return await _part(call, words, lambda data: _head(call, data, options))


async def _first_bytes(call: Call, name: str, count: int) -> int:
    """Only what is asked for; of a pipe stdio reads ahead, and what it took is lost for others."""
    outcome = Outcome(call)
    try:
        async for piece in pieces(call, name):
            await call.out(piece[:count])
            count -= min(count, len(piece))
            if not count:
                break
    except BrokenPipeError:
        raise
    except OSError as problem:
        await _unread(outcome, name, problem)
    return outcome.status


def _old_style(argv: list[str]) -> list[str]:
    return [*argv[:1], *(f"-n{word[1:]}" if re.fullmatch(r"-\d+", word) else word for word in argv[1:])]


def _head(call: Call, data: bytes, options: dict[str, str]) -> bytes:
    if "c" in options:
        return data[: _count(call, options["c"])]
    count = _count(call, options.get("n", "10"))
    return b"".join(_lines(data)[:count])


def _lines(data: bytes) -> list[bytes]:
    """Lines with their newlines; only `\\n` ends one."""
    return re.findall(rb"[^\n]*\n|[^\n]+$", data)


def _count(call: Call, text: str) -> int:
    if not re.fullmatch(r"[-+]?\d+", text):
        raise Usage(f"{call.name}: invalid number '{text}'")
    return abs(int(text))


@program("/bin/tail", "/usr/bin/tail")
async def tail(call: Call) -> int:
    call.argv = _old_style(call.argv)
    options, words = call.options("n:c:")

    def part(data: bytes) -> bytes:
        text = options.get("c", options.get("n", "10"))
        count, from_start = _count(call, text), text.startswith("+")
        if "c" in options:
            return data[count - 1 :] if from_start else data[max(0, len(data) - count) :]
        rows = _lines(data)
        return b"".join(rows[max(0, count - 1) :] if from_start else rows[max(0, len(rows) - count) :])

    return await _part(call, words, part)


async def _part(call: Call, words: list[str], part: Callable[[bytes], bytes]) -> int:
    outcome = Outcome(call)
    found = await contents(call, words or ["-"], outcome)
    for index, (name, data) in enumerate(found):
        if len(words) > 1:
            await call.out(("\n" if index else "") + f"==> {name} <==\n")
        await call.out(part(data))
    return outcome.status


@program("/usr/bin/wc", "/bin/wc")
async def wc(call: Call) -> int:
    options, words = call.options("clwm")
    chosen = [letter for letter in "lwc" if letter in options] or ["l", "w", "c"]
    outcome = Outcome(call)
    if chosen == ["c"] and len(words) <= 1:
        return await _size(call, words[0] if words else "-", outcome)
    totals = dict.fromkeys("lwc", 0)
    found = await contents(call, words or ["-"], outcome)
    for name, data in found:
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data)}
        totals = {letter: totals[letter] + counts[letter] for letter in totals}
        await _counts(call, counts, chosen, name if words else "")
    if len(words) > 1:
        await _counts(call, totals, chosen, "total")
    return outcome.status


async def _size(call: Call, name: str, outcome: Outcome) -> int:
    size = 0
    try:
        async for piece in pieces(call, name):
            size += len(piece)
    except OSError as problem:
        await _unread(outcome, name, problem)
        return outcome.status
    await call.out(f"{size}" + (f" {name}" if name != "-" else "") + "\n")
    return 0


async def _counts(call: Call, counts: dict[str, int], chosen: list[str], name: str) -> None:
    form = "{}" if len(chosen) == 1 else "{:9d}"
    text = " ".join(form.format(counts[letter]) for letter in chosen)
    await call.out(text + (f" {name}" if name else "") + "\n")


@program("/usr/bin/cut", "/bin/cut")
async def cut(call: Call) -> int:
    options, words = call.options("d:f:c:b:s")
    if not {"f", "c", "b"} & set(options):
        raise Usage("cut: expected a list of bytes, characters, or fields")
    ranges = _ranges(call, options.get("f") or options.get("c") or options.get("b") or "")
    outcome = Outcome(call)
    for _, data in await contents(call, words or ["-"], outcome):
        for line in [row.rstrip(b"\n") for row in _lines(data)]:
            picked = _picked(line, ranges, options)
            if picked is not None:
                await call.out(picked + b"\n")
    return outcome.status


def _picked(line: bytes, ranges: list[tuple[int, int]], options: dict[str, str]) -> bytes | None:
    if "f" not in options:
        return b"".join(line[i : i + 1] for i in range(len(line)) if _within(i, ranges))
    delimiter = encode(options.get("d", "\t"))
    if delimiter not in line:
        return None if "s" in options else line
    return delimiter.join(piece for i, piece in enumerate(line.split(delimiter)) if _within(i, ranges))


def _within(index: int, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= index + 1 <= last for first, last in ranges)


def _ranges(call: Call, text: str) -> list[tuple[int, int]]:
    ranges = []
    for item in text.split(","):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", item)
        if match is None or not (match[1] or match[3]):
            raise Usage(f"cut: invalid range {text}")
        first = int(match[1] or 1)
        ranges.append((first, int(match[3] or 1 << 30) if match[2] else first))
    return ranges


@program("/usr/bin/tr", "/bin/tr")
async def tr(call: Call) -> int:
    options, words = call.options_first("dsc")
    if not words:
        raise Usage("Usage: tr [-cds] STRING1 [STRING2]")
    first = _set(words[0])
    if "c" in options:
        first = bytes(byte for byte in range(256) if byte not in first)
    second = _set(words[1]) if len(words) > 1 else b""
    data = await call.input()
    if "d" in options:
        data = data.translate(None, first)
    elif second:
        data = data.translate(bytes.maketrans(first, (second + second[-1:] * len(first))[: len(first)]))
    if "s" in options:
        data = re.sub(b"([" + re.escape(second or first) + b"])\\1+", rb"\1", data)
    await call.out(data)
    return 0


CLASSES = {
    "space": " \t\n\r\f\v",
    "upper": "A-Z",
    "lower": "a-z",
    "digit": "0-9",
    "alpha": "A-Za-z",
    "alnum": "A-Za-z0-9",
}


def _set(text: str) -> bytes:
    """The letters of a set, ranges and escapes spelled out."""
    for name, letters in CLASSES.items():
        text = text.replace(f"[:{name}:]", letters)
    from reconciler.simulator.shell.printing import unescape

    raw, out, index = unescape(encode(text), zero_octal=False), bytearray(), 0
    while index < len(raw):
        if index + 2 < len(raw) and raw[index + 1] == ord("-"):
            out += bytes(range(raw[index], raw[index + 2] + 1))
            index += 3
        else:
            out.append(raw[index])
            index += 1
    return bytes(out)


@program("/usr/bin/sort", "/bin/sort")
async def sort(call: Call) -> int:
    options, words = call.options("nrust:k:")
    outcome = Outcome(call)
    data = b"".join(_ended(each) for _, each in await contents(call, words or ["-"], outcome))
    rows = _lines(data)

    def key(row: bytes) -> tuple[float, bytes]:
        text = row.rstrip(b"\n")
        if "k" in options:
            column = int(re.match(r"\d+", options["k"])[0]) if re.match(r"\d+", options["k"]) else 1  # type: ignore[index]
            cells = text.split(encode(options["t"])) if "t" in options else text.split()
            text = b" ".join(cells[column - 1 :])
        number = re.match(rb"\s*(-?\d+(?:\.\d+)?)", text) if "n" in options else None
        return (float(number[1]) if number else 0.0, text)

    rows.sort(key=key, reverse="r" in options)
    if "u" in options:
        rows = [row for index, row in enumerate(rows) if not index or row != rows[index - 1]]
    await call.out(b"".join(rows))
    return outcome.status


def _ended(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\n"


@program("/usr/bin/uniq", "/bin/uniq")
async def uniq(call: Call) -> int:
    options, words = call.options("cdu")
    outcome = Outcome(call)
    groups: list[tuple[bytes, int]] = []
    for _, data in await contents(call, words[:1] or ["-"], outcome):
        for row in _lines(_ended(data)):
            if groups and groups[-1][0] == row:
                groups[-1] = (row, groups[-1][1] + 1)
            else:
                groups.append((row, 1))
    for row, count in groups:
        if ("d" in options and count == 1) or ("u" in options and count > 1):
            continue
        await call.out((f"{count:7d} ".encode() if "c" in options else b"") + row)
    return outcome.status


async def _sums(call: Call, algorithm: str) -> int:
    options, words = call.options("c")
    if "c" in options:
        raise Usage(f"{call.name}: -c is not simulated")
    outcome = Outcome(call)
    for name in words or ["-"]:
        digest = hashlib.new(algorithm, usedforsecurity=False)
        try:
            async for piece in pieces(call, name):
                digest.update(piece)
        except OSError as problem:
            await _unread(outcome, name, problem)
            continue
        await call.out(f"{digest.hexdigest()}  {name}\n")
    return outcome.status


@program("/usr/bin/md5sum", "/bin/md5sum")
async def md5sum(call: Call) -> int:
    return await _sums(call, "md5")


@program("/usr/bin/sha1sum", "/bin/sha1sum", since="5.0")
async def sha1sum(call: Call) -> int:
    return await _sums(call, "sha1")


@program("/usr/bin/sha256sum", "/bin/sha256sum", since="6.0")
async def sha256sum(call: Call) -> int:
    return await _sums(call, "sha256")


@program("/usr/bin/cmp", "/bin/cmp")
async def cmp(call: Call) -> int:
    options, words = call.options("sl")
    if len(words) != 2:
        raise Usage("Usage: cmp [-ls] FILE1 [FILE2]", 2)
    outcome = Outcome(call)
    found = await contents(call, words, outcome)
    if len(found) < 2:
        return 2
    first, second = found[0][1], found[1][1]
    if first == second:
        return 0
    if "s" not in options:
        shared = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
        if shared is None:
            await call.error(f"cmp: EOF on {words[0] if len(first) < len(second) else words[1]}\n")
        else:
            line = first[:shared].count(b"\n") + 1
            await call.out(f"{words[0]} {words[1]} differ: char {shared + 1}, line {line}\n")
    return 1
