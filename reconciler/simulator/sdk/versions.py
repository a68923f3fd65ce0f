"""Which versions of the API a host speaks: `/sdk/vimServiceVersions.xml` as hosts of that age have it."""

from __future__ import annotations

API = (
    "2.0",
    "2.5",
    "2.5u2",
    "4.0",
    "4.1",
    "5.0",
    "5.1",
    "5.5",
    "6.0",
    "6.5",
    "6.7",
    "6.7.1",
    "6.7.2",
    "6.7.3",
)
NEWER = ("7.0.0.0", "7.0.1.0", "7.0.2.0", "7.0.3.0", "8.0.0.0", "8.0.0.1", "8.0.1.0", "8.0.2.0", "9.0.0.0")


def newest(version: tuple[int, ...]) -> str:
    """`AboutInfo.apiVersion`: the newest that a host speaks."""
    return [it for it in (*API, *NEWER) if _number(it) <= version][-1]


def service_versions(version: tuple[int, ...]) -> bytes:
    """The file: the newest version first, then those before it."""
    known = [it for it in (*API, *NEWER) if _number(it) <= version]
    newest, *prior = reversed(known)
    before = "".join(f"\n   <version>{it}</version>" for it in prior)
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<namespaces version="1.0">\n <namespace>\n'
        f"  <name>urn:vim25</name>\n  <version>{newest}</version>\n  <priorVersions>{before}\n  </priorVersions>\n"
        " </namespace>\n</namespaces>\n"
    ).encode()


def _number(text: str) -> tuple[int, ...]:
    """`6.7.3` counts as 6.7: all API versions of a release come with it."""
    parts = [int(part) for part in text.replace("u", ".").split(".")]
    return tuple(parts[:2])
