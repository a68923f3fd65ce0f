"""`reconcile import vcl` against a real MariaDB: what is written, and what is said when it can't be."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest

from reconciler.cli.main import run
from reconciler.importing.vcl import database as edge
from tests.live.importing.mariadb import NOBODY, PASSWORD, USER, MariaDb, Rows, documents, free_port

SECRET = "hunter2-in-the-database"
PROFILES = [
    {"id": 1, "profilename": "local", "datastorepath": "datastore1", "virtualswitch0": "Private"},
    {
        "id": 2,
        "profilename": "VMware vCenter",
        "datastorepath": "nfs-datastore",
        "vmpath": "/vmfs/volumes/datastore1/vms",
        "repositorypath": "[repo] images",
        "resourcepath": "/DC/Cluster/Pool",
        "vmdisk": "shared",
        "username": "vcl",
        "password": SECRET,
        "encryptedpasswd": SECRET,
        "secretid": 4,
    },
    {"id": 3, "profilename": "KVM", "datastorepath": "/var/lib/libvirt/images"},
]
COMPUTERS = [
    {"id": 1, "hostname": "vmhost-1", "privateIPaddress": "10.0.0.1"},
    {"id": 2, "hostname": "vmhost-2", "privateIPaddress": "10.0.0.2", "stateid": 10},
    {"id": 3, "hostname": "vcenter", "privateIPaddress": "10.0.0.3"},
    {"id": 4, "hostname": "kvm", "privateIPaddress": "10.0.0.4"},
    {"id": 5, "hostname": "gone", "privateIPaddress": "10.0.0.5", "deleted": 1},
    {"id": 6, "hostname": "vm-1", "type": "virtualmachine", "vmhostid": 1, "imagerevisionid": 2},
]
VMHOSTS = [
    {"id": 1, "computerid": 1, "vmprofileid": 1},
    {"id": 2, "computerid": 2, "vmprofileid": 1},
    {"id": 3, "computerid": 3, "vmprofileid": 2},
    {"id": 4, "computerid": 4, "vmprofileid": 3},
    {"id": 5, "computerid": 5, "vmprofileid": 1},
]
IMAGES: Rows = {
    "OS": [{"id": 1, "name": "vmwarelinux", "installtype": "vmware"}],
    "image": [{"id": 1, "name": "noimage"}, {"id": 2, "name": "vmwarelinux-base2-v2", "OSid": 1}],
    "imagerevision": [
        {"id": 1, "imageid": 1, "imagename": "noimage", "production": 1},
        {"id": 2, "imageid": 2, "imagename": "vmwarelinux-base2-v1", "production": 0},
        {"id": 3, "imageid": 2, "imagename": "vmwarelinux-base2-v2", "production": 1},
    ],
}
ROWS: Rows = {"vmprofile": PROFILES, "computer": COMPUTERS, "vmhost": VMHOSTS, **IMAGES}


@dataclass
class Importer:
    """`reconcile import vcl` into a folder of its own."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, url: str, *more: str) -> tuple[int, str]:
        """Exit status, and all that was said."""
        self.capture.readouterr()
        status = run(
            [
                "import",
                "vcl",
                "--database",
                url,
                "--password-env",
                "VCL_PASSWORD",
                "--out",
                str(self.folder),
                *more,
            ]
        )
        out, err = self.capture.readouterr()
        return status, out + err

    def fails(self, url: str, *more: str, status: int = 1) -> str:
        """What is said when nothing is written."""
        ended, said = self(url, *more)
        assert ended == status, said
        assert not self.folder.exists()
        assert said.startswith("reconcile: ")
        assert "Traceback" not in said
        assert PASSWORD not in said
        return said

    def written(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def validated(self) -> str:
        """What `validate` says of what was written."""
        self.capture.readouterr()
        assert run(["validate", "-f", str(self.folder)]) == 0, self.capture.readouterr().err
        return self.capture.readouterr().out


@pytest.fixture
def importing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Importer:
    monkeypatch.setenv("VCL_PASSWORD", PASSWORD)
    return Importer(tmp_path / "specs", capsys)


@pytest.fixture(scope="module")
def url(mariadb: MariaDb) -> str:
    """A database that nobody changes."""
    return mariadb.fill("vcl", ROWS)


def test_a_user_who_may_only_read_gets_specs_that_are_valid(importing: Importer, url: str) -> None:
    status, said = importing(url)
    assert status == 0, said
    assert importing.validated() == "the specs are valid: 3 hosts\n"
    assert documents(importing.written("profiles.yaml")) == 2
    assert "host 'gone' (computer 5, vmhost 5): it is deleted in VCL" in said
    assert "profile 'KVM' (vmprofile 3): it is for another hypervisor" in said
    assert "mode: paused" in importing.written("hosts.yaml")
    where = importing.folder
    assert f"wrote {where}/profiles.yaml (2 profiles) and {where}/hosts.yaml (3 hosts)\n" in said


def test_no_secret_of_the_database_is_written_or_shown(importing: Importer, url: str) -> None:
    status, said = importing(url)
    assert status == 0
    assert SECRET not in said + importing.written("profiles.yaml") + importing.written("hosts.yaml")
    assert "env: ESXI_PASSWORD_VMWARE_VCENTER" in importing.written("profiles.yaml")
    assert "VCL has a password (encrypted): give it in ESXI_PASSWORD_VMWARE_VCENTER" in said


def test_the_same_database_gives_the_same_bytes(importing: Importer, url: str) -> None:
    importing(url, "--images", "loaded")
    first = importing.written("profiles.yaml"), importing.written("hosts.yaml")
    assert importing(url, "--images", "loaded", "--force")[0] == 0
    assert (importing.written("profiles.yaml"), importing.written("hosts.yaml")) == first
    assert "vmwarelinux-base2-v1: {}" in first[1]


def test_a_server_too_old_for_all_of_unicode_is_asked_for_what_it_has(
    importing: Importer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MySQL 5.1, which is not to be had any more, answers so to `SET NAMES utf8mb4`."""
    connect, asked = pymysql.connect, list[str]()

    def old(**given: Any) -> Any:
        asked.append(given["charset"])
        if given["charset"] == "utf8mb4":
            raise pymysql.OperationalError(1115, "Unknown character set: 'utf8mb4'")
        return connect(**given)

    monkeypatch.setattr(pymysql, "connect", old)
    assert importing(url)[0] == 0
    assert asked == ["utf8mb4", "utf8"]


def test_a_file_that_is_there_is_kept_and_the_database_is_not_even_asked(importing: Importer) -> None:
    importing.folder.mkdir()
    (importing.folder / "hosts.yaml").write_text("mine", encoding="utf-8")
    status, said = importing("mysql://reader@127.0.0.1:1/vcl")
    assert status == 1
    assert "hosts.yaml is there already: nothing was written (--force writes over it)" in said
    assert os.listdir(importing.folder) == ["hosts.yaml"]
    assert importing.written("hosts.yaml") == "mine"


def test_images_in_production_come_with_the_profiles(importing: Importer, url: str) -> None:
    assert importing(url, "--images", "production")[0] == 0
    assert "vmwarelinux-base2-v2: {}" in importing.written("profiles.yaml")
    assert importing.validated()


def test_odd_values_in_every_column_are_carried_or_named(importing: Importer, mariadb: MariaDb) -> None:
    odd = ["on", "123", "a: b", 'it\'s "odd"\\', "two\nlines", "x" * 56, "# no", "~"]
    # a byte that the server's latin1 has, and the table of that name in Python gives another sign
    odd.append("Ünter\x81")
    columns = (
        "profilename",
        "datastorepath",
        "vmpath",
        "repositorypath",
        "virtualswitch0",
        "username",
        "rsakey",
    )
    more = ("resourcepath", "folderpath", "virtualswitch1", "virtualswitch2", "virtualswitch3")
    rows: Rows = {
        "vmprofile": [
            {"id": number, **dict.fromkeys((*columns, *more), text), "password": SECRET}
            for number, text in enumerate(odd, 1)
        ],
        "computer": [
            {"id": number, "hostname": text[:36], "privateIPaddress": text[:15]}
            for number, text in enumerate(odd, 1)
        ],
        "vmhost": [{"computerid": number, "vmprofileid": number} for number in range(1, len(odd) + 1)],
        "managementnode": [
            {"id": number, "hostname": text[:50], "keys": text} for number, text in enumerate(odd, 1)
        ],
        "image": [{"id": number, "name": text, "OSid": 1} for number, text in enumerate(odd, 1)],
        "imagerevision": [
            {"id": number, "imageid": number, "imagename": text, "production": 1}
            for number, text in enumerate(odd, 1)
        ],
        "OS": [{"id": 1, "name": "x", "installtype": "vmware"}],
    }
    status, said = importing(mariadb.fill("odd", rows), "--images", "production")
    assert status == 0, said
    assert importing.validated() == f"the specs are valid: {len(odd)} hosts\n"
    assert "Ünter" in importing.written("profiles.yaml")
    assert SECRET not in said + importing.written("profiles.yaml")


def test_an_old_schema_is_read_with_the_defaults_of_what_it_lacks(
    importing: Importer, mariadb: MariaDb
) -> None:
    changes = [
        "ALTER TABLE vmprofile DROP folderpath, DROP resourcepath, DROP virtualswitch2, DROP virtualswitch3",
        "ALTER TABLE vmprofile DROP secretid, DROP rsapub, DROP rsakey, DROP encryptedpasswd, DROP eth0generated",
        "ALTER TABLE vmprofile DROP repositorypath, DROP datastoreimagetypeid, ADD nasshare varchar(128)",
        "ALTER TABLE vmprofile MODIFY vmdisk enum('localdisk','networkdisk') NOT NULL DEFAULT 'localdisk'",
        "ALTER TABLE vmhost ADD vmkernalnic varchar(10)",
        "ALTER TABLE computer DROP privateIPaddress",
        "ALTER TABLE managementnode DROP `keys`",
        "DROP TABLE imagetype",
        "DROP TABLE state",
    ]
    rows: Rows = {
        "vmprofile": [
            {"id": 1, "profilename": "local"},
            {"id": 2, "profilename": "network", "datastorepath": "nfs", "vmdisk": "networkdisk"},
        ],
        "computer": [{"id": 1, "hostname": "a"}, {"id": 2, "hostname": "b", "stateid": 10}],
        "vmhost": [{"computerid": 1, "vmprofileid": 1}, {"computerid": 2, "vmprofileid": 2}],
    }
    status, said = importing(mariadb.fill("old", rows, changes))
    assert status == 0, said
    assert "vmprofile.nasshare: of an older version of VCL" in said
    assert "vmhost.vmkernalnic: of an older version of VCL" in said
    profiles = importing.written("profiles.yaml")
    assert "mode: dedicated  # vmdisk: localdisk" in profiles
    assert "mode: shared  # vmdisk: networkdisk" in profiles
    assert "mode: paused  # its state in VCL: maintenance" in importing.written("hosts.yaml")
    assert importing.validated()


def test_a_change_while_it_reads_is_not_seen_by_half(
    importing: Importer, mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = mariadb.fill("moving", ROWS)
    rows = edge._rows

    def slow(cursor: Any, name: str, *rest: Any) -> Any:
        result = rows(cursor, name, *rest)
        if name == "computer":
            mariadb.run(
                "DELETE FROM vmhost",
                "UPDATE vmprofile SET profilename = 'new'  WHERE id = 1",
                database="moving",
            )
        return result

    monkeypatch.setattr(edge, "_rows", slow)
    assert importing(url)[0] == 0
    assert importing.validated() == "the specs are valid: 3 hosts\n"
    assert "name: local" in importing.written("profiles.yaml")


def test_in_its_transaction_nothing_can_be_written(mariadb: MariaDb, url: str) -> None:
    with closing(mariadb.root("vcl")) as connection, connection.cursor() as cursor:
        for statement in edge._SNAPSHOT:
            cursor.execute(statement)
        with pytest.raises(pymysql.MySQLError, match="READ ONLY"):
            cursor.execute("DELETE FROM vmhost")


def test_two_profiles_of_one_computer_are_told_and_decided(importing: Importer, mariadb: MariaDb) -> None:
    more = {"id": 6, "computerid": 1, "vmprofileid": 2}
    url = mariadb.fill("twice", {**ROWS, "vmhost": [*VMHOSTS, more]})
    said = importing.fails(url)
    assert "host 'vmhost-1' (computer 1) has several profiles in VCL: 'local', 'VMware vCenter'" in said
    assert importing(url, "--prefer-profile", "VMware vCenter")[0] == 0


def test_a_database_without_hosts_says_so(importing: Importer, mariadb: MariaDb) -> None:
    url = mariadb.fill("empty", {"vmprofile": PROFILES})
    assert "VCL has no host that is an ESX host" in importing(url)[1]
    assert not importing.folder.exists()
    assert importing(url, "--all-profiles")[0] == 0
    assert importing.validated() == "the specs are valid: 0 hosts\n"


def test_what_is_not_vcl_is_told_apart(importing: Importer, mariadb: MariaDb, url: str) -> None:
    mariadb.run("CREATE DATABASE IF NOT EXISTS other", f"GRANT SELECT ON other.* TO '{USER}'@'127.0.0.1'")
    said = importing.fails(mariadb.url("other"))
    assert f"127.0.0.1:{mariadb.port}/other is no database of VCL, or {USER} may not read it" in said
    assert "there is no table computer, vmhost, vmprofile;" in said
    # who may read some of it: of the rest nothing is seen
    mariadb.run(
        "DROP DATABASE IF EXISTS part",
        "CREATE DATABASE part",
        "CREATE TABLE part.computer (id int, hostname text)",
    )
    mariadb.run(f"GRANT SELECT ON part.computer TO '{USER}'@'127.0.0.1'")
    assert "there is no table vmhost, vmprofile;" in importing.fails(mariadb.url("part"))
    mariadb.fill("cut", {}, ["ALTER TABLE vmprofile DROP datastorepath"])
    assert "there is no column vmprofile.datastorepath;" in importing.fails(mariadb.url("cut"))


def test_tables_that_are_not_there_are_named(importing: Importer, mariadb: MariaDb) -> None:
    rows = {name: each for name, each in ROWS.items() if name not in ("imagerevision", "imagetype")}
    url = mariadb.fill("plain", rows, ["DROP TABLE imagerevision", "DROP TABLE imagetype"])
    for which in ("production", "loaded"):
        assert "there is no table imagerevision;" in importing.fails(url, "--images", which)
    status, said = importing(url)
    assert status == 0
    assert "left out: imagetype: there is no such table, or this user may not read it" in said


def test_the_password_is_not_sent_as_it_is_to_whoever_asks(importing: Importer) -> None:
    heard = bytearray()

    def wants_clear_text(connection: socket.socket) -> None:
        salt, abilities = b"12345678", (b"\x00\x82", b"\x08\x00")
        hello = b"\x0a5.7.0\0" + b"\1\0\0\0" + salt + b"\0" + abilities[0] + b"\x21\2\0" + abilities[1]
        hello += b"\x15" + bytes(10) + b"123456789012\0mysql_native_password\0"
        for number, packet in ((0, hello), (2, b"\xfemysql_clear_password\0")):
            connection.sendall(len(packet).to_bytes(3, "little") + bytes((number,)) + packet)
            heard.extend(connection.recv(4096))

    with answering(wants_clear_text) as url:
        assert "was refused: the server wants the password in clear text" in importing.fails(url)
    assert USER.encode() in heard
    assert PASSWORD.encode() not in heard


def test_a_refused_login_is_told(
    importing: Importer, mariadb: MariaDb, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"{NOBODY} was refused" in importing.fails(mariadb.url("vcl", NOBODY))
    monkeypatch.setenv("VCL_PASSWORD", "wrong")
    said = importing.fails(url)
    assert f"{USER} was refused: Access denied" in said
    monkeypatch.delenv("VCL_PASSWORD")
    assert "no secret from {env: VCL_PASSWORD}" in importing.fails(url)


@contextmanager
def answering(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Something on a port that does this with each connection; the URL of a database there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()

        def serve() -> None:
            with closing(server):
                while not stopped.is_set():
                    connection, _ = server.accept()
                    # who looks in only to end this does not listen
                    with connection, suppress(OSError):
                        answer(connection)

        port = server.getsockname()[1]
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"mysql://{USER}@127.0.0.1:{port}/vcl"
        stopped.set()
        # it may have seen that by itself
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
        thread.join()


def test_a_server_that_is_not_there_or_hangs_up_is_not_reached(importing: Importer) -> None:
    port = free_port()
    said = importing.fails(f"mysql://{USER}@127.0.0.1:{port}/vcl", status=3)
    assert f"127.0.0.1:{port}/vcl could not be reached" in said
    with answering(lambda connection: None) as url:
        assert "could not be reached" in importing.fails(url, status=3)


@pytest.mark.parametrize(
    "words", [b"SSH-2.0-OpenSSH_9.2\r\n" * 3, b"\x4a\x00\x00\x00\x0a5.5", b"HTTP/1.1 400 Bad\r\n\r\n"]
)
def test_what_is_no_database_is_not_reached(importing: Importer, words: bytes) -> None:
    with answering(lambda connection: connection.sendall(words)) as url:
        said = importing.fails(url, status=3)
        assert "bug" not in said


def test_a_server_that_says_nothing_is_a_fault_before_long(
    importing: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edge.CONNECT_SECONDS + edge.SILENT_SECONDS < 30
    monkeypatch.setattr(edge, "SILENT_SECONDS", 0.2)
    with answering(lambda connection: connection.recv(1)) as url:
        assert "could not be reached" in importing.fails(url, status=3)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@h/vcl",
        "postgres://u@h/vcl",
        "mysql://h/vcl",
        "mysql://u@h",
        "mysql://u@h:x/vcl",
        "mysql://u@h/a/b",
        "mysql://u@h/a?x=1",
        "mysql://u@[::1/vcl",
    ],
)
def test_a_wrong_url_says_what_would_be_right_and_shows_no_password(importing: Importer, url: str) -> None:
    said = importing.fails(url)
    assert "would be right" in said
    assert "hunter2" not in said


def test_without_the_extra_it_says_what_to_install(
    importing: Importer, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    monkeypatch.delitem(sys.modules, "reconciler.importing.vcl.database")
    assert "pip install 'reconciler[vcl]'" in importing.fails(url)
