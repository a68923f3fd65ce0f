"""boot.cfg as its loader reads it. The loader here is written anew from the vendor's rules, to check the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.kinds.boot_config import read_boot_config, with_module
from tests.unit.kinds.worlds import CASES

WHITE = b" \t\v\f\r"
HEAD = b"build=4.1.0-1\nupdated=1\n"


def loaded(content: bytes) -> list[bytes]:
    """What a loader would load: the last modules line, comments cut, parted by three hyphens, options left out."""
    modules = b""
    for line in content.split(b"\n"):
        key, equals, value = line.split(b"#", 1)[0].partition(b"=")
        if equals and key.strip(WHITE).lower() == b"modules":
            modules = value.strip(WHITE)
    items = [item.strip(WHITE) for item in modules.split(b"---")]
    return [re.split(rb"[ \t\v\f\r]+", item)[0] for item in items if item]


def mixed_case(word: str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.sampled_from([letter, letter.upper()]) for letter in word)).map("".join)


blanks = st.text(" \t", max_size=3)
ends = st.sampled_from(["\n", "\r\n", " \n", "\t\r\n"])
names = st.from_regex(r"[a-z0-9._-]{1,8}\.(z|tgz|v00|b00)( debug=1)?", fullmatch=True)
separators = st.sampled_from([" --- ", "---", "  ---\t", " ---"])


@st.composite
def modules_lines(draw: st.DrawFn) -> str:
    text = draw(names)
    for name in draw(st.lists(names, max_size=4)):
        text += draw(separators) + name
    return draw(blanks) + draw(mixed_case("modules")) + draw(blanks) + "=" + draw(blanks) + text + draw(ends)


OTHERS = """
# modules=x.z
title=Loading VMware ESXi
kernelopt=auditMode=TRUE
no equals
prefix=
modules
timeout = 5
modulesx=1
#
nobootdev=1 # why
title=größe"""
other_lines = st.tuples(st.sampled_from(OTHERS.split("\n")), ends).map("".join)


@st.composite
def boot_configs(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(other_lines, max_size=6))
    needed = [
        draw(modules_lines()),
        "build=4.1.0-260247" + draw(ends),
        f"Updated = {draw(st.integers(1, 99))}\n",
    ]
    for line in needed:
        lines.insert(draw(st.integers(0, len(lines))), line)
    text = "".join(lines)
    return (text if draw(st.booleans()) else text.rstrip("\r\n")).encode()


@given(boot_configs())
@example(b"# a\r\n\r\nMODULES\t= k.z --- s.z debug=1 \t\r\nbuild=4.1.0-1\r\nupdated=2")
def test_one_module_more_and_every_other_byte_as_it_was(content: bytes) -> None:
    if read_boot_config(content).strange is not None:
        with pytest.raises(ValueError, match=r"."):
            with_module(content, "vcl.tgz")
        return
    result = with_module(content, "vcl.tgz")
    assert loaded(result) == [*loaded(content), b"vcl.tgz"]
    place = result.index(b" --- vcl.tgz", len(result) - len(content) - 12)
    changed = next(at for at, (a, b) in enumerate(zip(content + b"\0" * 12, result, strict=True)) if a != b)
    cut = max(at for at in range(changed + 1) if result[at : at + 12] == b" --- vcl.tgz")
    assert result[:cut] + result[cut + 12 :] == content
    assert content[cut:].split(b"\n")[0].strip() == b""
    assert place <= cut


@given(boot_configs())
@example(b"modules=k.z --- s.z\nbuild=1\nupdated=7\nbootstate=1\n")
def test_it_reads_what_a_loader_reads(content: bytes) -> None:
    config = read_boot_config(content)
    assert [name.encode() for name in config.modules] == loaded(content)


@given(st.binary())
@example(b"updated=" + b"9" * 5000)
@example(b"modules=\xff\x00\nmodules")
def test_no_bytes_are_too_strange_to_be_called_strange(content: bytes) -> None:
    config = read_boot_config(content)
    if config.strange is not None:
        with pytest.raises(ValueError, match="not one to write to"):
            with_module(content, "vcl.tgz")


@given(
    st.lists(st.sampled_from([*b"modules=k.z --- s.z#\r\n\t\v\xe2\x80\x94", 0x1C]), max_size=60).map(bytes)
)
@example(b"\x1cmodules=k.z\n")
@example(b"modules=k.z\rx\n")
def test_nothing_is_written_that_a_loader_would_not_read(middle: bytes) -> None:
    content = HEAD + middle
    try:
        result = with_module(content, "vcl.tgz")
    except ValueError:
        return
    assert loaded(result)[-1] == b"vcl.tgz"
    assert len(loaded(result)) == len(loaded(content)) + 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"modules=a.z\nmodules=b.z\n" + HEAD, "2 modules lines"),
        (b"kernel=b.z\n" + HEAD, "0 modules lines"),
        (b"modules= \n" + HEAD, "is empty"),
        ("modules=a.z \N{EN DASH} b.z\n".encode() + HEAD, "no ASCII"),
        (b"modules=a.z \x7f b.z\n" + HEAD, "no ASCII"),
        (b"modules=a.z -- b.z\n" + HEAD, "an item that is no file name: 'a.z -- b.z'"),
        (b"modules=a.z ---- b.z\n" + HEAD, "an item that is no file name: '- b.z'"),
        (b"modules=a.z --- --- b.z\n" + HEAD, "an item that is no file name: ''"),
        (b"modules=a.z \\--- b.z\n" + HEAD, "an item that is no file name"),
        (b"modules=a.z --- b z.z, c\n" + HEAD, None),
        (b"modules=a.z\nupdated=1\n", "`build` or `updated` is missing"),
        (b"modules=a.z\nbuild=1\nupdated=0\n", "`build` or `updated` is missing"),
        (b"modules=a.z\nbuild=1\nupdated=x\n", "`build` or `updated` is missing"),
        (b"title=" + b"x" * 500 + b"\nbootstate=0\nmodules=a.z\n" + HEAD, "bootstate line"),
        (b"bootstate=0\nmodules=a.z\n" + b"title=" + b"x" * 500 + b"\n" + HEAD, None),
    ],
)
def test_what_is_strange_is_named(content: bytes, why: str | None) -> None:
    strange = read_boot_config(content).strange
    assert strange is None if why is None else why in (strange or "")


def test_the_bootstate_is_not_pushed_out_of_the_loaders_sight() -> None:
    content = HEAD + b"modules=k.z\ntitle=" + b"x" * 440 + b"\nbootstate=0\n"
    assert read_boot_config(content).strange is None
    with pytest.raises(ValueError, match="bootstate line"):
        with_module(content, "some-long-name-of-a-module-that-takes-room.tgz")


def test_the_last_of_two_equal_keys_counts() -> None:
    config = read_boot_config(b"modules=a.z\n" + HEAD + b"UPDATED= 5\nbootstate=2\n")
    assert (config.updated, config.bootstate, config.strange) == (5, 2, None)


@pytest.mark.parametrize("path", sorted((CASES / "boot_cfg").iterdir()), ids=lambda path: path.stem)
def test_real_files_are_read(path: Path) -> None:
    content = path.read_bytes()
    config = read_boot_config(content)
    assert config.updated in (1, 2)
    assert (config.strange is None) == ("emdash" not in str(path))
    assert config.strange or [name.encode() for name in config.modules] == loaded(content)
