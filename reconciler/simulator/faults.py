"""Faults that a host can be given, by name."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.simulator.errors import SimulatorError

FAULTS: dict[str, str] = {
    "cut-before": "cut the link when the next changing command (count=N: the Nth) begins; it has no effect",
    "cut-after": "cut the link when the next changing command (count=N: the Nth) has had its effect; its reply is lost",
    "cut-now": "cut every open connection",
    "cut-after-bytes": "cut the link when count=N more bytes of a command's input or output have passed",
    "power-loss": "lose power when the next changing command (count=N: the Nth) has had its effect, and boot again",
    "hostd-down": "vim-cmd and esxcli can't reach hostd (polls=N: for N calls, seconds=S: for S seconds)",
    "nfs-down": "this host can't reach its NFS servers",
    "nfs-deny": "NFS servers refuse to be mounted by this host",
    "disk-full": "nothing more fits on the RAM disk and the boot banks",
    "silent-backup": "backups say that all is well and save nothing",
    "bootbank-tmp": "/bootbank and /altbootbank lead to /tmp, as after the boot device was lost",
    "backup-locked": "somebody who was killed holds the lock of backup.sh",
    "hang": "connections are taken and nothing is said",
    "garbage": "connections are greeted with bytes that are no SSH",
    "refuse": "the SSH port is closed",
    "flood": "every command prints without end",
    "slow": "every command takes a while (seconds=S, by default 1)",
    "sdk-expired": "the sessions of the SDK are forgotten at the next call (count=N: the Nth)",
    "sdk-refuse": "the port of the SDK is closed",
    "sdk-certificate": "the SDK shows another certificate, as if somebody stood between",
    "clear": "take all faults away",
}


@dataclass
class Fault:
    """A fault in force. `count`: at the Nth changing command (or byte) from now; `polls` and `seconds` bound it."""

    name: str
    count: int = 1
    polls: int | None = None
    seconds: float | None = None
    begun: float = 0.0


class Faults:
    """The faults of one host."""

    def __init__(self) -> None:
        self._active: dict[str, Fault] = {}

    def put(self, fault: Fault) -> None:
        """Raises SimulatorError for a name that is none."""
        if fault.name not in FAULTS:
            raise SimulatorError(f"there is no fault {fault.name!r} (would be right: {', '.join(FAULTS)})")
        self._active[fault.name] = fault

    def clear(self) -> None:
        self._active.clear()

    def drop(self, name: str) -> None:
        self._active.pop(name, None)

    def get(self, name: str) -> Fault | None:
        return self._active.get(name)

    def falls_due(self, name: str) -> bool:
        """Count one changing command; True when the fault's turn has come (it is over then)."""
        fault = self._active.get(name)
        if fault is None:
            return False
        fault.count -= 1
        if fault.count > 0:
            return False
        self.drop(name)
        return True

    def passed(self, count: int) -> bool:
        """Count bytes that pass over a link; True when it is to be cut now (the fault is over then)."""
        fault = self._active.get("cut-after-bytes")
        if fault is None:
            return False
        fault.count -= count
        if fault.count > 0:
            return False
        self.drop("cut-after-bytes")
        return True

    def poll(self, name: str, now: float) -> bool:
        """Whether a bounded fault still holds at this call."""
        fault = self._active.get(name)
        if fault is None:
            return False
        if fault.seconds is not None and now >= fault.begun + fault.seconds:
            self.drop(name)
            return False
        if fault.polls is not None:
            fault.polls -= 1
            if fault.polls < 0:
                self.drop(name)
                return False
        return True
