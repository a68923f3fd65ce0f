"""What systemd is told of the program, as sd_notify(3) describes it. Without systemd nothing happens."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping

from reconciler.render.visible import visible
from reconciler.secrets import mask

_SEND_SECONDS = 1.0


class Systemd:
    """Takes its variables out of `environ`, so that no child speaks in our name. No call ever raises."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        address = environ.pop("NOTIFY_SOCKET", "")
        interval, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        ours = interval.isdecimal() and pid in ("", str(os.getpid()))
        self._every = int(interval) / 1e6 / 3 if ours else 0.0
        self._fed = float("-inf")

    def ready(self) -> None:
        """The start, or a reload, is over."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The program is about to end."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={visible(mask(text))}")

    def turned(self) -> None:
        """The loop moves: feeds the watchdog, if there is one, three times within its interval at most."""
        now = time.monotonic()
        if self._every and now - self._fed >= self._every:
            self._fed = now
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                # a manager that does not read must not stop the loop
                line.settimeout(_SEND_SECONDS)
                line.sendto(text.encode(errors="replace"), self._address)
        except (OSError, ValueError):
            # nobody is there to be told
            return
