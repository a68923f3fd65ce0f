"""`vmware`: which version this is (field captures vmware_v_lines, vmware_lv_pairs)."""

from __future__ import annotations

from reconciler.simulator.tools.call import Call, program


@program("/bin/vmware")
async def vmware(call: Call) -> int:
    options, _ = call.options("vl")
    release = call.host.release
    if "v" in options or not options:
        await call.out(f"{release.product} {release.number} build-{release.build}\n")
    if "l" in options:
        await call.out(f"{release.product} {release.number} {release.level}\n")
    return 0
