"""Services: chkconfig, init scripts, services.sh.

Field captures: hostd restart (5.0, 6.5), hostd status (5.1), what SSH start and stop print (5.0). Inferred: the text of
`/etc/init.d/SSH status`, and of the service of 4.x.
"""

from __future__ import annotations

from reconciler.simulator.esx.vimcmd import set_policy
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, Usage, program

OTHERS = {"DCUI": True, "ESXShell": False, "hostd": True, "ntpd": False, "vpxa": True}


def _switches(shell: Shell, argv: list[str]) -> bool:
    return len(argv) == 3 and argv[2] in ("on", "off")


@program("/sbin/chkconfig", "/bin/chkconfig", changing=_switches)
async def chkconfig(call: Call) -> int:
    """`--list [NAME]`, or `NAME on|off`."""
    words = call.argv[1:]
    service = call.host.release.ssh_service
    states = {service: call.host.ssh_policy, **OTHERS}
    if words[:1] in (["--list"], ["-l"]):
        wanted = words[1:2] or sorted(states)
        if wanted[0] not in states:
            await call.error(f"Service {wanted[0]} not found\n")
            return 1
        for name in wanted:
            await call.out(f"{name:<24}{'on' if states[name] else 'off'}\n")
        return 0
    if len(words) == 2 and words[1] in ("on", "off"):
        if words[0] not in states:
            await call.error(f"Service {words[0]} not found\n")
            return 1
        if words[0] == service:
            set_policy(call, words[1] == "on")
        return 0
    raise Usage("Usage: chkconfig [--list] [name]\n       chkconfig name [on|off]")


def _acts(shell: Shell, argv: list[str]) -> bool:
    return argv[1:2] not in ([], ["status"])


async def _ssh(call: Call) -> int:
    action = (call.argv[1:2] or [""])[0]
    if action == "status":
        await call.out(f"SSH login {'enabled' if call.host.ssh_running else 'disabled'}\n")
        return 0 if call.host.ssh_running else 1
    if action not in ("start", "stop", "restart"):
        raise Usage(f"Usage: {call.name} {{start|stop|status|restart}}")
    if action != "start":
        await _say_ssh(call, False)
    if action != "stop":
        await _say_ssh(call, True)
    return 0


async def _say_ssh(call: Call, running: bool) -> None:
    call.host.set_ssh(running)
    await call.out(f"SSH login {'enabled' if running else 'disabled'}\n")
    if not call.host.release.since(5, 1):
        await call.out("VobUserLib_Init failed with -1\n")


@program("/etc/init.d/SSH", changing=_acts, since="5.0")
async def ssh_service(call: Call) -> int:
    return await _ssh(call)


@program("/etc/init.d/TSM-SSH", changing=_acts, until="5.0")
async def tsm_ssh_service(call: Call) -> int:
    return await _ssh(call)


@program("/etc/init.d/hostd", changing=_acts)
async def hostd_service(call: Call) -> int:
    action = (call.argv[1:2] or [""])[0]
    if action == "status":
        running = call.host.hostd_up
        await call.out("hostd is running.\n" if running else "hostd is not running.\n")
        return 0 if running else 1
    if action != "restart":
        raise Usage("Usage: hostd {start|stop|status|restart}")
    await restart_hostd(call)
    return 0


async def restart_hostd(call: Call) -> None:
    """hostd goes and comes; it answers after the delay that the host's model names."""
    release, pid = call.host.release, call.host.new_pid()
    await call.out(f"watchdog-hostd: Terminating watchdog process with PID {pid}\nhostd stopped.\n")
    if not release.since(6):
        await call.out(
            f"[{pid + 1}] Begin 'hostd ++min=0,swap,group=hostd /etc/vmware/hostd/config.xml', min-uptime = 60, "
            "max-quick-failures = 1, max-total-failures = 1000000, bg_pid_file = ''\n"
        )
    call.host.hostd_from = call.host.now() + call.host.model.hostd_delay
    await call.out("hostd started.\n")


@program("/sbin/services.sh", changing=_acts)
async def services(call: Call) -> int:
    """`services.sh restart`: the services that are simulated, in the order of the capture of 5.0."""
    if call.argv[1:2] != ["restart"]:
        raise Usage("Usage: services.sh {start|stop|restart}")
    service = call.host.release.ssh_service
    await call.out(f"Running {service} stop\n")
    await _say_ssh(call, False)
    await call.out(f"Running {service} restart\n")
    await _say_ssh(call, True)
    await call.out("Running hostd restart\n")
    await restart_hostd(call)
    return 0
