"""What counts as a whole disk, and what is said of one that is not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.disks.judging import judge
from reconciler.image_facts import Descriptor, DiskFile, Extent

FLAT = Extent(8, "VMFS", "img-flat.vmdk")
SPARSE = Extent(8, "SPARSE", "img-s001.vmdk")


def file(
    name: str, size: int = 4096, kind: str = "-", mode: int = 0o644, allocated: int | None = 1024
) -> DiskFile:
    return DiskFile(name, size, mode, kind, allocated, 7)


OPENS = file("img.vmdk", 300)


@pytest.mark.parametrize(
    ("descriptor", "files", "why"),
    [
        (Descriptor("vmfs", (FLAT,)), [], "there is no img.vmdk in it"),
        (Descriptor("vmfs", (FLAT,)), [file("img-flat.vmdk")], "it has extents, but no descriptor"),
        ("it is damaged", [OPENS], "it is damaged"),
        (None, [OPENS], "its descriptor can't be read"),
        (Descriptor("vmfs", (FLAT,)), [file("img.vmdk", kind="l")], "img.vmdk is no plain file"),
        (Descriptor("vmfs", (FLAT,)), [OPENS], "the extent img-flat.vmdk is missing"),
        (Descriptor("vmfs", (FLAT,)), [OPENS, file("img-flat.vmdk", 4095)], "the extent img-flat.vmdk has 4095 bytes and should have 4096"),  # noqa: E501
        (Descriptor("vmfs", (FLAT,)), [OPENS, file("img-flat.vmdk", kind="l")], "the extent img-flat.vmdk is no plain file"),  # noqa: E501
        (Descriptor("x", (SPARSE,)), [OPENS, file("img-s001.vmdk", 0)], "the extent img-s001.vmdk has 0 bytes and should have 512"),  # noqa: E501
        (Descriptor("vmfs", (Extent(8, "VMFS", "/etc/passwd"),)), [OPENS], "its descriptor points out of its folder ('/etc/passwd')"),  # noqa: E501
        (Descriptor("vmfs", (Extent(8, "VMFS", ".."),)), [OPENS], "its descriptor points out of its folder ('..')"),
        (Descriptor("vmfsRawDeviceMap", (Extent(8, "VMFSRDM", "img-rdm.vmdk"),)), [OPENS], "it has an extent of the type VMFSRDM, which is no disk of its own"),  # noqa: E501
        (Descriptor("vmfs", (FLAT,), "base.vmdk"), [OPENS], "it is a snapshot that hangs on base.vmdk, no master"),
        (Descriptor("vmfs", (FLAT,), ""), [OPENS], "it is a snapshot that hangs on another disk, no master"),
        (Descriptor("vmfs", (Extent(0, "ZERO", ""),)), [OPENS], "its descriptor tells of an absurd size (0 bytes)"),
    ],
)  # fmt: skip
def test_what_is_no_whole_disk_says_why(
    descriptor: Descriptor | str | None, files: list[DiskFile], why: str
) -> None:
    said = {} if descriptor is None else {"img.vmdk": descriptor}
    state = judge("img", "vmdk", files, said)
    assert (state.whole, state.runnable, state.why) == (False, False, why)


@pytest.mark.parametrize(
    ("form", "extents", "runnable", "data"),
    [
        ("vmfs", (FLAT,), True, 1024),
        ("monolithicFlat", (Extent(8, "FLAT", "img-flat.vmdk"),), True, 1024),
        ("twoGbMaxExtentSparse", (SPARSE, Extent(8, "ZERO", "")), False, 1024),
        ("vmfsSparse", (FLAT,), False, 1024),
    ],
)
def test_whole_disks(form: str, extents: tuple[Extent, ...], runnable: bool, data: int) -> None:
    files = [
        file(".", kind="d", mode=0o755),
        OPENS,
        file("img-flat.vmdk"),
        file("img-s001.vmdk"),
        file("img.vmx.reference", mode=0o600),
    ]
    state = judge("img", "vmdk", files, {"img.vmdk": Descriptor(form, extents)})
    assert (state.whole, state.runnable, state.data, state.form) == (True, runnable, data, form)
    assert (state.reference, state.modified, state.unreadable, state.locked) == (
        True,
        7,
        ("img.vmx.reference",),
        None,
    )
    assert (state.disk_file, state.allocated) == ("img.vmdk", 4 * 1024)


def test_locks_machines_and_a_shut_folder() -> None:
    files = [file(".", kind="d", mode=0o700), OPENS, file(".lck-1234"), file("a.vmx"), file("b.vmtx")]
    state = judge("img", "vmdk", files, {})
    assert state.locked == ".lck-1234 is there"
    assert state.machines == ("a.vmx", "b.vmtx")
    assert state.unreadable == (".",)


def test_a_server_that_tells_no_allocation_counts_in_full() -> None:
    files = [OPENS, file("img-flat.vmdk", allocated=0)]
    assert judge("img", "vmdk", files, {"img.vmdk": Descriptor("vmfs", (FLAT,))}).data == 4096


@pytest.mark.parametrize(
    ("files", "said", "why"),
    [
        ([], None, "there is no img.qcow2 in it"),
        ([file("img.qcow2")], None, "its header can't be read"),
        ([file("img.qcow2", kind="l")], None, "img.qcow2 is no plain file"),
        ([file("img.qcow2")], "it is encrypted", "it is encrypted"),
        ([file("img.qcow2")], Descriptor("qcow2", (Extent(0, "QCOW2", "img.qcow2"),)), "its header tells of an absurd size (0 bytes)"),  # noqa: E501
        ([file("img.qcow2")], Descriptor("qcow2", (Extent(8, "QCOW2", "img.qcow2"),)), ""),
    ],
)  # fmt: skip
def test_forms_of_one_file(files: list[DiskFile], said: Descriptor | str | None, why: str) -> None:
    state = judge("img", "qcow2", files, {} if said is None else {"img.qcow2": said})
    assert (state.whole, state.why) == (why == "", why)


names = st.sampled_from(["img.vmdk", "img-flat.vmdk", "img-s001.vmdk", "other", "../x", ".lck-1", "a.vmx"])
files = st.lists(
    st.builds(
        DiskFile,
        names,
        st.integers(0, 9999),
        st.integers(0, 0o777),
        st.sampled_from("-dl"),
        st.none() | st.integers(0, 9999),
    ),
    max_size=5,
)
extents = st.lists(
    st.builds(
        Extent, st.integers(0, 30), st.sampled_from(["VMFS", "FLAT", "SPARSE", "ZERO", "VMFSRDM"]), names
    ),
    max_size=3,
)


@given(files, extents.map(tuple), st.none() | names)
@example([OPENS, file("img-flat.vmdk")], (FLAT,), None)
def test_whole_is_only_what_lies_there_in_full(
    there: list[DiskFile], named: tuple[Extent, ...], parent: str | None
) -> None:
    state = judge("img", "vmdk", there, {"img.vmdk": Descriptor("vmfs", named, parent)})
    sizes = {it.name: it.size for it in there if it.kind == "-"}
    if state.whole:
        assert parent is None
        assert all(
            it.type == "ZERO" or sizes[it.file] >= (512 if it.type == "SPARSE" else it.sectors * 512)
            for it in named
        )
    assert state.why or state.whole
