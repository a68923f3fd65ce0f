"""Virtual machines: `vim-cmd vmsvc/getallvms` and the paths of their configuration files."""

from __future__ import annotations

import re
from itertools import takewhile

from reconciler.facts import Machine
from reconciler.observers.ssh.errors import Unreadable

VOLUMES = "/vmfs/volumes/"
HEADER = re.compile(r"^ *Vmid +Name +File +Guest OS +Version +Annotation *\r?(?:\n|\Z)", re.MULTILINE)
# A datastore that the host no longer knows is `[]`, followed by an absolute path.
GAP = re.compile(r"(?:^| +)(?=\[(?!\] +[^ /]))")
# From 5.0 three blanks part the columns, on 4.x one.
WIDEST_GAP = 3


def config_file(path: str) -> tuple[str, str]:
    """(volume id or datastore name, path below it) of an absolute path of a .vmx.

    A path outside /vmfs/volumes stands on no datastore (8.0 U3 runs service machines from /var/run): ("",
    path). Raises Unreadable for what is no absolute path.
    """
    if not path.startswith("/"):
        raise Unreadable("no absolute path of a virtual machine", path)
    datastore, _, relative = path.removeprefix(VOLUMES).partition("/")
    return (datastore, relative) if path.startswith(VOLUMES) else ("", path)


def getallvms(text: str) -> list[Machine]:
    """`vim-cmd vmsvc/getallvms`, the registered machines, in either layout (4.x; 5.0 and later).

    A host without machines prints the header (field capture: 8.0); a text without it raises Unreadable. Names
    and annotations may hold brackets and run over several lines; a line of an annotation that begins with a
    number is told from a row by the path of a .vmx in it. A row that can be read in two ways is given in
    both: a machine too many only holds something back.
    """
    header = HEADER.search(text)
    if header is None:
        raise Unreadable("no header of a list of virtual machines", text)
    # Each line that begins with a number, with the lines that follow it, without the number.
    chunks = re.split(r"^[0-9]+ +", text[header.end() :], flags=re.MULTILINE)[1:]
    return [machine for chunk in chunks for machine in _machines(chunk)]


def _machines(chunk: str) -> list[Machine]:
    # First with what follows a path in a whole row: names and annotations may hold ".vmx" as well.
    for end in (r"\.vmt?x(?= +\S+ +vmx-[0-9]+(?:\s|$))", r"\.vmt?x(?=\s|$)"):
        for match in re.finditer(end, chunk):
            readings = _readings(chunk[: match.end()])
            if readings:
                return readings
    return []


def _readings(body: str) -> list[Machine]:
    """`NAME [DATASTORE] PATH`, split where the gap before a bracket is widest."""
    last = body.rfind("] ")
    gaps = list(takewhile(lambda gap: gap.end() < last, GAP.finditer(body)))
    widest = max((_width(gap) for gap in gaps), default=0)
    return [_reading(body[: gap.start()], body[gap.end() + 1 :]) for gap in gaps if _width(gap) == widest]


def _width(gap: re.Match[str]) -> int:
    return min(len(gap[0]), WIDEST_GAP)


def _reading(name: str, rest: str) -> Machine:
    datastore, _, path = rest.partition("] ")
    path = path.lstrip(" ")
    return Machine(name, datastore, path) if datastore else Machine(name, *config_file(path))
