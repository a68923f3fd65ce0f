"""A MariaDB of our own on loopback, and VCL's tables in it, built from their documented columns."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import Cursor

SECONDS = 60.0
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"))
PASSWORD = "pass word"
USER, NOBODY = "reader", "nobody"

TABLES = {
    "vmhost": "id smallint unsigned auto_increment primary key, computerid smallint unsigned not null, "
    "vmprofileid smallint unsigned not null, unique (computerid, vmprofileid)",
    "vmprofile": "id smallint unsigned auto_increment primary key, profilename varchar(56) not null unique, "
    "imageid smallint unsigned not null default 1, resourcepath varchar(256), folderpath varchar(256), "
    "repositorypath varchar(128), repositoryimagetypeid smallint unsigned not null default 1, "
    "datastorepath varchar(128) not null default 'datastore1', "
    "datastoreimagetypeid smallint unsigned not null default 1, vmpath varchar(128), "
    "virtualswitch0 varchar(80) not null default 'VMnet0', virtualswitch1 varchar(80) not null default 'VMnet2', "
    "virtualswitch2 varchar(80), virtualswitch3 varchar(80), "
    "vmdisk enum('dedicated','shared') not null default 'dedicated', username varchar(80), password varchar(256), "
    "secretid smallint unsigned, eth0generated tinyint(1) unsigned not null default 0, "
    "eth1generated tinyint(1) unsigned not null default 0, rsapub text, rsakey varchar(256), encryptedpasswd text",
    "computer": "id smallint unsigned auto_increment primary key, stateid tinyint unsigned not null default 20, "
    "vmhostid smallint unsigned, imagerevisionid mediumint unsigned not null default 1, "
    "hostname varchar(36) not null default '', IPaddress varchar(15) not null default '', "
    "privateIPaddress varchar(15), type enum('blade','lab','virtualmachine') not null default 'blade', "
    "deleted tinyint(1) unsigned not null default 0, notes text, host blob",
    "state": "id tinyint unsigned primary key, name varchar(25) not null",
    "imagetype": "id smallint unsigned primary key, name varchar(16) not null",
    "managementnode": "id smallint unsigned primary key, hostname varchar(50) not null unique, `keys` varchar(1024)",
    "image": "id smallint unsigned primary key, name varchar(70) not null unique, "
    "OSid tinyint unsigned not null default 0, deleted tinyint unsigned not null default 0",
    "imagerevision": "id mediumint unsigned primary key, imageid smallint unsigned not null, "
    "imagename varchar(75) not null, production tinyint(1) unsigned not null, "
    "deleted tinyint(1) unsigned not null default 0",
    "OS": "id tinyint unsigned primary key, name varchar(20) not null, "
    "installtype varchar(30) not null default 'image'",
}
STATES = {1: "deleted", 2: "available", 10: "maintenance", 20: "vmhostinuse", 21: "tovmhostinuse"}
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class MariaDb:
    """A server with a user who may read, and one who may nothing."""

    def __init__(self, port: int, socket_path: Path) -> None:
        self.port = port
        self._socket = socket_path

    def root(self, database: str | None = None) -> pymysql.Connection[Cursor]:
        return pymysql.connect(
            unix_socket=str(self._socket), user="root", database=database, charset="utf8mb4", autocommit=True
        )

    def run(self, *statements: str, database: str | None = None) -> None:
        """Statements of root."""
        with closing(self.root(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def fill(self, database: str, rows: Rows, changes: Sequence[str] = ()) -> str:
        """Make VCL's tables, alter them, fill them; the URL for a user who may read."""
        self.run(f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} CHARACTER SET latin1")
        tables = [
            f"CREATE TABLE `{name}` ({columns}) ENGINE=InnoDB DEFAULT CHARSET=latin1"
            for name, columns in TABLES.items()
        ]
        states = [f"INSERT INTO state VALUES ({number}, '{name}')" for number, name in STATES.items()]
        self.run(*tables, *states, *changes, database=database)
        self.run(f"GRANT SELECT ON {database}.* TO '{USER}'@'127.0.0.1'")
        with closing(self.root(database)) as connection, connection.cursor() as cursor:
            for table, each in rows.items():
                for row in each:
                    names = ", ".join(f"`{name}`" for name in row)
                    marks = ", ".join(["%s"] * len(row))
                    cursor.execute(f"INSERT INTO `{table}` ({names}) VALUES ({marks})", tuple(row.values()))
        return self.url(database)

    def url(self, database: str, user: str = USER) -> str:
        return f"mysql://{user}@127.0.0.1:{self.port}/{database}"


@contextmanager
def serving(folder: Path) -> Iterator[MariaDb]:
    """Run a server with its data in an empty folder."""
    data = ["--no-defaults", f"--datadir={folder}/data", "--innodb-log-file-size=4M"]
    # not told of a user it leaves the rights below /usr/lib/mysql alone
    subprocess.run(
        [program("mariadb-install-db"), *data, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=SECONDS,
    )
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(f"{folder}/ready")
        ready.settimeout(SECONDS)
        command = [program("mariadbd"), *data, *as_root, f"--port={port}", "--bind-address=127.0.0.1"]
        command += [f"--socket={folder}/sock", f"--pid-file={folder}/pid", "--skip-name-resolve"]
        command += [
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=8M",
            "--performance-schema=OFF",
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stderr=log, env={**os.environ, "NOTIFY_SOCKET": f"{folder}/ready"}
            )
            try:
                while b"READY=1" not in ready.recv(4096):
                    pass
                server = MariaDb(port, folder / "sock")
                for user in (USER, NOBODY):
                    server.run(f"CREATE USER '{user}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
                yield server
            finally:
                process.terminate()
                process.wait(SECONDS)


def program(name: str) -> str:
    """Where a program of Debian's mariadb-server-core is."""
    found = shutil.which(name, path=PATH)
    assert found is not None, f"{name} is not there: apt-get install mariadb-server-core mariadb-client-core"
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def documents(text: str) -> int:
    """How many documents a written file has."""
    return len(re.findall("^kind: ", text, re.MULTILINE))
