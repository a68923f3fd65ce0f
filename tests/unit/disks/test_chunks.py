"""A disk's data in parts: every byte once, in order, and few runs."""

from __future__ import annotations

import itertools
import random
import shlex
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.actuators.ssh.images import parts
from reconciler.actuators.ssh.images.loads import loads
from reconciler.disks.chunks import BLOCK, CHUNK, SLACK, Chunk, Run, aligned, chunks, joined, taken

runs = st.lists(st.builds(Run, st.integers(0, 400 * BLOCK), st.integers(1, 40 * BLOCK)), max_size=12)
CAPACITY = 420 * BLOCK + 512


def covered(stretches: tuple[Run, ...]) -> set[int]:
    return {block for run in stretches for block in range(run.offset // BLOCK, -(-run.end // BLOCK))}


@given(runs)
@example([Run(5, 1), Run(BLOCK - 1, 2), Run(CAPACITY - 1, 9), Run(CAPACITY + BLOCK, 1)])
def test_aligned_stretches_hold_all_and_do_not_touch(some: list[Run]) -> None:
    whole = aligned(some, CAPACITY)
    inside = [Run(run.offset, min(run.end, CAPACITY) - run.offset) for run in some if run.offset < CAPACITY]
    assert covered(whole) == covered(tuple(inside))
    assert all(run.offset % BLOCK == 0 and run.end <= CAPACITY for run in whole)
    assert all(before.end < after.offset for before, after in itertools.pairwise(whole))


@given(runs)
@example([Run(0, BLOCK), Run(2 * BLOCK, 60 * BLOCK), Run(400 * BLOCK, BLOCK)])
def test_gaps_are_filled_up_to_the_slack(some: list[Run]) -> None:
    whole = aligned(some, CAPACITY)
    fewer = joined(whole)
    data, sent = sum(run.length for run in whole), sum(run.length for run in fewer)
    assert covered(whole) <= covered(fewer)
    assert sent <= data + data // SLACK
    assert len(fewer) <= len(whole)


@given(runs, st.sampled_from([BLOCK, 3 * BLOCK, CHUNK]))
@example([Run(0, 10 * BLOCK)], 3 * BLOCK)
def test_chunks_hold_every_byte_once(some: list[Run], size: int) -> None:
    whole = aligned(some, CAPACITY)
    found = chunks(whole, size)
    assert [chunk.number for chunk in found] == list(range(len(found)))
    assert all(0 < chunk.size <= size for chunk in found)
    bytes_in = [(run.offset, run.end) for chunk in found for run in chunk.runs]
    assert sum(end - start for start, end in bytes_in) == sum(run.length for run in whole)
    assert covered(tuple(Run(start, end - start) for start, end in bytes_in)) == covered(whole)


@given(runs, st.sampled_from([4096, BLOCK, 16 * BLOCK, 128 * BLOCK]))
@example([Run(0, BLOCK), Run(3 * BLOCK, BLOCK), Run(15 * BLOCK, 2 * BLOCK)], 16 * BLOCK)
def test_every_file_block_counts_once_in_which_something_stands(some: list[Run], block: int) -> None:
    whole = aligned(some, CAPACITY)
    touched = {at // block for run in whole for at in (*range(run.offset, run.end, 4096), run.end - 1)}
    assert taken(whole, block) == len(touched) * block


# -- the commands of a chunk -----------------------------------------------------------------------------------


def test_a_chunk_is_written_and_read_back_by_whole_blocks() -> None:
    chunk = Chunk(3, (Run(2 * BLOCK, 2 * BLOCK), Run(9 * BLOCK, 512)))
    assert parts.write_commands(chunk, "in", "flat") == (
        "dd if=in of=flat bs=65536 skip=0 seek=2 count=2 conv=notrunc && "
        "dd if=in of=flat bs=65536 skip=2 seek=9 count=1 conv=notrunc"
    )
    assert parts.read_commands(chunk, "flat") == (
        "{ dd if=flat bs=65536 skip=2 count=2 2>/dev/null; dd if=flat bs=65536 skip=9 count=1 2>/dev/null; }"
    )
    assert parts.layout(chunk) == ((chunk.runs[0], 0), (chunk.runs[1], 2 * BLOCK))


def test_runs_stand_on_whole_blocks_and_nothing_old_is_between_them() -> None:
    class Ones:
        def read_into(self, offset: int, room: memoryview) -> None:
            room[:] = b"1" * len(room)

    last = (Run(0, BLOCK), Run(4 * BLOCK, 100), Run(9 * BLOCK, 1))
    full = Chunk(0, (Run(0, 4 * BLOCK),))
    source: Any = Ones()
    contents = [bytes(load.content) for load in loads(source, [full, full, Chunk(2, last)])]
    assert contents[0] == contents[1] == b"1" * 4 * BLOCK
    assert contents[2] == b"1" * BLOCK + (b"1" * 100).ljust(BLOCK, b"\0") + b"1"


def test_compression_is_for_slow_links_and_what_shrinks() -> None:
    text, noise = b"text " * 100_000, random.Random(1).randbytes(500_000)
    assert not parts.worth_packing(text, None)
    assert not parts.worth_packing(text, parts.SLOW_LINK * 2)
    assert parts.worth_packing(text, parts.SLOW_LINK / 2)
    assert not parts.worth_packing(noise, parts.SLOW_LINK / 2)
    assert zlib.decompress(parts.packed(text), parts.GZIP) == text


@pytest.mark.parametrize("there", ["cat echo ls stat", "cat echo ls"])
def test_a_size_is_told_with_and_without_stat(there: str, tmp_path: Path) -> None:
    """Whether 4.1 has stat is not known: both forms have to be right, in the shell of a busybox."""
    program = shutil.which("busybox")
    assert program is not None, "this test needs busybox: apt-get install busybox"
    for tool in there.split():
        (tmp_path / tool).symlink_to(program)
    file = tmp_path / "it's a disk-flat.vmdk"
    with file.open("wb") as stream:
        stream.truncate((5 << 30) + 7)
    command = parts.size_of(shlex.quote(str(file)))
    tools = {"PATH": str(tmp_path)}
    # a busybox may run its own tools whatever the path says: then `stat` is hidden by a function
    hidden = "" if "stat" in there else "stat() { return 127; }; "
    for text, printed in ((command, f"{(5 << 30) + 7}"), (parts.size_of("/nowhere"), "")):
        done = subprocess.run(
            [program, "sh", "-c", hidden + text], env=tools, capture_output=True, check=False
        )
        assert done.stdout.decode().strip() == printed


def test_a_journal_is_believed_line_by_line() -> None:
    digest = "0" * 32
    every = chunks([Run(0, 3 * BLOCK)], BLOCK)
    lines = (f"0 {digest}", "1 torn", f"9 {digest}", "x", f"2 {digest}")
    assert parts.noted(lines, every) == {0: digest, 2: digest}
