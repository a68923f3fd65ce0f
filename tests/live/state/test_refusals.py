"""The gate before every login: what was refused is not sent again in a hurry, whatever becomes of the program."""

from __future__ import annotations

import json
import stat
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired import load
from reconciler.desired.host import DesiredHost
from reconciler.faults import LoginRefused, Unreachable
from reconciler.secrets import SecretUnavailable
from reconciler.state.logins import Login, proof_login, sdk_login, session_logins, ssh_login, vcenter_login
from reconciler.state.refusals import HOLD_SECONDS, UNCLEAR_MAX, Refusals

LOGIN = Login("ssh", "10.0.0.1", 22, "root", "evidence")
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "refusals.json"


def no(warning: str) -> None:
    pytest.fail(warning)


def gate(file: Path, clock: Clock) -> Refusals:
    """The gate of a program that was started now."""
    return Refusals(file, no, clock)


def try_it(refusals: Refusals, login: Login = LOGIN, error: BaseException | None = None) -> bool:
    """Log in; whether anything was sent."""
    sent = False
    with suppress(LoginRefused, Unreachable, SecretUnavailable, KeyboardInterrupt), refusals.attempt(login):
        sent = True
        if error is not None:
            raise error
    return sent


REFUSED = LoginRefused("esx: login as root refused", next="correct access.ssh")


def host_of(folder: Path, **access: Any) -> DesiredHost:
    file = folder / "host.yaml"
    spec = {"address": "10.0.0.1", "access": access}
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "Host",
        "metadata": {"name": "esx"},
        "spec": spec,
    }
    file.write_text(yaml.safe_dump(document))
    return load([file]).hosts[0]


def test_a_refused_login_is_not_tried_again_for_a_quarter_of_an_hour_also_over_a_restart(
    file: Path, clock: Clock
) -> None:
    assert try_it(gate(file, clock), error=REFUSED)
    clock.now += HOLD_SECONDS - 1
    again = gate(file, clock)
    with pytest.raises(LoginRefused) as caught:
        again.ask(LOGIN)
    assert caught.value.message == (
        "esx: login as root refused; that was at 2024-05-01T12:00:00Z, and nothing was sent since: it is tried "
        "again at 2024-05-01T12:15:00Z, or once its access or a file that this names has changed"
    )
    assert caught.value.next == "correct access.ssh"
    assert not try_it(again)
    clock.now += 1
    assert try_it(again)
    assert json.loads(file.read_text())["logins"] == []


def test_the_file_is_its_owners_alone(file: Path, clock: Clock) -> None:
    try_it(gate(file, clock), error=REFUSED)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_other_credentials_are_tried_at_once_and_other_doors_are_free(file: Path, clock: Clock) -> None:
    refusals = gate(file, clock)
    try_it(refusals, error=REFUSED)
    assert try_it(refusals, replace(LOGIN, address="10.0.0.2"), REFUSED)
    assert try_it(refusals, replace(LOGIN, way="sdk"), REFUSED)
    assert try_it(refusals, replace(LOGIN, evidence="corrected"))


def test_a_program_that_is_killed_again_and_again_in_a_login_is_stopped_by_the_gate(
    file: Path, clock: Clock
) -> None:
    for _ in range(UNCLEAR_MAX):
        assert try_it(gate(file, clock), error=KeyboardInterrupt())
        clock.now += 10
    with pytest.raises(Unreachable, match="3 logins in a row ended in an unknown way"):
        gate(file, clock).ask(LOGIN)
    clock.now += HOLD_SECONDS - 10
    assert try_it(gate(file, clock))


def test_a_login_that_went_well_forgets_those_whose_end_is_not_known(file: Path, clock: Clock) -> None:
    refusals = gate(file, clock)
    for _ in range(3):
        for _ in range(UNCLEAR_MAX - 1):
            assert try_it(refusals, error=Unreachable("cut", next=""))
        assert try_it(refusals)


def test_a_secret_that_can_not_be_had_is_no_login(file: Path, clock: Clock) -> None:
    refusals = gate(file, clock)
    for _ in range(UNCLEAR_MAX + 1):
        assert try_it(refusals, error=SecretUnavailable("no secret", next=""))
    assert json.loads(file.read_text())["logins"] == []


def test_a_clock_that_was_set_back_holds_nothing_for_longer(file: Path, clock: Clock) -> None:
    try_it(gate(file, clock), error=REFUSED)
    clock.now -= 86400
    refusals = gate(file, clock)
    assert not try_it(refusals)
    clock.now += HOLD_SECONDS
    assert try_it(refusals)


def test_one_goes_through_a_door_at_a_time(file: Path, clock: Clock) -> None:
    refusals, inside, leave = gate(file, clock), threading.Event(), threading.Event()
    sent: list[bool] = []

    def first() -> None:
        with suppress(LoginRefused), refusals.attempt(LOGIN):
            inside.set()
            leave.wait(10)
            raise REFUSED

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert inside.wait(10)
    threads += [threading.Thread(target=lambda: sent.append(try_it(refusals))) for _ in range(3)]
    for thread in threads[1:]:
        thread.start()
    assert try_it(refusals, replace(LOGIN, way="sdk")), "other doors do not wait"
    leave.set()
    for thread in threads:
        thread.join(10)
    assert sent == [False, False, False]


def test_nobody_waits_for_ever_for_a_login_that_hangs(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.state.refusals.QUEUE_SECONDS", 0.01)
    refusals = gate(file, clock)
    with (
        refusals.attempt(LOGIN),
        pytest.raises(Unreachable, match="has not come to its end"),
        refusals.attempt(LOGIN),
    ):
        pytest.fail("nothing is to be sent")
    assert try_it(refusals)


def test_a_run_that_keeps_nothing_never_tries_again_and_says_what_the_host_said(clock: Clock) -> None:
    refusals = Refusals(clock=clock)
    try_it(refusals, error=REFUSED)
    clock.now += 10 * HOLD_SECONDS
    with pytest.raises(LoginRefused) as caught:
        refusals.ask(LOGIN)
    assert (caught.value.message, caught.value.next) == (REFUSED.message, REFUSED.next)


@pytest.mark.parametrize("text", ["{", "[]", '{"logins": [{"way": 1}]}', '{"logins": 3}', "null"])
def test_a_broken_file_is_told_of_and_stops_nothing(file: Path, clock: Clock, text: str) -> None:
    file.write_text(text)
    warnings: list[str] = []
    refusals = Refusals(file, warnings.append, clock)
    assert len(warnings) == (text != "null")
    assert try_it(refusals, error=REFUSED)
    assert not try_it(gate(file, clock))


def test_a_folder_that_can_not_be_written_to_is_told_of_and_the_gate_holds_all_the_same(
    tmp_path: Path, clock: Clock
) -> None:
    warnings: list[str] = []
    refusals = Refusals(tmp_path / "gone" / "refusals.json", warnings.append, clock)
    assert try_it(refusals, error=REFUSED)
    assert not try_it(refusals)
    assert "not remembered over a restart" in warnings[0]


def test_until_when_a_host_is_left_alone(tmp_path: Path, file: Path, clock: Clock) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    way = {"password": {"file": str(secret)}}
    host, refusals = host_of(tmp_path, ssh=way), gate(file, clock)
    assert refusals.until(host) is None
    try_it(refusals, ssh_login(host), REFUSED)
    assert refusals.until(host) == datetime(2024, 5, 1, 12, 15, tzinfo=UTC)
    assert gate(file, clock).until(host) == datetime(2024, 5, 1, 12, 15, tzinfo=UTC)
    secret.write_text("corrected")
    assert refusals.until(host) is None
    try_it(refusals, ssh_login(host), REFUSED)
    assert refusals.until(host) is not None
    assert refusals.until(host_of(tmp_path, ssh=way | {"user": "other"})) is None
    assert refusals.until(host_of(tmp_path, ssh=way | {"legacyAlgorithms": True})) is None
    refusals.forgive([host])
    assert refusals.until(host) is None
    assert try_it(refusals, ssh_login(host), REFUSED)
    refusals.forgive()
    assert try_it(gate(file, clock), ssh_login(host))


def test_a_host_with_two_ways_is_left_alone_until_something_changes_at_either(
    tmp_path: Path, file: Path, clock: Clock
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    host = host_of(tmp_path, sdk={"password": {"file": str(secret)}, "insecure": True})
    refusals = gate(file, clock)
    try_it(refusals, sdk_login(host), REFUSED)
    clock.now += 60
    try_it(refusals, ssh_login(host), REFUSED)
    assert refusals.until(host) == datetime(2024, 5, 1, 12, 15, tzinfo=UTC)
    secret.write_text("corrected")
    assert refusals.until(host) is None
    refusals.ask(sdk_login(host))
    assert refusals.until(host) == datetime(2024, 5, 1, 12, 16, tzinfo=UTC), (
        "the pass has seen to that change"
    )


def test_the_logins_of_a_host(tmp_path: Path) -> None:
    password = {"password": {"env": "ESXI_PASSWORD"}}
    sdk = {**password, "insecure": True}
    ways = {"ssh": password, "sdk": sdk}
    host = host_of(tmp_path, **ways)
    assert session_logins(host) == (sdk_login(host), ssh_login(host))
    assert session_logins(host_of(tmp_path, **ways, prefer="ssh")) == (ssh_login(host),)
    assert session_logins(host_of(tmp_path, **ways, prefer="sdk")) == (sdk_login(host),)
    assert len({ssh_login(host), ssh_login(host, password=False), proof_login(host, "/k")}) == 3
    bare = host_of(tmp_path)
    assert ssh_login(bare, password=False) == ssh_login(bare)
    vcenter = host_of(tmp_path, vcenter={**sdk, "address": "vc"}).access.vcenter
    assert vcenter is not None
    assert vcenter_login(vcenter).door == "root@vc:443"


def test_the_users_own_keys_count_where_the_spec_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    host = host_of(tmp_path)
    before = ssh_login(host)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_rsa").write_text("a key")
    assert ssh_login(host) != before
