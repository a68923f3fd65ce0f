"""Virtual machines: `vim-cmd vmsvc/getallvms` and the paths of their configuration files."""

from __future__ import annotations

import re
from itertools import takewhile

from reconciler.facts import Machine
from reconciler.observers.ssh.errors import Unreadable

VOLUMES = "/vmfs/volumes/"
HEADER = re.compile(r"^ *Vmid +Name +File +Guest OS +Version +Annotation *\r?(?:\n|\Z)", re.MULTILINE)
WHOLE = re.compile(r"[^\n]*\] [^\n]*\.vmt?x +[^\s]+ +vmx-[0-9]+(?:\s|\Z)")
# A datastore that the host no longer knows is `[]`, followed by an absolute path.
GAP = re.compile(r"(?:^| +)(?=\[(?!\] +[^ /]))")
LONGEST_ROW = 4096
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
    return [machine for _, row in rows(text) for machine in of_row(row)]


def rows(text: str) -> list[tuple[int, str]]:
    """The lines that begin with a number: that, and what follows it up to the next one. Raises Unreadable."""
    header = HEADER.search(text)
    if header is None:
        raise Unreadable("no header of a list of virtual machines", text)
    parts = re.split(r"^([0-9]{1,18}) +", text[header.end() :], flags=re.MULTILINE)[1:]
    return [(int(number), row) for number, row in zip(parts[::2], parts[1::2], strict=True)]


def is_whole(row: str) -> bool:
    """Whether a row shows a machine beyond doubt: a line of an annotation can begin with a number as well."""
    return WHOLE.match(row[:LONGEST_ROW]) is not None


def of_row(row: str) -> list[Machine]:
    """The machines that a row may show; none for a line of an annotation."""
    # First with what follows a path in a whole row: names and annotations may hold ".vmx" as well.
    for end in (r"\.vmt?x(?= +\S+ +vmx-[0-9]+(?:\s|$))", r"\.vmt?x(?=\s|$)"):
        for match in re.finditer(end, row):
            readings = _readings(row[: match.end()])
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
