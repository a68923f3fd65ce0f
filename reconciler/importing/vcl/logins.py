"""How hosts of a profile are logged in to; secrets are only ever referred to."""

from __future__ import annotations

from reconciler.importing.keys import Keys
from reconciler.importing.notes import Sort
from reconciler.importing.vcl.rows import ProfileRow
from reconciler.importing.vcl.work import UNFIT, Work, refusal
from reconciler.importing.writing import Noted


def login(work: Work, keys: Keys, variable: str) -> None:
    """Root's keys, and `access`; `variable` is the one of the environment that is to hold the password."""
    if keys.public:
        lines = [Noted(line, file) for line, file in keys.public]
        work.spec["ssh"] = {"authorizedKeys": lines, "persistKeys": True}
    access: dict[str, object] = {}
    if keys.private is not None:
        access["ssh"] = {"key": keys.private}
    if has_password(work.row):
        access[_way(work.row)] = _account(work, variable)
    elif work.row.user is not None:
        work.left_out("username", work.row.user, "VCL has no password with it")
    if access:
        work.spec["access"] = access
    _say_of_ssh(work, keys)
    _say_of_vcenter(work)


def has_vcenter(row: ProfileRow) -> bool:
    """Whether the login of this profile is one to a vCenter."""
    return row.resource_path is not None and has_password(row)


def has_password(row: ProfileRow) -> bool:
    """Whether VCL has a password, in whatever form."""
    return row.password or row.encrypted or row.secret is not None


def _way(row: ProfileRow) -> str:
    return "sdk" if row.resource_path is None else "vcenter"


def _account(work: Work, variable: str) -> dict[str, object]:
    row, way = work.row, _way(work.row)
    account: dict[str, object] = {}
    if row.user is not None and refusal({"access": {"sdk": {"user": row.user}}}) is None:
        account["user"] = Noted(row.user, "username")
    elif row.user is not None:
        work.left_out("username", row.user, UNFIT)
    account["password"] = {"env": variable}
    kept = "encrypted" if row.encrypted or row.secret is not None else "in clear text"
    place = ("access", way, "password")
    work.note(Sort.SECRET, f"VCL has a password ({kept}): give it in {variable}", *place)
    if row.key_path is not None:
        work.note(Sort.SECRET, f"rsakey {row.key_path!r}: VCL's private key was not looked for", *place)
    what = "thumbprint, caFile or insecure (VCL trusts any certificate)"
    work.note(Sort.FILL_IN, f"access.{way}: {what}", "access", way)
    return account


def _say_of_ssh(work: Work, keys: Keys) -> None:
    lacking = [] if keys.private is not None else ["key (--key FILE writes it)"]
    lacking += [
        "legacyAlgorithms: true for ESXi 4.x to 6.0",
        "knownHosts or trustOnFirstUse for host keys not known yet",
    ]
    work.note(Sort.FILL_IN, f"access.ssh: {'; '.join(lacking)}", "access", "ssh")


def _say_of_vcenter(work: Work) -> None:
    if work.row.resource_path is None:
        if work.row.folder_path is not None:
            work.note(Sort.FILL_IN, "access.vcenter: without one the placement is held", "access")
        return
    what = "with a resource path VCL connects to a vCenter, at the host's address"
    if has_password(work.row):
        more = "each host that is the vCenter itself has to go, and access.vcenter.address of the others to be seen to"
        work.note(Sort.DOUBT, f"{what}: {more}", "access", "vcenter")
    else:
        work.note(Sort.FILL_IN, f"access.vcenter: {what}, but has no password for it", "access")
