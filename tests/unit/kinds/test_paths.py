"""VCL's three spellings of a place on a datastore."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.kinds.paths import DatastorePath, parse_datastore_path

stores = st.from_regex(r"[A-Za-z0-9$(.+][A-Za-z0-9 ().+$'-]{0,10}[A-Za-z0-9)]", fullmatch=True)
folders = st.lists(
    st.from_regex(r"[A-Za-z0-9(][A-Za-z0-9 ().$'\]-]{0,6}[A-Za-z0-9]", fullmatch=True), max_size=3
)


@given(stores, folders)
@example("datastore1 (1)", ["vm"])
@example("ds", [])
def test_three_spellings_are_one_place(store: str, parts: list[str]) -> None:
    path = DatastorePath(store, "/".join(parts))
    bare = "/".join([store, *parts])
    if not bare.startswith("vmfs/volumes/"):
        assert parse_datastore_path(bare) == path
    assert parse_datastore_path(f"[{store}] " + path.relative) == path
    assert parse_datastore_path(path.absolute + "/") == path
    assert parse_datastore_path(path.spelled) == path


@given(st.text(max_size=30))
@example("[a]b] x")
def test_any_text_is_a_path_or_refused_with_its_reason(text: str) -> None:
    try:
        path = parse_datastore_path(text)
    except ValueError as refusal:
        wrong = str(refusal)
    else:
        wrong = ""
    if wrong:
        assert repr(text) in wrong
        return
    assert path.absolute.startswith("/vmfs/volumes/" + path.datastore)
    assert not {".", "..", ""} & set(path.absolute.strip("/").split("/"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("vmfs/volumes/x", "would be right: /vmfs/volumes/x"),
        ("/volumes/x", "is not below /vmfs/volumes/"),
        ("[ds", "would be right: [DATASTORE] sub/dir"),
        ("[ds]sub", "would be right: [DATASTORE] sub/dir"),
        ("[] x", "names no datastore"),
        ("", "names no datastore"),
        ("/vmfs/volumes/../x", "names no datastore"),
        ("[ds] a/../b", "has a '.' or '..' in it"),
        ("ds/./b", "has a '.' or '..' in it"),
        ("[ds] a\nb", "control characters"),
        ("ds/\x7f", "control characters"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as wrong:
        parse_datastore_path(text)
    assert why in str(wrong.value)


def test_a_bracket_may_be_part_of_the_name() -> None:
    assert parse_datastore_path("[a]b] x") == DatastorePath("a]b", "x")
