"""The part of a spec that speaks of master images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from reconciler.kinds.model import Fragment, LocalPlace
from reconciler.kinds.paths import VOLUMES, parse_datastore_path
from reconciler.sizes import parse_size

LONGEST_NAME = 80
"""So that `_delete_NAME`, `NAME-s001.vmdk` and `NAME.vmx.reference` stay names on every file system."""
ASIDE = "_delete_"
LEFTOVERS = (ASIDE + "{}", "{}~", "{}_2gbsparse")
"""Folders that VCL, and we, may leave behind beside an image's own."""


def image_of(folder: str) -> str:
    """The name that a leftover had, or is to get."""
    return folder.removeprefix(ASIDE).removesuffix("~").removesuffix("_2gbsparse")


def _name(text: str) -> str:
    odd = any(letter in '/\\"' or not letter.isprintable() for letter in text)
    if odd or text.startswith((".", ASIDE)) or text.endswith(("~", "_2gbsparse")):
        raise ValueError(
            "is no name of an image (would be right: a plain folder name such as vmwarewinxp-base234-v12)"
        )
    return text


def _datastore_path(text: str) -> str:
    parse_datastore_path(text)
    return text


def _repository_path(text: str) -> str:
    if text.startswith(("[", VOLUMES)):
        parse_datastore_path(text)
    elif text.startswith(VOLUMES.strip("/") + "/"):
        raise ValueError(f"{text!r} lacks its first slash (would be right: /{text})")
    return text


def _size(value: str | int) -> str | int:
    size = parse_size(value) if isinstance(value, str) else value
    if size < 0:
        raise ValueError(f"{value} is no size (would be right: 20GiB)")
    return value


ImageName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_name)]
DiskFormat = Literal["thin", "zeroedthick", "eagerzeroedthick"]
RepositoryFormat = Literal["2gbsparse", "vmdk", "qcow2", "vdi"]


class VirtualDiskWish(Fragment):
    """VCL's Virtual Disk Path: where master images lie."""

    path: Annotated[str, AfterValidator(_datastore_path)] = Field(
        description="a datastore, or a folder on one: NAME, [NAME] sub/dir or /vmfs/volumes/NAME/sub/dir",
        examples=["datastore1"],
    )
    mode: Literal["dedicated", "shared"] = Field(
        default="shared",
        description="dedicated: private to this host, unused images may be evicted to make room; shared: never",
    )
    format: DiskFormat = Field(
        default="thin",
        description="what copies become; an image in any form that ESXi can run counts as present",
    )
    reserve: Annotated[str | int, AfterValidator(_size)] = Field(
        default=0, description="free space to keep", examples=["20GiB"]
    )

    @property
    def reserved(self) -> int:
        """In bytes."""
        return parse_size(self.reserve) if isinstance(self.reserve, str) else self.reserve


class RepositoryWish(Fragment):
    """Where the copies of master images are kept."""

    path: Annotated[LocalPlace, AfterValidator(_repository_path)] = Field(
        min_length=1,
        description="below /vmfs/volumes or [datastore] …: on the host; any other path: on this machine",
        examples=["/vmfs/volumes/repository"],
    )
    format: RepositoryFormat = Field(default="2gbsparse", description="the form of its images")


class ImageWish(Fragment):
    """One master image that must be there."""

    in_: list[Literal["datastore", "repository"]] = Field(
        default=["datastore"],
        alias="in",
        min_length=1,
        description="where it must be; in both: it is copied whichever way it is missing",
        examples=[["datastore", "repository"]],
    )
    protect: bool = Field(default=False, description="never evicted")
    verify: Literal["auto", "full"] = Field(
        default="auto", description="full: prove copies by a checksum of all that a guest sees"
    )


class ImagesWish(Fragment):
    """`spec.virtualDisk`, `spec.repository` and `spec.images`."""

    virtual_disk: VirtualDiskWish | None = Field(
        default=None, description="where master images lie on the host"
    )
    repository: RepositoryWish | None = Field(default=None, description="leave it out: there is none")
    images: dict[ImageName, ImageWish | Literal["absent"]] | None = Field(
        default=None,
        description="master images by name; `absent`: removed from the virtual disk path when nothing uses it",
        examples=[{"vmwarewinxp-base234-v12": {}}],
    )
