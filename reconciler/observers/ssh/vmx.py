"""What the configuration file of a virtual machine (.vmx) and the descriptor of a delta say of disks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from reconciler.image_facts import TopDisk
from reconciler.observers.ssh.errors import Unreadable
from reconciler.records import record

LONGEST = 65536
"""Configuration files and descriptors are never longer; of anything else no more is read."""
LINE = re.compile(r'[ \t]*([^\s="]+)[ \t]*=[ \t]*(?:"(.*)"|(.*?))[ \t\r]*')
ESCAPED = re.compile(r"\|([0-7][0-9A-Fa-f])")
HINT = re.compile(r'^[ \t]*parentFileNameHint[ \t]*=[ \t]*"?(.*?)"?[ \t\r]*$', re.MULTILINE | re.IGNORECASE)
ENCODING = re.compile(
    r"(?:windows-125|iso-8859-)[0-9]{1,2}|shift_jis|big5|gbk|gb18030|euc-(?:jp|kr|cn)", re.IGNORECASE
)
NO_FILE = ("", "auto detect", "emptybackingstring")
ELSEWHERE = ("nonpersistent", "undoable", "append")


@record
class Device:
    """A file that a device of a machine names. `persistent`: the guest's writes go into it."""

    file: str
    present: bool
    persistent: bool


def values(content: bytes) -> Mapping[str, str]:
    """The settings of a .vmx by their names in small letters. `|22` stands for a quote.

    Raises Unreadable for more than a configuration file can be.
    """
    if len(content) > LONGEST:
        raise Unreadable("a configuration file that is too long to be one", _text(content[:200], "utf-8"))
    plain = _pairs(_text(content, "utf-8"))
    return _pairs(_text(content, plain.get(".encoding", "utf-8")))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        match = LINE.fullmatch(line)
        if match is not None:
            value = match[3] if match[2] is None else match[2]
            found[match[1].lower()] = ESCAPED.sub(lambda code: chr(int(code[1], 16)), value)
    return found


def _text(content: bytes, encoding: str) -> str:
    """As the file says that it is written (`.encoding = "windows-1252"`); in doubt UTF-8, other bytes as surrogates."""
    if ENCODING.fullmatch(encoding):
        try:
            return content.decode(encoding)
        except (LookupError, ValueError):
            pass
    return content.decode("utf-8", "surrogateescape")


def devices(settings: Mapping[str, str]) -> list[Device]:
    """All files that devices name: disks, and images of CDs and floppies."""
    named = {key.removesuffix(".filename"): value for key, value in settings.items() if _names_file(key)}
    return [
        Device(
            file,
            settings.get(f"{device}.present", "true").lower() != "false",
            not any(word in settings.get(f"{device}.mode", "").lower() for word in ELSEWHERE),
        )
        for device, file in named.items()
        if file.lower() not in NO_FILE
    ]


def _names_file(key: str) -> bool:
    return key.endswith(".filename")


def top_disks(config: str, content: bytes) -> list[TopDisk]:
    """The disks of the machine whose configuration file is `config` (an absolute path). Raises Unreadable."""
    settings = values(content)
    name = settings.get("displayname") or posixpath.basename(config)
    folder = posixpath.dirname(config)
    return [
        TopDisk(name, posixpath.normpath(posixpath.join(folder, it.file)), it.persistent)
        for it in devices(settings)
        if it.present and it.file.lower().endswith(".vmdk")
    ]


def parents(descriptor: bytes) -> list[str]:
    """What the descriptor of a delta or of a redo log names as its parent; each, should it do so more than once."""
    encoding = re.search(rb'^encoding[ \t]*=[ \t]*"?([\w.-]{1,40})"?', descriptor, re.MULTILINE)
    text = _text(descriptor, encoding[1].decode() if encoding else "utf-8")
    return [hint for hint in HINT.findall(text) if hint]
