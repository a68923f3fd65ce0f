"""`vmware`: which version this is (field captures vmware_v_lines, vmware_lv_pairs)."""

from __future__ import annotations

from reconciler.simulator.tools.call import Call, Usage, program
from reconciler.simulator.volumes import hardware_uuid


@program("/bin/vmware")
async def vmware(call: Call) -> int:
    options, _ = call.options("vl")
    release = call.host.release
    if "v" in options or not options:
        await call.out(f"{release.product} {release.number} build-{release.build}\n")
    if "l" in options:
        await call.out(f"{release.product} {release.number} {release.level}\n")
    return 0


@program("/sbin/esxcfg-info", "/usr/sbin/esxcfg-info")
async def esxcfg_info(call: Call) -> int:
    """`-u`: the UUID of the hardware (field guide, section 3; inferred: that it stands on a line of its own)."""
    if call.argv[1:] != ["-u"]:
        raise Usage("esxcfg-info: only -u is simulated")
    await call.out(f"{hardware_uuid(call.host.name).upper()}\n")
    return 0
