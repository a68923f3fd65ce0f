"""Which columns of VCL's tables are read, from the oldest schema to the newest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "computer": {
        "id": None,
        "hostname": "",
        "privateIPaddress": None,
        "stateid": 20,
        "type": "blade",
        "deleted": 0,
        "vmhostid": None,
        "imagerevisionid": None,
    },
    "vmhost": {"id": None, "computerid": None, "vmprofileid": None},
    "vmprofile": {
        "id": None,
        "profilename": "",
        "resourcepath": None,
        "folderpath": None,
        "repositorypath": None,
        "datastorepath": "",
        "datastoreimagetypeid": None,
        "vmpath": None,
        "virtualswitch0": None,
        "virtualswitch1": None,
        "virtualswitch2": None,
        "virtualswitch3": None,
        "vmdisk": "dedicated",
        "username": None,
        "password": 0,
        "secretid": None,
        "encryptedpasswd": 0,
        "rsakey": None,
    },
    "state": {"id": None, "name": ""},
    "imagetype": {"id": None, "name": ""},
    "managementnode": {"hostname": "", "keys": None},
    "image": {"id": None, "name": "", "OSid": None, "deleted": 0},
    "imagerevision": {"id": None, "imageid": None, "imagename": "", "production": 0, "deleted": 0},
    "OS": {"id": None, "installtype": ""},
}
"""The columns that are read, each with what holds where an older database has none."""
SECRETS = {"vmprofile": frozenset(("password", "encryptedpasswd"))}
"""Columns of which is only asked whether there is anything in them."""
REQUIRED = {
    "computer": ("id", "hostname"),
    "vmhost": ("id", "computerid", "vmprofileid"),
    "vmprofile": ("id", "profilename", "datastorepath"),
}
"""Without these it is not VCL's database."""
OUTDATED = {
    "vmprofile": ("nasshare", "virtualdiskpath", "vmtypeid"),
    "vmhost": ("vmkernalnic", "vmwaredisk", "vmlimit"),
}
"""Columns of older databases that nothing is made of."""
