"""Configuration files, deltas and redo logs in the folders of all volumes that a host reaches."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.observers.ssh.errors import Away, Unreadable
from reconciler.observers.ssh.frames import Frames
from reconciler.observers.ssh.vmx import LONGEST
from reconciler.records import record
from reconciler.transports.hostd import restarting
from reconciler.transports.shell import Piece

BUSY = "device or resource busy"
"""What every tool says of a file that a running machine holds alone, on this host or another one."""
NO_MACHINES = ("vfat", "VFFS", "VMFS-L", "VMFSOS")
"""Types of volumes that belong to the system: boot banks, cores and logs."""

# A delta's descriptor is small whatever it is called; extents are not, and are never read. A name with a line end would
# look like two: the last line of it does not begin with a dot and a slash. The second walk is for a folder that went
# away during the first.
_FIND = (
    "find . -name .snapshot -prune -o -type f -name '*.vmx' -print -o -type f -name '*.vmtx' -print "
    f"-o -type f -size -{LONGEST + 1}c -name '*.vmdk*' -print "
    f"-o -type f -size -{LONGEST + 1}c -name '*.REDO_*' -print "
    "-o -name '*\n*' -print"
)
_READ = 'dd if="/vmfs/volumes/$1/$f" bs=4096 count=17'
_LOOK = f"""walk() {{ cd "/vmfs/volumes/$1" && {_FIND} && echo ./; }}
look() {{
n=$(walk "$1" 2>&1) || n=$(walk "$1" 2>&1) || {{ printf 'V\\0%s\\0%s\\0' "$1" "$n"; return; }}
printf 'V\\0%s\\0\\0' "$1"
printf '%s\\n' "$n" | while IFS= read -r f; do
case $f in
./) continue;;
./*) ;;
*) printf 'E\\0%s\\0a line end in a name\\0' "$f"; continue;;
esac
if c=$({_READ} 2>/dev/null); then
case $f in
*.vmx|*.vmtx) ;;
*) case $c in *[pP]arent[fF]ile[nN]ame[hH]int*) ;; *) continue;; esac;;
esac
printf 'F\\0%s\\0%s\\0' "$f" "$c"
else printf 'E\\0%s\\0%s\\0' "$f" "$({_READ} 2>&1 >/dev/null)"
fi
done
}}
"""
# The list of volumes comes first, to the letter; then each that is mounted is looked at. What this reads out of the
# list is checked against what is read out of it here.
_EACH = """s=$?; printf '%s\\0%s\\0' $s "$x"; [ $s = 0 ] || exit 0
v=; k=; printf '%s\\n' "$x" | while IFS= read -r l; do
case $l in
"""
_TYPES = "|".join(f"*'>{kind}<'*" for kind in NO_MACHINES)
SEARCH = f"""{_LOOK}x=$(esxcli --formatter=xml storage filesystem list </dev/null); {_EACH}
*'<field name="'*) k=$l;;
*'<string>/vmfs/volumes/'*) v=${{l##*/vmfs/volumes/}}; v=${{v%%[/<]*}};;
{_TYPES}) case $k in *'"Type"'*) v=;; esac;;
*'</structure>'*) [ -z "$v" ] || look "$v"; v=;;
esac
done"""
SEARCH_4X = f"""{_LOOK}x=$(vim-cmd hostsvc/datastore/listsummary </dev/null); {_EACH}
*'url = '*/vmfs/volumes/*) v=${{l##*/vmfs/volumes/}}; v=${{v%%[/\\"]*}};;
*'accessible = false'*) v=;;
*'}}'*) [ -z "$v" ] || look "$v"; v=;;
esac
done"""


@record
class Found:
    """A file on a volume. `content` is its beginning; None: it can't be read, since a machine holds it."""

    volume: str
    path: str
    content: bytes | None


def listing(piece: Piece) -> tuple[str, Frames]:
    """The list of volumes in what SEARCH or SEARCH_4X printed, and the rest of it. Raises Unreadable."""
    frames = Frames(piece.out)
    status, text = frames.number(), frames.text()
    said = f"{text}\n{piece.err.decode('utf-8', 'replace')}"
    if restarting(said):
        raise Away("hostd is not answering", said)
    if status != 0:
        raise Unreadable("the volumes could not be listed", said)
    return text, frames


def found(frames: Frames, reachable: Collection[str]) -> list[Found]:
    """What was found on each of the `reachable` volumes. Raises Unreadable when something could not be looked at."""
    files: list[Found] = []
    looked: set[str] = set()
    volume = ""
    while frames.more:
        kind, name, text = frames.text(), frames.text(), frames.piece()
        if kind == "V":
            volume = name
            looked.add(volume)
            _complete(volume, text)
        else:
            files.append(_found(kind, volume, name, text))
    missed = sorted(set(reachable) - looked)
    if missed:
        raise Unreadable("a volume was not searched for virtual machines", ", ".join(missed))
    return files


def _complete(volume: str, trouble: bytes) -> None:
    if trouble:
        said = trouble.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Unreadable(f"the volume {volume} could not be searched for virtual machines", "".join(said))


def _found(kind: str, volume: str, name: str, text: bytes) -> Found:
    path = name.removeprefix("./")
    if kind == "F":
        return Found(volume, path, text)
    said = text.decode("utf-8", "replace").strip()
    if not said.lower().endswith(BUSY):
        raise Unreadable(f"{path!r} on the volume {volume} could not be read", said)
    return Found(volume, path, None)
