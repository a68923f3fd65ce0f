"""The methods of the API that a simulated host has. What changes something is refused by the free licence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.simulator.esx.options import known, value_of
from reconciler.simulator.model import NfsMount
from reconciler.simulator.sdk.objects import gone, make, moment, ref
from reconciler.simulator.sdk.soap import ApiFault, support
from reconciler.simulator.sdk.views import Views
from reconciler.simulator.volumes import NasRefusal

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

Work = Callable[["Context", str, dict[str, Any]], Awaitable[Any]]
SSH = "TSM-SSH"
RESTRICTED = "Current license or ESXi version prohibits execution of the requested operation."


@dataclass
class Context:
    """What a method works on."""

    host: Host
    views: Views


@dataclass(frozen=True)
class Method:
    """A method: whether it changes anything, and what it does."""

    work: Work
    changing: bool = False
    since: tuple[int, ...] = ()


METHODS: dict[tuple[str, str], Method] = {}


def method(
    kind: str, name: str, *, changing: bool = False, since: tuple[int, ...] = ()
) -> Callable[[Work], Work]:
    """Put a function into the table of methods."""

    def register(work: Work) -> Work:
        METHODS[kind, name] = Method(work, changing, since)
        return work

    return register


def invalid(argument: str) -> ApiFault:
    return ApiFault(
        "InvalidArgument", f"A specified parameter was not correct: {argument}", invalidProperty=argument
    )


def broken(problem: OSError) -> ApiFault:
    """What the host says when its configuration can't be written."""
    return ApiFault("HostConfigFault", f"An error occurred during host configuration: {problem.strerror}")


# -- services ----------------------------------------------------------------------------------------------------------


@method("HostServiceSystem", "StartService", changing=True)
async def start_service(context: Context, moid: str, words: dict[str, Any]) -> None:
    _service(words["id"])
    if context.host.ssh_running:
        raise ApiFault("InvalidState", "The operation is not allowed in the current state.")
    context.host.set_ssh(True)


@method("HostServiceSystem", "StopService", changing=True)
async def stop_service(context: Context, moid: str, words: dict[str, Any]) -> None:
    _service(words["id"])
    if not context.host.ssh_running:
        raise ApiFault("InvalidState", "The operation is not allowed in the current state.")
    context.host.set_ssh(False)


@method("HostServiceSystem", "UpdateServicePolicy", changing=True)
async def update_policy(context: Context, moid: str, words: dict[str, Any]) -> None:
    _service(words["id"])
    if words["policy"] not in ("on", "off", "automatic"):
        raise invalid("policy")
    if words["policy"] == "automatic":
        raise SimulationMissing("the policy automatic")
    host, on = context.host, words["policy"] == "on"
    if host.ssh_policy != on:
        host.room()
        host.ssh_policy = on
        host.commit()


class SimulationMissing(ApiFault):
    """A thing of a real host that is not simulated: refused rather than half done."""

    def __init__(self, what: str) -> None:
        super().__init__("NotSupported", f"{what} is not simulated")


@method("HostServiceSystem", "RefreshServices")
async def refresh_services(context: Context, moid: str, words: dict[str, Any]) -> None:
    return None


def _service(key: str) -> None:
    if key != SSH:
        raise ApiFault("NotFound", "The object or item referred to could not be found.")


# -- datastores --------------------------------------------------------------------------------------------------------


@method("HostDatastoreSystem", "CreateNasDatastore", changing=True)
async def create_nas(context: Context, moid: str, words: dict[str, Any]) -> Any:
    spec, host = words["spec"], context.host
    version = {"NFS": "3", "": "3", "NFS41": "4.1"}.get(spec.type or "")
    if version is None or (version == "4.1" and not host.release.since(6)):
        raise invalid("spec.type")
    servers = list(spec.remoteHostNames or []) if version == "4.1" else []
    server = ",".join(servers) or spec.remoteHost or ""
    if (
        not server
        or not spec.remotePath
        or not spec.localPath
        or spec.accessMode not in ("readOnly", "readWrite")
    ):
        raise invalid("spec")
    mount = NfsMount(spec.localPath, server, spec.remotePath, version, spec.accessMode == "readOnly")
    try:
        await host.volumes.mount(mount)
    except NasRefusal as refusal:
        raise _nas_fault(str(refusal), mount) from refusal
    volume = host.volumes.by_name(mount.name)
    assert volume is not None
    return ref("Datastore", volume.id)


def _nas_fault(said: str, mount: NfsMount) -> ApiFault:
    if "lready exist" in said or "already exported" in said:
        return ApiFault(
            "DuplicateName" if "exported" not in said else "AlreadyExists",
            said,
            **(
                {"name": mount.name, "object": ref("HostSystem", "ha-host")}
                if "exported" not in said
                else {"name": mount.name}
            ),
        )
    if ("name" in said.lower() and "Invalid" in said) or "too long" in said:
        return ApiFault("InvalidName", said, name=mount.name)
    return ApiFault("PlatformConfigFault", said, text=said)


@method("HostDatastoreSystem", "RemoveDatastore", changing=True)
async def remove_datastore(context: Context, moid: str, words: dict[str, Any]) -> None:
    """As the API documents it, a VMFS volume would go with all that is on it."""
    volume = _volume(context, words["datastore"])
    if volume.mount is None:
        raise SimulationMissing("removing a VMFS datastore")
    try:
        context.host.volumes.unmount(volume.name, volume.mount.version)
    except NasRefusal as refusal:
        if "Busy" in str(refusal):
            message = f"The resource '{volume.name}' is in use."
            raise ApiFault("ResourceInUse", message, type=None, name=volume.name) from refusal
        raise ApiFault("NotFound", str(refusal)) from refusal


@method("Datastore", "RefreshDatastore")
async def refresh_datastore(context: Context, moid: str, words: dict[str, Any]) -> None:
    volume = _by_moid(context, moid)
    if not volume.reached:
        raise ApiFault("HostConfigFault", "Datastore is not accessible")
    context.views.refresh(volume)


@method("Datastore", "RefreshDatastoreStorageInfo", since=(4,))
async def refresh_storage_info(context: Context, moid: str, words: dict[str, Any]) -> None:
    await refresh_datastore(context, moid, words)


def _volume(context: Context, datastore: Any) -> Any:
    return _by_moid(context, datastore._moId)


def _by_moid(context: Context, moid: str) -> Any:
    try:
        return context.views.volume(moid)
    except KeyError:
        raise gone("Datastore", moid) from None


# -- small things ------------------------------------------------------------------------------------------------------


@method("OptionManager", "QueryOptions")
async def query_options(context: Context, moid: str, words: dict[str, Any]) -> Any:
    """One option, or those below a name that ends with a dot; a name that is none is refused."""
    wanted = words.get("name") or ""
    found = {path.strip("/").replace("/", "."): option for path, option in known(context.host).items()}
    fitting = [name for name in found if name == wanted or (wanted.endswith(".") and name.startswith(wanted))]
    if wanted and not fitting:
        raise ApiFault("InvalidName", "A specified parameter was not correct: name", name=wanted)
    return [
        make("OptionValue", key=it, value=support.long(value_of(context.host, found[it])))
        for it in fitting or found
    ]


@method("HostDateTimeSystem", "QueryDateTime")
async def query_time(context: Context, moid: str, words: dict[str, Any]) -> Any:
    return moment(context.host.now())


@method("ServiceInstance", "CurrentTime")
async def current_time(context: Context, moid: str, words: dict[str, Any]) -> Any:
    return moment(context.host.now())
