"""VMkernel modules, as far as virtual disks need them: `vmkload_mod` and `esxcli system module`.

multiextent is built in up to 5.0, has to be loaded from 5.1 to 6.0, and is gone from 6.5 on (field guide, section 7.2).
"""

from __future__ import annotations

from reconciler.simulator.esx.command import Option, Refusal, command
from reconciler.simulator.esx.render import Result, Structure
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, Usage, program

ALWAYS = ("vmkernel", "procfs", "nfsclient")


def _changes(shell: Shell, argv: list[str]) -> bool:
    return "-l" not in argv


@program("/sbin/vmkload_mod", "/usr/sbin/vmkload_mod", changing=_changes)
async def vmkload_mod(call: Call) -> int:
    """`vmkload_mod -l`, `vmkload_mod NAME`, `vmkload_mod -u NAME`."""
    options, words = call.options("lu:")
    loaded = call.host.modules
    if "l" in options:
        await call.out("Name                     Used Size (kb)\n")
        for name in (*ALWAYS, *sorted(loaded)):
            await call.out(f"{name:<24} {1:4d} {120:9d}\n")
        return 0
    if "u" in options:
        if options["u"] not in loaded:
            raise Usage(f"vmkload_mod: Can not unload module {options['u']}: not found")
        loaded.discard(options["u"])
        await call.out(f"Module {options['u']} successfully unloaded\n")
        return 0
    return await _load(call, words[0] if words else "")


async def _load(call: Call, name: str) -> int:
    if not available(call, name):
        raise Usage(
            f"VMKMod_ComputeModPath({name}) failed: Not found\nvmkload_mod: Can not load module {name}: not found"
        )
    if name in call.host.modules or name in ALWAYS:
        raise Usage(f"vmkload_mod: Can not load module {name}: module is already loaded")
    call.host.modules.add(name)
    await call.out(f"Module {name} loaded successfully\n")
    return 0


def available(call: Call, name: str) -> bool:
    """Whether there is such a module to load."""
    release = call.host.release
    return name in ALWAYS or (name == "multiextent" and release.since(5, 1) and not release.since(6, 5))


# -- esxcli, from 5.0 on: the columns of the list are a field capture, the texts of refusals are inferred ----------


@command("system module list")
async def module_list(call: Call, options: dict[str, str]) -> Result:
    rows = [
        Structure("VmkernelModule", (("Name", name), ("Is Loaded", True), ("Is Enabled", True)))
        for name in (*ALWAYS, *sorted(call.host.modules))
    ]
    return Result("table", rows)


@command("system module load", Option("m", "module", required=True), changing=True)
async def module_load(call: Call, options: dict[str, str]) -> None:
    """It says nothing when it loads one (field capture)."""
    name = options["module"]
    if not available(call, name):
        raise Refusal(f"Unable to load module {name}: Not found")
    if name in call.host.modules or name in ALWAYS:
        raise Refusal(f"Unable to load module {name}: Busy")
    call.host.modules.add(name)
