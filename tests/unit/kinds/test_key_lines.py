"""Lines of authorized_keys: what is the same key, and that no line is too strange."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.kinds.key_lines import KeyLine, parse_key_line, read_lines, refused_by

KINDS = [
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
]
plain_options = st.from_regex(r"[a-z-]{1,10}", fullmatch=True)
quoted_options = st.text(st.characters(codec="utf-8", exclude_characters='"\\\n\r'), max_size=8).map(
    lambda text: f'command="{text} \\"x y\\""'
)
options = st.lists(plain_options | quoted_options, max_size=3).map(",".join)
blobs = st.binary(min_size=1, max_size=40).map(lambda raw: base64.b64encode(raw).decode())
comments = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=20).map(str.strip)
key_lines = st.builds(KeyLine, st.sampled_from(KINDS), blobs, options, comments)


def written(key: KeyLine) -> str:
    return " ".join(part for part in (key.options, key.type, key.blob, key.comment) if part)


@given(key_lines)
@example(KeyLine("ssh-rsa", "AAAA==", 'from="10.0.0.0/8, x",command="echo \\"a b\\" # no"', "ssh-rsa BBBB"))
def test_a_line_comes_back_as_it_was_written(key: KeyLine) -> None:
    assert parse_key_line(written(key)) == key


@given(key_lines, st.sampled_from(["", "\r", " ", "\t\r"]), st.sampled_from(["", " ", "\t "]))
@example(KeyLine("ssh-dss", "AA"), "\r", "\t ")
def test_blanks_around_a_line_are_nothing(key: KeyLine, end: str, begin: str) -> None:
    assert parse_key_line(begin + written(key) + end) == key


@given(key_lines, st.text(max_size=10))
@example(KeyLine("ssh-rsa", "AAE="), "other words")
def test_comment_options_and_padding_do_not_make_another_key(key: KeyLine, words: str) -> None:
    other = KeyLine(key.type, key.blob.rstrip("="), "no-pty", words)
    assert other.identity == key.identity


@given(st.text())
@example('"' + '\\"' * 5000 + " x")
@example("ssh-rsa AAAA " + " " * 20000 + "x\ny")
@example("ssh-rsa \udcff")
def test_any_line_is_read_or_is_no_key(line: str) -> None:
    key = parse_key_line(line)
    assert key is None or key.type in KINDS or key.type.startswith("ecdsa-")


@given(st.lists(st.text(max_size=20) | key_lines.map(written), max_size=6).map("\n".join))
@example("# a\r\n\r\nssh-rsa AAAA x\nssh-rsa BBBB")
def test_a_file_is_its_lines_to_the_byte(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    lines = read_lines(content)
    assert b"".join(line for line, _ in lines) == content
    assert all(line.count(b"\n") <= 1 and line for line, _ in lines)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# ssh-rsa AAAA",
        "\t # x",
        "ssh-rsa",
        "ssh-rsa !",
        "ssh-rsa AAAA=x",
        'from="a ssh-rsa AAAA',
        "ssh-foo AAAA",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_what_sshd_would_not_take_is_no_key(line: str) -> None:
    assert parse_key_line(line) is None


def test_a_key_without_comment_is_known_by_its_end() -> None:
    key = parse_key_line("ssh-rsa AAAABBBBCCCCDDDDEEEE==")
    assert key is not None
    assert key.label == "ssh-rsa …CCCCDDDDEEEE"
    assert KeyLine("ssh-rsa", "AAAA", comment="me").label == "ssh-rsa me"


@pytest.mark.parametrize("blob", ["AAAA", "A", "AAAAB3NzaC1yc2E=", "////", "AA=A"])
def test_a_blob_that_is_no_rsa_key_has_no_length(blob: str) -> None:
    assert KeyLine("ssh-rsa", blob).bits is None


def test_other_types_have_no_length() -> None:
    assert KeyLine("ssh-ed25519", "AAAA").bits is None


@pytest.mark.parametrize(
    ("kind", "version", "refused"),
    [
        ("ssh-rsa", (4, 1, 0), False),
        ("ssh-dss", (5, 5, 0), False),
        ("ecdsa-sha2-nistp256", (5, 5, 0), True),
        ("ssh-ed25519", (5, 0, 0), True),
        ("ssh-dss", (6, 0, 0), True),
        ("ecdsa-sha2-nistp521", (6, 0, 0), False),
        ("ssh-ed25519", (6, 7, 0), True),
        ("sk-ecdsa-sha2-nistp256@openssh.com", (8, 0, 2), True),
        ("ssh-rsa", (8, 0, 2), False),
    ],
)
def test_versions_take_their_types(kind: str, version: tuple[int, ...], refused: bool) -> None:
    assert (refused_by(KeyLine(kind, "AAAA"), version) is not None) == refused
