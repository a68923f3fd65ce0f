"""Whether the licence lets the SDK write, found out by a request that can do no harm (field guide, sdk.md)."""

from __future__ import annotations

from reconciler.transports.sdk import MethodFault, Passing, Restricted, SdkSession

FREE_TO_WRITE = ("vim.fault.InvalidDatastorePath", "vmodl.fault.InvalidArgument")
SECONDS = 30.0


def licence_of(session: SdkSession) -> tuple[bool, str | None]:
    """Whether the SDK may only read, and what the host said where it gave no answer that tells.

    A file without a name is to be deleted: for the free licence the host refuses that as any write; otherwise it says
    that there is no such name. Every other answer counts as restricted. Raises faults.Unreachable.
    """
    try:
        task = session.call(session.content.fileManager, "DeleteDatastoreFile_Task", name="")
        session.wait(task, SECONDS)
    except Restricted:
        return True, None
    except Passing as fault:
        return True, f"{fault.said} (it may be restarting)"
    except MethodFault as fault:
        return (False, None) if fault.name in FREE_TO_WRITE else (True, fault.said)
    return True, "it accepted to delete a file without a name"
