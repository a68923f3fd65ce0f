"""The same reads with paramiko and nothing else: `python -m bench.lab.bare_paramiko READS KEY`.

READS is a folder that `bench.lab.reads` has made. Connects, checks the host key, logs in with the key, one exec; 50 at
a time. What can be saved beyond that is not ours to save.
"""

from __future__ import annotations

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko

from bench.lab import AT_A_TIME

PIECE = 1 << 16


def main(reads: Path, key_file: str) -> int:
    key = paramiko.RSAKey.from_private_key_file(key_file)

    def read(line: str) -> int:
        name, address, port = line.split()
        known = (reads / f"{name}.known").read_text().split()[2]
        return _read(address, int(port), known, key, (reads / f"{name}.sh").read_bytes())

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        statuses = list(pool.map(read, (reads / "hosts.txt").read_text().splitlines()))
    return int(any(statuses))


def _read(address: str, port: int, known: str, key: paramiko.PKey, script: bytes) -> int:
    """The exit status of the script on one host."""
    transport = paramiko.Transport(socket.create_connection((address, port)))
    try:
        transport.start_client()
        if transport.get_remote_server_key().get_base64() != known:
            raise SystemExit(f"{address}: another host key")
        transport.auth_publickey("root", key)
        channel = transport.open_session()
        channel.exec_command("sh")
        channel.sendall(script)
        channel.shutdown_write()
        while channel.recv(PIECE):
            pass
        return channel.recv_exit_status()
    finally:
        transport.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
