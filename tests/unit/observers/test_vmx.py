"""What a .vmx and the descriptor of a delta say of disks, however strange they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.image_facts import TopDisk
from reconciler.observers.ssh import vmx
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.vmx import Device

DELTA = b'CID=1\nparentCID=2\ncreateType="vmfsSparse"\nparentFileNameHint="../win/win.vmdk"\n'


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ('scsi0:0.fileName = "win.vmdk"\n', [Device("win.vmdk", True, True)]),
        ('SCSI0:0.FILENAME="win.vmdk"\r\n', [Device("win.vmdk", True, True)]),
        ("  ide0:0.fileName  =  win.vmdk  \n", [Device("win.vmdk", True, True)]),
        ('scsi0:0.fileName = "a.vmdk"\nscsi0:0.present = "FALSE"\n', [Device("a.vmdk", False, True)]),
        (
            'scsi0:0.mode = "independent-nonpersistent"\nscsi0:0.fileName = "a.vmdk"\n',
            [Device("a.vmdk", True, False)],
        ),
        ('scsi0:0.mode = "undoable"\nscsi0:0.fileName = "a.vmdk"\n', [Device("a.vmdk", True, False)]),
        ('scsi0:0.mode = "independent-persistent"\nscsi0:0.fileName = "a"\n', [Device("a", True, True)]),
        ('scsi0:0.fileName = "a |22b|22 |7Cc.vmdk"\n', [Device('a "b" |c.vmdk', True, True)]),
        ('ide1:0.fileName = "auto detect"\nide1:1.fileName = ""\n', []),
        ('displayName = "x.fileName = "\n#scsi0:0.fileNames = "a"\nno line\n', []),
    ],
)
def test_the_disks_of_a_machine(text: str, devices: list[Device]) -> None:
    assert vmx.devices(vmx.values(text.encode())) == devices


@pytest.mark.parametrize("encoding", ["windows-1252", "UTF-8", "hex", "no-such"])
def test_a_name_is_what_it_is_on_the_datastore(encoding: str) -> None:
    written = "windows-1252" if encoding == "windows-1252" else "utf-8"
    text = f'.encoding = "{encoding}"\nscsi0:0.fileName = "é.vmdk"\n'.encode(written)
    assert vmx.devices(vmx.values(text)) == [Device("é.vmdk", True, True)]


def test_bytes_that_fit_no_encoding_are_kept() -> None:
    text = b'.encoding = "shift_jis"\nscsi0:0.fileName = "\xff.vmdk"\n'
    (device,) = vmx.devices(vmx.values(text))
    assert device.file.encode("utf-8", "surrogateescape") == b"\xff.vmdk"


def test_what_is_too_long_for_a_configuration_file_is_not_read_in_part() -> None:
    with pytest.raises(Unreadable, match="too long"):
        vmx.values(b"x" * (vmx.LONGEST + 1))


def test_the_disks_that_are_written() -> None:
    text = (
        b'displayName = "vm 9"\nscsi0:0.fileName = "vm9.vmdk"\nscsi0:1.fileName = "/vmfs/volumes/5f/w/w.vmdk"\n'
        b'scsi0:1.mode = "independent-nonpersistent"\nscsi0:2.fileName = "gone.vmdk"\nscsi0:2.present = "false"\n'
        b'ide0:0.fileName = "/vmfs/volumes/iso/x.iso"\nscsi0:3.fileName = "../w/w.VMDK"\n'
    )
    assert vmx.top_disks("/vmfs/volumes/ds/vms/vm9/vm9.vmx", text) == [
        TopDisk("vm 9", "/vmfs/volumes/ds/vms/vm9/vm9.vmdk"),
        TopDisk("vm 9", "/vmfs/volumes/5f/w/w.vmdk", persistent=False),
        TopDisk("vm 9", "/vmfs/volumes/ds/vms/w/w.VMDK"),
    ]
    (nameless,) = vmx.top_disks("/vmfs/volumes/ds/x.vmx", b'scsi0:0.fileName = "x.vmdk"')
    assert nameless == TopDisk("x.vmx", "/vmfs/volumes/ds/x.vmdk")


@pytest.mark.parametrize(
    ("descriptor", "hints"),
    [
        (DELTA, ["../win/win.vmdk"]),
        (DELTA.replace(b"\n", b"\r\n"), ["../win/win.vmdk"]),
        (b'encoding="windows-1252"\nparentFileNameHint="\xe9.vmdk"\n', ["é.vmdk"]),
        (b'PARENTFILENAMEHINT = "a.vmdk"\nparentFileNameHint=b.vmdk', ["a.vmdk", "b.vmdk"]),
        (b'parentFileNameHint=""\n', []),
        (b"# parentFileNameHint is not set\n", []),
        (b"\xff\xfe", []),
    ],
)
def test_the_parent_of_a_delta(descriptor: bytes, hints: list[str]) -> None:
    assert vmx.parents(descriptor) == hints


def test_a_captured_delta() -> None:
    captures = Path(__file__).parents[2] / "cases" / "captures"
    hint = (captures / "vmdk_descriptor_parent_hint.txt").read_bytes()
    assert vmx.parents(hint) == [
        "/var/lib/vmware/Virtual Machines/vmwarewinxp-base234-v28/vmwarewinxp-base234-v28.vmdk"
    ]
    sesparse = (captures / "descriptor_sesparse_delta.vmdk").read_bytes()
    assert vmx.parents(sesparse) == ["Base_R91.vmdk"]


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20)


def escaped(name: str) -> str:
    return "".join(f"|{ord(it):02X}" if it in '|"' or ord(it) < 32 or ord(it) == 127 else it for it in name)


@given(files=st.dictionaries(st.integers(0, 15), NAMES.filter(lambda it: it.lower() not in vmx.NO_FILE)))
@example(files={0: 'a" b = "c', 1: "| |22"})
def test_what_vmware_writes_is_read_back(files: dict[int, str]) -> None:
    text = "".join(f'scsi0:{unit}.fileName = "{escaped(file)}"\n' for unit, file in files.items())
    assert [it.file for it in vmx.devices(vmx.values(text.encode()))] == list(files.values())


@given(content=st.binary(max_size=300))
@example(content=b'.encoding = "hex"\nparentFileNameHint="\xff')
def test_strange_bytes_are_no_bug(content: bytes) -> None:
    vmx.top_disks("/x/y.vmx", content)
    vmx.parents(content)
