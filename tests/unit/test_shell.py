"""Nothing that a host or a spec is called ever runs, and what a script prints comes back to the letter.

The proof is a real busybox, the shell that every ESXi has.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.transports.shell import (
    Output,
    Piece,
    pieces,
    print_bytes,
    quote,
    reading_lines,
    script,
    writing_script,
)

HOSTILE = [
    "",
    " ",
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned; "',
    "a'b\"c\\d",
    "\\",
    "\\'",
    "''",
    "two\nlines\n",
    "\r\n\t",
    "a;b|c&d>e<f",
    "[datastore1] *?{a,b}~!#",
    "%s %d %% %n",
    "-n",
    "--help",
    "-",
    "~root",
    "$HOME ${HOME} $'x'",
    "\x1e\x01\x7f",
    "größe \N{SNOWMAN}",
    "\udcff\udc80",
    "x" * 5000,
]

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def busybox(script: bytes) -> Output:
    """What the script prints in a real busybox, empty environment, root folder."""
    program = shutil.which("busybox")
    assert program is not None, "these tests need busybox: apt-get install busybox"
    done = subprocess.run([program, "sh"], input=script, capture_output=True, cwd="/", env={}, check=False)
    return Output(done.returncode, done.stdout, done.stderr)


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def printed_back(value: str) -> bytes:
    return busybox(b"printf '<%s>' " + raw(quote(value))).out


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_is_one_word(value: str) -> None:
    assert printed_back(value) == b"<" + raw(value) + b">"


@given(words)
@example("it's $(x)\n")
@settings(max_examples=60, deadline=None)
def test_any_value_is_one_word(value: str) -> None:
    assert printed_back(value) == b"<" + raw(value) + b">"


@pytest.mark.parametrize("value", ["datastore1", "10.10.0.1:/install", "user@host", "a_b-c,d=e%f+g"])
def test_a_plain_value_stays_readable(value: str) -> None:
    assert quote(value) == value


def test_a_value_with_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_content_is_printed_to_the_letter(value: str) -> None:
    assert busybox(raw(print_bytes(raw(value)))) == Output(0, raw(value), b"")


@given(st.binary(max_size=80))
@example(b"-\x00\x017\\%\n\xff")
@settings(max_examples=60, deadline=None)
def test_any_content_is_printed_to_the_letter(content: bytes) -> None:
    assert busybox(raw(print_bytes(content))) == Output(0, content, b"")


def test_all_bytes_are_printed_to_the_letter() -> None:
    content = bytes(range(256)) * 2
    assert busybox(raw(print_bytes(content))).out == content


def test_a_key_line_stays_readable() -> None:
    assert print_bytes(b"ssh-rsa AAAA root@vcl\n") == "printf 'ssh-rsa AAAA root@vcl\\n'"


def run_writing(*commands: str) -> dict[int, Piece]:
    return dict(pieces(busybox(writing_script(commands, "w0rd")), "w0rd"))


def test_each_command_has_its_own_output_and_status() -> None:
    assert run_writing("echo one; echo bad >&2", "printf two; exit 0", "(exit 7)") == {
        0: Piece(0, b"one\n", b"bad\n"),
        1: Piece(0, b"two", b""),
        2: Piece(7, b"", b""),
    }


@pytest.mark.parametrize(
    "failing", ["false", "exit 3", "no_such_command_here", "cat /no/such/file", "kill $$"]
)
def test_writing_stops_at_the_first_command_that_fails(failing: str) -> None:
    found = run_writing("echo one", failing, "echo three")
    assert 2 not in found
    assert found.get(1, Piece(1, b"", b"")).status != 0


@pytest.mark.parametrize("ending", ["# comment", "cat <<E\nx\nE", "echo 'a\n'", "echo a \\"])
def test_a_command_ends_where_it_ends(ending: str) -> None:
    found = run_writing(f"true; {ending}", "echo next")
    assert found[0].status == 0
    assert found[1].out == b"next\n"


def test_a_command_can_not_read_the_rest_of_the_script() -> None:
    assert run_writing("cat", "echo still here")[1].out == b"still here\n"


def test_a_command_can_not_change_the_next_one() -> None:
    assert run_writing("cd /tmp; x=1; set -e", 'pwd; echo "<$x>"; false; echo on')[1].out == b"/\n<>\non\n"


VERSION = b"vmware() { echo 'VMware ESXi 6.7.0 build-1'; }\n"
ARMS = [("*ESXi\\ 4.*", ["echo old"]), ("*ESXi\\ 6.*|*ESXi\\ 7.*", ["echo new; exit 4", "echo more"])]


def test_reading_takes_the_arm_of_the_version_and_goes_on_after_failures() -> None:
    output = busybox(VERSION + script(reading_lines(["false", "echo both"], ARMS), "w0rd"))
    assert pieces(output, "w0rd") == {
        0: Piece(1, b"", b""),
        1: Piece(0, b"both\n", b""),
        3: Piece(4, b"new\n", b""),
        4: Piece(0, b"more\n", b""),
    }


def test_reading_a_host_that_fits_no_arm_reads_what_is_for_all() -> None:
    output = busybox(b"vmware() { return 127; }\n" + script(reading_lines(["echo both"], ARMS), "w0rd"))
    assert pieces(output, "w0rd") == {0: Piece(0, b"both\n", b"")}


def test_every_command_can_call_the_functions_that_are_defined_once() -> None:
    text = script(reading_lines(["hello both"], ARMS[:1], ["hello() { echo hello $1; }"]), "w0rd")
    assert pieces(busybox(VERSION + text), "w0rd")[0].out == b"hello both\n"
    cut = text.rpartition(b"reconciler_run\n")[0] + b"hello cut\n"
    assert b"cut" not in busybox(VERSION + cut).out


@given(st.integers(min_value=0))
@example(10**9)
@settings(max_examples=40, deadline=None)
def test_a_script_that_was_cut_runs_nothing(length: int) -> None:
    script = writing_script(["echo ran", "echo ran too"], "w0rd")
    cut = script[: length % (len(script) - len(b"run\n"))]
    assert b"ran" not in busybox(cut).out


@given(st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30)), max_size=4))
@example([(b"\x1ew0rd 0 0\x1e", b""), (b"", b"\n")])
@settings(max_examples=60, deadline=None)
def test_whatever_commands_print_comes_back_to_the_letter(printed: list[tuple[bytes, bytes]]) -> None:
    commands = [f"{print_bytes(out)}; {print_bytes(err)} >&2" for out, err in printed]
    assert run_writing(*commands) == {number: Piece(0, out, err) for number, (out, err) in enumerate(printed)}


def test_output_of_a_command_that_did_not_end_is_left_out() -> None:
    whole = busybox(writing_script(["echo one", "echo two"], "w0rd"))
    cut = Output(None, whole.out[:-3], whole.err)
    assert list(pieces(cut, "w0rd")) == [0]


def test_what_looks_like_a_mark_and_is_none_stays_in_the_output() -> None:
    said = b"\x1e 0ther 0 0\x1e w0rd\x1e w0rd x 0\x1e"
    output = Output(0, said + b"\x1e w0rd 0 3\x1etail", b"\x1e w0rd 0 3\x1e")
    assert pieces(output, "w0rd") == {0: Piece(3, said, b"")}


def test_a_piece_for_people_shows_both_streams() -> None:
    piece = Piece(1, b"Unable to add\n", b"\xff warning\n")
    assert piece.said.splitlines() == ["Unable to add", "", "\N{REPLACEMENT CHARACTER} warning"]
    assert Piece(0, b"\xff", b"").text == "\udcff"
