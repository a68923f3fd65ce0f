"""gzip and dd: tools through which big files flow."""

from __future__ import annotations

import asyncio
import os
import re
import zlib
from collections.abc import AsyncIterator

from reconciler.simulator.nodes import Node
from reconciler.simulator.shell.redirect import passing
from reconciler.simulator.tools.call import PIECE, Call, Usage, paths, pieces, program

GZIP = 16 + zlib.MAX_WBITS


@program("/bin/gzip", changing=lambda shell, argv: paths(shell, argv) and "-c" not in argv)
async def gzip_(call: Call) -> int:
    options, words = call.options("cdf123456789")
    if "d" in options:
        return await _gunzip(call, words, "c" in options)
    level = next((int(letter) for letter in options if letter.isdigit()), 6)
    for name in words or ["-"]:
        await _convert(call, name, _packed(call, name, level), f"{name}.gz", "c" in options)
    return 0


@program("/bin/gunzip", changing=lambda shell, argv: paths(shell, argv) and "-c" not in argv)
async def gunzip(call: Call) -> int:
    options, words = call.options("cft")
    return await _gunzip(call, words, "c" in options, "t" in options)


@program("/bin/zcat")
async def zcat(call: Call) -> int:
    _, words = call.options("")
    return await _gunzip(call, words, True)


async def _gunzip(call: Call, words: list[str], to_stdout: bool, testing: bool = False) -> int:
    for name in words or ["-"]:
        plain = _plain(call, name)
        if testing:
            async for _ in plain:
                continue
        else:
            await _convert(call, name, plain, name.removesuffix(".gz"), to_stdout)
    return 0


async def _convert(
    call: Call, name: str, content: AsyncIterator[bytes], target: str, to_stdout: bool
) -> None:
    """Write to standard output, or to a file in whose favour the old one goes."""
    if name == "-" or to_stdout:
        async for piece in content:
            await call.out(piece)
        return
    whole = b"".join([piece async for piece in content])
    call.files.write(target, whole, call.cwd)
    call.files.unlink(name, call.cwd)


async def _packed(call: Call, name: str, level: int) -> AsyncIterator[bytes]:
    packing = zlib.compressobj(level, wbits=GZIP)
    async for piece in _opened(call, name):
        if packed := packing.compress(piece):
            yield packed
    yield packing.flush()


async def _plain(call: Call, name: str) -> AsyncIterator[bytes]:
    unpacking, begun = zlib.decompressobj(wbits=GZIP), b""
    async for piece in _opened(call, name):
        begun = (begun + piece)[:2]
        if len(begun) == 2 and begun != b"\x1f\x8b":
            raise Usage(f"{call.name}: invalid magic")
        try:
            plain = unpacking.decompress(piece)
        except zlib.error as problem:
            raise Usage(f"{call.name}: crc error") from problem
        if plain:
            yield plain
    if not begun:
        raise Usage(f"{call.name}: invalid magic")
    if not unpacking.eof:
        raise Usage(f"{call.name}: unexpected end of file")


async def _opened(call: Call, name: str) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces(call, name):
            yield piece
    except OSError as problem:
        raise Usage(f"{call.name}: can't open '{name}': {os.strerror(problem.errno or 0)}") from problem


# -- dd --------------------------------------------------------------------------------------------------------

OPERANDS = ("if", "of", "bs", "count", "skip", "seek", "conv")
CONVERSIONS = {"notrunc"}
NEWER_CONVERSIONS = {"notrunc", "fsync", "noerror", "sync"}


@program(
    "/bin/dd",
    changing=lambda shell, argv: any(
        word.startswith("of=") and not passing(shell, word[3:]) for word in argv
    ),
)
async def dd(call: Call) -> int:
    """`if= of= bs= count= skip= seek= conv=notrunc`, and from 7.0 on `iflag=fullblock`. Of a pipe one read makes a
    block, however short (the refusals' texts are inferred)."""
    values = _operands(call)
    size = _size(values["bs"] or "512")
    source = _source(call, values, size)
    target = _target(call, values, size)
    whole = part = 0
    offset = _size(values["seek"] or "0") * size
    try:
        async for block in source:
            blocks, rest = divmod(len(block), size)
            whole, part = whole + blocks, part + bool(rest)
            if target is None:
                await call.out(block)
            elif target.kind == "f":
                target.put(offset, block, call.files.now())
            offset += len(block)
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise Usage(f"dd: writing '{values['of']}': {os.strerror(problem.errno or 0)}") from problem
    await call.error(f"{whole}+{part} records in\n{whole}+{part} records out\n")
    return 0


def _operands(call: Call) -> dict[str, str]:
    newer = call.host.release.since(7)
    known = (*OPERANDS, "iflag", "oflag") if newer else OPERANDS
    values = dict.fromkeys((*OPERANDS, "iflag"), "")
    for word in call.argv[1:]:
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            raise Usage(f"dd: invalid argument '{word}'")
        values[name] = value
    conversions = set(filter(None, values["conv"].split(",")))
    if not conversions <= (NEWER_CONVERSIONS if newer else CONVERSIONS):
        raise Usage(f"dd: invalid argument 'conv={values['conv']}'")
    return values


async def _source(call: Call, values: dict[str, str], size: int) -> AsyncIterator[bytes]:
    """Blocks of the input; several at once where they come from a file."""
    count = _size(values["count"]) if values["count"] else None
    skip = _size(values["skip"] or "0")
    if not values["if"]:
        async for block in _piped(call, size, skip, count, full="fullblock" in values["iflag"]):
            yield block
        return
    try:
        node = call.files.node(values["if"], call.cwd)
        node.refuse_locked(writing=False)
    except OSError as problem:
        raise Usage(f"dd: can't open '{values['if']}': {os.strerror(problem.errno or 0)}") from problem
    if node.kind == "c":
        yield bytes((count or 0) * size if node.target == "zero" else 0)
        return
    offset = skip * size
    end = node.size if count is None else min(node.size, offset + count * size)
    step = max(size, PIECE // size * size)
    while offset < end:
        block = node.read_at(offset, min(step, end - offset))
        yield block
        offset += len(block)
        await asyncio.sleep(0)


async def _piped(call: Call, size: int, skip: int, count: int | None, *, full: bool) -> AsyncIterator[bytes]:
    number = 0
    while count is None or number < skip + count:
        block = await call.shell.fds[0].read(size)
        while full and 0 < len(block) < size and (more := await call.shell.fds[0].read(size - len(block))):
            block += more
        if not block:
            return
        number += 1
        if number > skip:
            yield block


def _target(call: Call, values: dict[str, str], size: int) -> Node | None:
    if not values["of"]:
        return None
    try:
        node = call.files.for_writing(values["of"], call.cwd, 0o666 & ~call.shell.umask)
        if node.kind == "f" and "notrunc" not in values["conv"]:
            node.truncate(_size(values["seek"] or "0") * size, call.files.now())
    except OSError as problem:
        raise Usage(f"dd: can't open '{values['of']}': {os.strerror(problem.errno or 0)}") from problem
    return node


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([kKMG]?)B?", text)
    if match is None:
        raise Usage(f"dd: invalid number '{text}'")
    return int(match[1]) * {"": 1, "k": 1024, "K": 1024, "M": 1 << 20, "G": 1 << 30}[match[2]]
