"""A VCL database over the network: read-only, in one consistent snapshot, without any secret that is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.cursors import Cursor

from reconciler.faults import Fault, LoginRefused, Unreachable, Unsupported
from reconciler.importing.vcl.columns import COLUMNS, OUTDATED, REQUIRED, SECRETS
from reconciler.importing.vcl.rows import Row, Tables
from reconciler.records import record

PORT = 3306
CONNECT_SECONDS = 5.0
SILENT_SECONDS = 20.0
IMAGES = frozenset(("image", "imagerevision", "OS"))
"""Tables that are read only where images are wished."""

_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
# servers older than MySQL 5.6.5 know no READ ONLY, and take it for a comment
_SNAPSHOT = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT /*!50605 , READ ONLY */",
)
_REFUSED = {1044, 1045, 1130, 1142, 1143, 1251, 1698, 2059}
_NO_DATABASE, _UNKNOWN_CHARSET, _CLIENT_PLUGIN = 1049, 1115, 2059
_CLEAR_TEXT = ("mysql_clear_password", "dialog")
_NOT_REACHED = {1040, 1158, 1159, 1160, 1161, 2002, 2003, 2005, 2006, 2013, 2026, 2055}


@record
class Database:
    """Where a database is."""

    user: str
    host: str
    port: int
    name: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.name}"


def parse_url(url: str) -> Database:
    """`mysql://USER@HOST[:PORT]/NAME`. Raises ValueError with what is wrong, which never quotes a password."""
    right = "would be right: mysql://USER@HOST[:PORT]/NAME"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        raise ValueError(f"this is no URL of a database ({right})") from None
    if parts.password is not None:
        raise ValueError(
            "a password does not belong in the URL (would be right: --password-file or --password-env)"
        )
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("mysql", "mariadb") or not parts.username or not host or not name or "/" in name:
        raise ValueError(f"this is no URL of a database ({right})")
    if parts.query or parts.fragment:
        raise ValueError(f"nothing may follow the database's name ({right})")
    return Database(unquote(parts.username), host, port, name)


def read(database: Database, password: str, *, images: bool) -> tuple[Tables, list[str]]:
    """The rows of the tables, and what was not read although it is VCL's, each with the reason.

    `images`: those about images too. Raises Unreachable, also when the server says nothing for 20 s; LoginRefused;
    Unsupported when it is not VCL's database.
    """
    with _faults(database), closing(_connected(database, password)) as connection:
        with connection.cursor() as cursor:
            for statement in _SNAPSHOT:
                cursor.execute(statement)
            there = _catalogue(cursor)
            _check(database, there, images)
            wanted = [name for name in COLUMNS if name.lower() in there and (images or name not in IMAGES)]
            tables = {name.lower(): _rows(cursor, name, there[name.lower()]) for name in wanted}
            return tables, [*_outdated(there), *_missing(there)]


@dataclass
class _Table:
    """A table as the database spells it. `columns`: their spellings by lower-case names."""

    name: str
    columns: dict[str, str] = field(default_factory=dict)


Catalogue = Mapping[str, _Table]
"""What this user may see, by lower-case names."""


def _catalogue(cursor: Cursor) -> Catalogue:
    cursor.execute(_COLUMNS)
    there: dict[str, _Table] = {}
    for table, column in cursor.fetchall():
        there.setdefault(table.lower(), _Table(table)).columns[column.lower()] = column
    return there


def _connected(database: Database, password: str) -> pymysql.Connection[Cursor]:
    # the server converts: what the client calls latin1 is another table of signs than the server's
    try:
        return _connected_with(database, password, "utf8mb4")
    except pymysql.MySQLError as error:
        # MySQL before 5.5.3, beside which VCL 2.2 stood
        if error.args[:1] != (_UNKNOWN_CHARSET,):
            raise
        return _connected_with(database, password, "utf8")


def _connected_with(database: Database, password: str, charset: str) -> pymysql.Connection[Cursor]:
    return pymysql.connect(
        host=database.host,
        port=database.port,
        user=database.user,
        password=password.encode(),
        database=database.name,
        charset=charset,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=SILENT_SECONDS,
        write_timeout=SILENT_SECONDS,
        auth_plugin_map=dict.fromkeys(_CLEAR_TEXT, _NoClearText),
    )


def _check(database: Database, there: Catalogue, images: bool) -> None:
    tables = [
        table for table in (*REQUIRED, *(sorted(IMAGES) if images else ())) if table.lower() not in there
    ]
    columns = [
        f"{table}.{column}"
        for table, names in REQUIRED.items()
        for column in names
        if table in there and column.lower() not in there[table].columns
    ]
    lacking = f"table {', '.join(tables)}" if tables else f"column {', '.join(columns)}" if columns else None
    if lacking is not None:
        raise Unsupported(
            f"{database} is no database of VCL, or {database.user} may not read it: there is no {lacking}",
            next=f"name VCL's database, or GRANT SELECT ON {database.name}.* to this user",
        )


def _outdated(there: Catalogue) -> Iterator[str]:
    for table, names in OUTDATED.items():
        for name in names:
            if name in there[table].columns:
                yield f"{table}.{name}: of an older version of VCL, nothing is made of it"


def _missing(there: Catalogue) -> Iterator[str]:
    for name in COLUMNS.keys() - IMAGES:
        if name.lower() not in there:
            yield f"{name}: there is no such table, or this user may not read it"


def _rows(cursor: Cursor, name: str, table: _Table) -> Sequence[Row]:
    wanted = COLUMNS[name]
    known = [column for column in wanted if column.lower() in table.columns]
    secret = SECRETS.get(name, frozenset())
    fields = ", ".join(_field(table.columns[column.lower()], column in secret) for column in known)
    # only names from this module and from the database's own catalogue
    cursor.execute(f"SELECT {fields} FROM {_quoted(table.name)}")  # noqa: S608
    return [{**wanted, **dict(zip(known, row, strict=True))} for row in cursor.fetchall()]


def _field(column: str, secret: bool) -> str:
    quoted = _quoted(column)
    return f"({quoted} IS NOT NULL AND {quoted} <> '')" if secret else quoted


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class _NoClearText:
    """What the server asks for here sends the password as it is to whoever answers."""

    def __init__(self, connection: object) -> None:
        pass

    def authenticate(self, packet: object) -> NoReturn:
        raise pymysql.OperationalError(_CLIENT_PLUGIN, "the server wants the password in clear text")


@contextmanager
def _faults(database: Database) -> Iterator[None]:
    try:
        yield
    except Fault:
        raise
    except pymysql.MySQLError as error:
        raise _fault(database, error) from None
    except Exception:  # noqa: BLE001 - whatever the client raises for bytes that are none of its protocol
        raise _stranger(database) from None


def _fault(database: Database, error: pymysql.MySQLError) -> Fault:
    code: Any = error.args[0] if error.args else None
    said = str(error.args[1]) if len(error.args) > 1 else str(error)
    if code in _REFUSED:
        return LoginRefused(
            f"{database}: {database.user} was refused: {said}",
            next="see to user, password and rights (SELECT)",
        )
    if code == _NO_DATABASE:
        return Unsupported(f"{database}: {said}", next="see to the name at the end of the URL")
    if code in _NOT_REACHED:
        return Unreachable(
            f"{database} could not be reached: {said}", next="see to address, port and network"
        )
    if not isinstance(code, int):
        return _stranger(database)
    return Unsupported(f"{database} refused to be read: {code} {said}", next="see the database's own log")


def _stranger(database: Database) -> Fault:
    return Unreachable(f"what answers at {database} is no MySQL or MariaDB", next="see to address and port")
