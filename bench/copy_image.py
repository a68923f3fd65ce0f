"""One image to one simulated host (8.0): `reconcile` beside `ssh host 'cat > file'` and a clone on the host.

    python -m bench.copy_image [--small] [--mbit N] [--rounds N] [--out FILE]
        (256 MiB of data in a disk of 2 GiB, --small is 32 in 256; over a link of N Mbit/s, else as fast as it goes)

The image lies here as 2gbsparse. `reconcile` makes a thin disk of it on the host's datastore. The other way is what
people do by hand: the extent that holds the data goes through `ssh`, and `vmkfstools -i` on the host makes the thin
disk of it. Both go to the same simulated host, through the same proxy on this machine that counts every byte of the
TCP streams (SSH's own included). The host has a process of its own, and its clone runs as fast as that process can:
no time is added. `host CPU` is what that process used: with few processors it is a part of what is waited for. Prints;
never fails on time.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from bench.lab.figures import MIB, mebibytes, ratio, seconds, table
from bench.lab.processes import RunFailed
from bench.lab.progress import arguments, note, publish, rounds_of

RUNS = 32
"""In so many places of the disk lies its data."""
GRAIN = 64 * 1024
PIECE, TICK = 256 * 1024, 0.001
"""What the proxy takes at once (bytes), and the shortest time for which it sleeps (seconds)."""
SEED = 7
NAME = "vmwarelinux-base7-v0"
VOLUME = "/vmfs/volumes/datastore1"
BY_HAND = f"{VOLUME}/by-hand"
WIRE, TIME, MEMORY = 1.05, 1.3, 150
"""What is promised: bytes on the wire for a byte of data, time against the other way, MiB of memory."""
SPEC = """\
apiVersion: reconciler/v1
kind: Host
metadata:
  name: esx
spec:
  address: {address}
  access:
    ssh: {{port: {port}, user: root, key: {key}, hostKey: {host_key}}}
  virtualDisk: {{path: datastore1}}
  repository: {{path: {repository}}}
  images:
    {image}: {{}}
"""


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes of one way; `client` and `host` are CPU seconds, `peak` is the client's memory in bytes."""

    wall: float
    client: float
    host: float
    sent: float
    received: float
    peak: float

    def __add__(self, other: Cost) -> Cost:
        values = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Cost(**values | {"peak": max(self.peak, other.peak)})

    @property
    def wire(self) -> float:
        return self.sent + self.received


def main() -> int:
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--mbit", type=float, metavar="N", help="the link carries N Mbit/s")
    given = parser.parse_args()
    return publish(given, lambda: tables(given.small, rounds_of(given), given.mbit))


def tables(small: bool, rounds: int, mbit: float | None) -> str:
    capacity, data = (256 * MIB, 32 * MIB) if small else (2048 * MIB, 256 * MIB)
    if missing := [name for name in ("ssh", "qemu-img", "qemu-nbd") if shutil.which(name) is None]:
        raise RunFailed(f"not there: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        make_image(folder / "repository" / NAME, capacity, data)
        make_keys(folder)
        with simulated_host(folder) as host, Proxy(host, mbit) as proxy:
            bench = Bench(folder, host, proxy)
            bench.write_spec()
            for number in range(1, rounds + 1):
                note(f"round {number} of {rounds}")
                bench.round()
        link = f"over a link of {mbit:g} Mbit/s" if mbit else "as fast as it goes"
    size = f"{data // MIB} MiB of data in a disk of {capacity // MIB} MiB"
    title = f"### One image to one host: {size}, {link}; medians of {rounds}\n"
    return "\n".join((title, *shown(bench, data)))


# -- what is copied --------------------------------------------------------------------------------------------


def make_image(folder: Path, capacity: int, data: int) -> None:
    """A 2gbsparse disk with `data` bytes that can't be compressed, in runs all over it."""
    folder.mkdir(parents=True)
    some, raw = random.Random(SEED), folder / "raw"
    with raw.open("wb") as file:
        for number in range(RUNS):
            slack = (capacity - data) // RUNS // GRAIN
            file.seek(number * capacity // RUNS + some.randrange(slack) * GRAIN)
            for _ in range(data // RUNS // GRAIN):
                file.write(some.randbytes(GRAIN))
        file.truncate(capacity)
    form = ["-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"]
    subprocess.run(
        ["qemu-img", "convert", "-f", "raw", *form, str(raw), str(folder / f"{NAME}.vmdk")], check=True
    )
    raw.unlink()


def make_keys(folder: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-C", "bench", "-f", str(folder / "key")], check=True
    )


# -- the host --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """A host in a process of its own."""

    pid: int
    address: str
    port: int
    host_key: str

    def cpu(self) -> float:
        """Seconds that its process has used (proc(5))."""
        values = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def simulated_host(folder: Path) -> Iterator[Simulated]:
    """Start the host; it ends with the `with`, and with us."""
    command = [sys.executable, "-m", "bench.copy_image", "--serve", str(folder / "key.pub")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            address, port, host_key = process.stdout.readline().rstrip("\n").split(" ", 2)
            yield Simulated(process.pid, address, int(port), host_key)
        finally:
            process.stdin.close()


def serve(public_key: Path) -> int:
    """The other process: one host, until standard input ends."""
    from reconciler.simulator import Farm, HostModel

    model = HostModel("esx", "8.0", authorized_keys=public_key.read_bytes(), reads_2gbsparse=True)
    with Farm.start([model]) as farm:
        host = farm.host("esx")
        print(host.address, host.port, host.host_keys[-1], flush=True)
        sys.stdin.read()
    return 0


class Proxy:
    """Passes connections on to the host and counts what goes each way; `mbit` is how much it carries in a second."""

    def __init__(self, host: Simulated, mbit: float | None) -> None:
        self._host = (host.address, host.port)
        self._rate = mbit * 1e6 / 8 if mbit else float("inf")
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.sent = self.received = 0

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            host = socket.create_connection(self._host)
            for end in (client, host):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pass, args=(client, host, "sent"), daemon=True).start()
            threading.Thread(target=self._pass, args=(host, client, "received"), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, count: str) -> None:
        room, free = memoryview(bytearray(PIECE)), 0.0
        try:
            while size := source.recv_into(room):
                setattr(self, count, getattr(self, count) + size)
                now = time.monotonic()
                free = max(free, now) + size / self._rate
                if free - now > TICK:
                    time.sleep(free - now)
                target.sendall(room[:size])
            target.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            target.close()


# -- measuring -------------------------------------------------------------------------------------------------


class Bench:
    """Goes both ways, as often as it is told to."""

    def __init__(self, folder: Path, host: Simulated, proxy: Proxy) -> None:
        self._folder, self._host, self._proxy = folder, host, proxy
        self.costs: dict[str, list[Cost]] = {}
        self._key, self._known = folder / "key", folder / "known_hosts"
        self._known.write_text(f"[127.0.0.1]:{proxy.port} {host.host_key}\n")

    def write_spec(self) -> None:
        text = SPEC.format(
            address="127.0.0.1", port=self._proxy.port, key=self._key, host_key=self._host.host_key,
            repository=self._folder / "repository", image=NAME,
        )  # fmt: skip
        (self._folder / "spec.yaml").write_text(text)

    def round(self) -> None:
        """Once each way."""
        reconcile = [sys.executable, "-m", "reconciler", "-f", str(self._folder / "spec.yaml"), "--quiet"]
        reconcile += ["--state-dir", str(self._folder / "state")]
        self._measure("look", [*reconcile, "--dry-run"])
        self._measure("reconcile", [*reconcile, "--yes"])
        source = self._folder / "repository" / NAME
        extents = sorted(source.glob("*-s*.vmdk"), key=lambda file: -file.stat().st_size)
        self._ssh(f"mkdir {BY_HAND}")
        for small in (source / f"{NAME}.vmdk", *extents[1:]):
            self._ssh(f"cat > {BY_HAND}/{small.name}", small)
        self._measure("ssh cat", self._ssh_command(f"cat > {BY_HAND}/{extents[0].name}"), extents[0])
        clone = f"vmkfstools -i {BY_HAND}/{NAME}.vmdk -d thin {BY_HAND}/thin.vmdk"
        self._measure("clone", self._ssh_command(clone))
        self._ssh(f"rm -rf {BY_HAND} {VOLUME}/{NAME}")

    def _ssh_command(self, command: str) -> list[str]:
        options = {
            "IdentityFile": self._key, "IdentitiesOnly": "yes", "UserKnownHostsFile": self._known,
            "StrictHostKeyChecking": "yes", "BatchMode": "yes", "Port": self._proxy.port,
        }  # fmt: skip
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return ["ssh", "-F", "none", *words, "root@127.0.0.1", command]

    def _ssh(self, command: str, content: Path = Path("/dev/null")) -> None:
        with content.open("rb") as file:
            subprocess.run(self._ssh_command(command), stdin=file, check=True)

    def _measure(self, what: str, command: Sequence[str], content: Path = Path("/dev/null")) -> None:
        """Run a client; what it cost. `wait4` counts its own children (qemu-nbd) with it."""
        proxy, host = self._proxy, self._host
        sent, received, cpu, began = proxy.sent, proxy.received, host.cpu(), time.monotonic()
        with content.open("rb") as file:
            process = subprocess.Popen(command, stdin=file, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            print(f"exit status {process.returncode}: {shlex.join(command)}", file=sys.stderr)
        self.costs.setdefault(what, []).append(
            Cost(
                wall, used.ru_utime + used.ru_stime, host.cpu() - cpu,
                proxy.sent - sent, proxy.received - received, used.ru_maxrss * 1024,
            )
        )  # fmt: skip

    def middle(self, what: str) -> Cost:
        """The median of all rounds, of each number for itself."""
        rounds = self.costs[what]
        return Cost(
            *(statistics.median(getattr(cost, each.name) for cost in rounds) for each in fields(Cost))
        )


def shown(bench: Bench, data: int) -> tuple[str, str]:
    """What it cost, and what that is against the goals."""
    ours, look, cat, clone = (bench.middle(what) for what in ("reconcile", "look", "ssh cat", "clone"))
    by_hand = cat + clone
    head = ("", "wall", "client CPU", "host CPU", "sent", "received", "peak memory")
    rows = [
        (
            what,
            *map(seconds, (cost.wall, cost.client, cost.host)),
            *(f"{size / MIB:.2f} MiB" for size in (cost.sent, cost.received)),
            mebibytes(cost.peak),
        )
        for what, cost in (
            ("reconcile", ours),
            ("of which as long as a dry run", look),
            ("ssh 'cat > file'", cat),
            ("vmkfstools -i, through ssh", clone),
            ("both of these", by_hand),
        )
    ]
    bare = ratio(ours.wall - look.wall, by_hand.wall)
    goals = [
        ("bytes on the wire for a byte of data", f"at most {WIRE}", f"{ours.wire / data:.3f}"),
        ("time against both of these", f"within {TIME}", ratio(ours.wall, by_hand.wall)),
        ("the same without the look and the start of Python", "", bare),
        ("peak memory", f"below {MEMORY} MiB", mebibytes(ours.peak)),
    ]
    return table(head, rows), table(("of reconcile", "goal", "measured"), goals)


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[2])) if sys.argv[1:2] == ["--serve"] else main())
