"""A password is in no output, whatever happens: hosts that repeat it, faults, refused logins, every format."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import asyncssh
import pytest
import yaml

from reconciler.simulator import Farm, HostModel
from tests.faults.program import Ended, reconcile
from tests.live.passes.world import Keys, _shared_keys
from tests.live.transport.servers import Host, serving

SPEC = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}
FORMATS = ("text", "json", "jsonl", "yaml", "markdown")
GOODBYE = 11


@dataclass(frozen=True)
class Case:
    """A password, and what else happens in the run that uses it."""

    password: str
    fault: str
    format: str
    logs: str


CASES = [
    Case("Tr0ub4dor&3", "cut-after", "text", "text"),
    Case("p\"a'ss%wörd\\x", "silent-backup", "json", "json"),
    Case('{"json": "s3cret, \\"q\\""}', "disk-full", "jsonl", "text"),
    Case("the first line\nthe second line\n", "flood", "yaml", "json"),
    Case("x'$(id)`;|%s%n <b>&é☃", "power-loss", "markdown", "text"),
]


def forms(secret: str) -> set[bytes]:
    """How the secret may look in an output."""
    texts = {secret, *(line for line in secret.splitlines() if len(line) > 3)}
    shown = {form for text in texts for form in _text_forms(text)}
    return {form.encode() for form in shown}


def _text_forms(text: str) -> set[str]:
    data = text.encode()
    encoded = {base64.b64encode(data), base64.urlsafe_b64encode(data)}
    return {
        text,
        quote(text),
        quote(text, safe=""),
        quote_plus(text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        data.hex(),
        *(form.decode().rstrip("=") for form in encoded),
    }


def assert_hidden(secret: str, ended: Ended, state: Path) -> None:
    """Not in one byte of what it printed or wrote."""
    written = [file.read_bytes() for file in state.rglob("*") if file.is_file()]
    for form in forms(secret):
        assert all(form not in text for text in (ended.out, ended.err, *written)), (form, ended.said)
    assert "Traceback" not in ended.said


class _Repeating(list[str]):
    """Passwords that were tried; the host says each one again as it hangs up."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def append(self, password: str) -> None:
        super().append(password)
        self._host.open[-1].disconnect(GOODBYE, f"root:{password} is wrong, or {quote(password)}")


@contextmanager
def hosts(case: Case) -> Iterator[tuple[Farm, dict[str, tuple[str, int]]]]:
    """Hosts that take the password, refuse it, repeat it at the login, and print it in every form: their places."""
    taken = HostModel("taken", "6.7", root_password=case.password)
    models = [taken, HostModel("refused", "6.7"), HostModel("failing", "6.7")]
    key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")

    async def answer(channel: asyncssh.SSHServerProcess[bytes]) -> None:
        for form in sorted(forms(case.password)):
            channel.stdout.write(b"VMware ESXi 6.7.0 " + form + b"\n")
            channel.stderr.write(form + b"\n")
        channel.exit(1)

    hangs_up = Host(methods=("password",))
    hangs_up.passwords_tried = _Repeating(hangs_up)
    prints = Host(methods=("password",), password=case.password, answer=answer)
    with ExitStack() as stack:
        farm = stack.enter_context(Farm.start(models))
        places = {name: (host.address, host.port) for name, host in farm.hosts.items()}
        for name, host in (("hangs-up", hangs_up), ("prints", prints)):
            places[name] = ("127.0.0.1", stack.enter_context(serving(host, [key])).port)
        yield farm, places


def _document(name: str, place: tuple[str, int], ssh: dict[str, Any]) -> dict[str, Any]:
    access = {"ssh": {"port": place[1], "trustOnFirstUse": True, **ssh}}
    return {
        "apiVersion": "reconciler/v1",
        "kind": "Host",
        "metadata": {"name": name},
        "spec": {**SPEC, "address": place[0], "access": access},
    }


def _write(folder: Path, documents: list[dict[str, Any]]) -> Path:
    file = folder / "specs.yaml"
    file.write_text(yaml.safe_dump_all(documents, allow_unicode=True))
    return file


def _references(folder: Path, password: str) -> dict[str, dict[str, Any]]:
    """The same password from everywhere, and from a program that prints it and fails."""
    file = folder / "password"
    file.write_bytes(password.encode() + b"\n")
    printing = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    failing = printing.replace("stdout", "stderr") + "; sys.exit(3)"
    return {
        "taken": {"env": "ESXI_PASSWORD"},
        "refused": {"file": str(file)},
        "hangs-up": {"exec": [sys.executable, "-c", printing, str(file)]},
        "prints": {"file": str(file)},
        "failing": {"exec": [sys.executable, "-c", failing, str(file)]},
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_no_output_holds_the_password(tmp_path: Path, case: Case) -> None:
    state = tmp_path / "state"
    with hosts(case) as (farm, places):
        secrets = _references(tmp_path, case.password)
        documents = [_document(name, place, {"password": secrets[name]}) for name, place in places.items()]
        file = str(_write(tmp_path, documents))
        common = ("-f", file, "--log-level", "debug", "--log-format", case.logs, "--state-dir", str(state))
        farm.host("taken").fault(case.fault)
        runs = [
            ("--dry-run", "-o", case.format, *common),
            ("--yes", "-o", case.format, *common),
            ("validate", *common),
            ("explain", "taken", *common),
            ("schema",),
        ]
        for arguments in runs:
            ended = reconcile(tmp_path, *arguments, ESXI_PASSWORD=case.password)
            assert ended.status in (0, 1), ended.said
            assert_hidden(case.password, ended, state)
        if "\n" not in case.password:
            # the simulated hosts' SSH server takes no control character in a password (SASLprep)
            assert [ok for _, ok in farm.host("taken").logins][:1] == [True]
    assert (state / "known_hosts").is_file()


@pytest.mark.parametrize("command", [("--dry-run",), ("--yes",), ("validate",), ("explain", "esx")])
@pytest.mark.parametrize("logs", ["text", "json"])
def test_a_literal_password_is_refused_and_not_repeated(
    tmp_path: Path, command: tuple[str, ...], logs: str
) -> None:
    for case in CASES[:2]:
        file = _write(tmp_path, [_document("esx", ("127.0.0.1", 22), {"password": case.password})])
        ended = reconcile(tmp_path, *command, "-f", str(file), "--log-level", "debug", "--log-format", logs)
        assert ended.status == 5, ended.said
        assert_hidden(case.password, ended, tmp_path / "state")


def test_no_output_holds_a_private_key(tmp_path: Path) -> None:
    good = Keys(_shared_keys()).private("root")
    broken = tmp_path / "broken"
    broken.write_bytes(good.read_bytes().replace(b"A", b"B"))
    broken.chmod(0o600)
    lines = [line for file in (good, broken) for line in file.read_bytes().splitlines() if b"--" not in line]
    installed = Keys(_shared_keys()).public("root").encode() + b"\n"
    models = [HostModel("right", "6.7", authorized_keys=installed), HostModel("stranger", "6.7")]
    with Farm.start(models) as farm:
        keys = {"right": good, "stranger": good, "broken": broken}
        places = {name: (host.address, host.port) for name, host in farm.hosts.items()}
        places["broken"] = ("127.0.0.2", 22)
        file = _write(tmp_path, [_document(it, places[it], {"key": str(keys[it])}) for it in keys])
        ended = reconcile(
            tmp_path, "--yes", "-f", str(file), "--state-dir", str(tmp_path / "state"), "--log-level", "debug"
        )
        assert ended.status == 1, ended.said
        assert ended.said.count("Lab")
        assert all(line not in ended.out + ended.err for line in lines)
        assert "Traceback" not in ended.said
