"""What the tests of simulated machines share: small disks, and reading what hosts print of machines."""

from __future__ import annotations

import json
import re

from reconciler.simulator import HostHandle
from reconciler.simulator.host import Host
from reconciler.simulator.shell.streams import encode
from tests.simulator.support import HERE

SECTORS = 2048


def descriptor(name: str, create_type: str = "vmfs", kind: str = "VMFS", sectors: int = SECTORS) -> str:
    """The descriptor of a disk with one extent."""
    return (
        f'# Disk DescriptorFile\nversion=1\nencoding="UTF-8"\nCID=3729b687\nparentCID=ffffffff\n'
        f'createType="{create_type}"\n\n# Extent description\nRW {sectors} {kind} "{name}-flat.vmdk"\n\n'
        f'# The Disk Data Base\n#DDB\n\nddb.adapterType = "lsilogic"\nddb.virtualHWVersion = "7"\n'
    )


def content(sectors: int = SECTORS) -> bytes:
    return b"".join(b"%08d" % number * 64 for number in range(sectors))


def put_disk(
    on: HostHandle | Host, folder: str, name: str, create_type: str = "vmfs", kind: str = "VMFS"
) -> None:
    """A flat disk of 1 MiB below /vmfs/volumes."""
    path = f"/vmfs/volumes/{folder}/{name}"
    if isinstance(on, Host):
        on.files.makedirs(f"/vmfs/volumes/{folder}")
    on.files.write(f"{path}.vmdk", encode(descriptor(name, create_type, kind)))
    on.files.write(f"{path}-flat.vmdk", content())


def chains(text: str) -> list[tuple[int, list[str]]]:
    """Key and files of each disk that get.filelayout printed, in its order."""
    found = re.findall(r"key = (\d+),\s+diskFile = \(string\) \[(.*?)\n\s*\]", text, re.DOTALL)
    return [(int(key), re.findall(r'"(.*)"', files)) for key, files in found]


def frozen(text: str) -> list[list[str]]:
    """The files of each snapshot that get.filelayout printed."""
    return [
        re.findall(r'"(.*)"', files)
        for files in re.findall(r"snapshotFile = \(string\) \[(.*?)\n\s*\]", text, re.DOTALL)
    ]


def parsed_sample() -> dict[str, object]:
    """The capture of get.filelayout, which is kept in the form that VCL parsed it into."""
    text = (HERE / "captures" / "vmsvc_get_filelayout_parsed.txt").read_text().replace(" => ", ": ")
    found: dict[str, object] = json.loads(text)
    return found
