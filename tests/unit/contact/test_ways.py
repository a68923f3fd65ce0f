"""Which way a question or a verb takes, and what is said when none is left. The ways themselves are stand-ins here:
real ones are in tests/live."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.actuators.answer import Answer
from reconciler.contact.circumstances import Circumstances
from reconciler.contact.door import Door, locked
from reconciler.contact.ssh import SshWay
from reconciler.contact.ways import Ways
from reconciler.desired import load
from reconciler.desired.host import DesiredHost
from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    Facts,
    Identity,
    OutOfReach,
    Persistence,
    Product,
    Question,
    SessionKey,
    SshService,
    SshState,
)
from reconciler.faults import Fault, HostKeyRefused, LoginRefused, Unreachable
from reconciler.verbs import AppendKeys, MakeFolder, MarkKeys, SaveConfiguration, StartSsh, Verb

PRODUCT = Product("VMware ESXi", (6, 7, 0), "1")
KEYS = "/etc/ssh/keys-root/authorized_keys"
APPEND, MARK, SAVE = AppendKeys(KEYS, (b"ssh-rsa A",)), MarkKeys(KEYS), SaveConfiguration()
FOLDER = MakeFolder("/vmfs/volumes/ds/a")


@dataclass
class Way:
    """An open way: `name` answers every question but those of `blind`, does every verb but those of `unable`."""

    name: str
    running: bool = True
    blind: tuple[type[Question[Any]], ...] = ()
    unable: tuple[type[Verb], ...] = ()
    restricted: bool = False
    asked: list[set[Question[Any]]] = field(default_factory=list)
    did: list[Verb] = field(default_factory=list)
    proved: int = 0
    closed: bool = False

    @property
    def eyes(self) -> Way:
        return self

    def hands(self, product: Product) -> Way:
        return self

    def look(self, questions: Collection[Question[Any]], known: Facts) -> dict[Question[Any], Any]:
        self.asked.append(set(questions))
        answers: dict[Question[Any], Any] = dict.fromkeys(questions, self.name)
        answers |= {it: OutOfReach("only SSH shows it") for it in questions if isinstance(it, self.blind)}
        if SshState() in answers:
            answers[SshState()] = SshService(self.running, policy=True)
        return answers

    def cannot(self, verb: Verb) -> str | None:
        return "only SSH does it" if isinstance(verb, self.unable) else None

    def describe(self, verb: Verb) -> tuple[str, ...]:
        return (f"by {self.name}",)

    def do(self, verb: Verb) -> Answer:
        self.did.append(verb)
        return Answer(True)

    def prove_keys(self, lines: object, product: Product) -> None:
        self.proved += 1

    def close(self) -> None:
        self.closed = True


def api(**more: Any) -> Way:
    return Way("sdk", blind=(Persistence,), unable=(MarkKeys, SaveConfiguration), **more)


@pytest.fixture
def host(tmp_path: Path) -> DesiredHost:
    file = tmp_path / "host.yaml"
    file.write_text("apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: esx}\n")
    return load([file]).hosts[0]


passwords: list[bool] = []


def ways(host: DesiredHost, sdk: Way | None, *answers: Way | Fault, remarks: tuple[str, ...] = ()) -> Ways:
    """A contact whose door answers each knock with the next of `answers`."""
    coming = list(answers)

    def connect(password: bool) -> SshWay:
        passwords.append(password)
        answer = coming.pop(0)
        if isinstance(answer, Fault):
            raise answer
        return cast("SshWay", answer)

    around = Circumstances(lambda seconds: None, lambda event: None, lambda: False)
    return Ways(host, sdk, Door(connect), remarks, around)


def shut(why: str = "connection refused") -> Unreachable:
    return Unreachable(why, next="")


def look(contact: Ways, *questions: Question[Any]) -> Any:
    return contact.eyes.look(set(questions), Facts())


def test_a_host_that_the_sdk_can_do_all_of_is_never_visited_over_ssh(host: DesiredHost) -> None:
    sdk = api()
    contact = ways(host, sdk)
    assert look(contact, Identity(), AuthorizedKeys())[AuthorizedKeys()] == "sdk"
    hands = contact.hands(PRODUCT)
    assert hands.cannot(FOLDER) is None
    assert not contact.prepare((FOLDER,), PRODUCT)
    assert hands.describe(FOLDER) == ("by sdk",)
    assert hands.do(FOLDER).ok
    assert (sdk.did, contact.transport) == ([FOLDER], "sdk")
    contact.close()
    assert sdk.closed


def test_what_only_ssh_shows_opens_it_and_then_it_shows_the_keys_too(host: DesiredHost) -> None:
    ssh = Way("ssh")
    contact = ways(host, api(), ssh)
    seen = look(contact, AuthorizedKeys(), Persistence(), BackupOwed())
    assert seen == {AuthorizedKeys(): "ssh", Persistence(): "ssh", BackupOwed(): "ssh"}
    assert contact.transport == "sdk+ssh"
    assert look(contact, Identity())[Identity()] == "sdk"
    assert len(ssh.asked) == 1


def test_what_only_ssh_does_opens_it_before_it_is_promised(host: DesiredHost) -> None:
    ssh = Way("ssh")
    contact = ways(host, api(), ssh)
    assert contact.hands(PRODUCT).cannot(SAVE) is None
    assert contact.prepare((FOLDER, SAVE), PRODUCT)
    assert not contact.prepare((FOLDER, SAVE), PRODUCT)
    hands = contact.hands(PRODUCT)
    assert "backup.sh" in " ".join(hands.describe(SAVE))
    assert hands.do(SAVE).ok
    assert ssh.did == [SAVE]


def test_a_door_that_is_shut_is_knocked_at_once_and_said(host: DesiredHost) -> None:
    contact = ways(host, api(), shut())
    assert contact.prepare((SAVE,), PRODUCT)
    assert "connection refused" in str(contact.hands(PRODUCT).cannot(SAVE))
    answer = contact.hands(PRODUCT).do(SAVE)
    assert (answer.ok, answer.held) == (False, True)
    seen = look(contact, Persistence(), SessionKey())
    assert seen[Persistence()] == OutOfReach("only SSH shows it; SSH can't be reached: connection refused")
    assert seen[SessionKey()] is None
    assert contact.transport == "sdk"
    contact.prove_keys((b"ssh-rsa A",), PRODUCT)


def test_a_refused_login_is_a_finding_and_tried_again_only_after_keys_were_written(host: DesiredHost) -> None:
    ssh = Way("ssh")
    passwords.clear()
    contact = ways(host, api(), LoginRefused("wrong key", next=""), ssh)
    look(contact, Persistence())
    assert contact.remarks == ("SSH does not let us in: wrong key",)
    assert not contact.widened()
    contact.hands(PRODUCT).do(FOLDER)
    assert not contact.widened()
    contact.hands(PRODUCT).do(APPEND)
    assert contact.widened()
    assert not contact.remarks
    contact.prove_keys((b"ssh-rsa A",), PRODUCT)
    assert ssh.proved == 1
    assert passwords == [True, False], "a password that was refused is not sent again"


def test_a_service_that_was_off_is_gone_through_once_it_is_started(host: DesiredHost) -> None:
    contact = ways(host, api(running=False), shut(), Way("ssh"))
    seen = look(contact, SshState(), Persistence())
    assert seen[Persistence()].why == "only SSH shows it; SSH is off"
    contact.hands(PRODUCT).do(APPEND)
    assert not contact.widened()
    contact.hands(PRODUCT).do(StartSsh())
    assert contact.widened()
    assert contact.transport == "sdk+ssh"


def test_nothing_is_opened_that_nobody_missed(host: DesiredHost) -> None:
    contact = ways(host, api(running=False))
    look(contact, SshState())
    contact.hands(PRODUCT).do(StartSsh())
    assert not contact.widened()


def test_a_service_that_does_not_come_up_is_waited_for_and_left(host: DesiredHost) -> None:
    contact = ways(host, api(running=False), shut(), shut(), shut("still"))
    look(contact, SshState(), Persistence())
    contact.hands(PRODUCT).do(StartSsh())
    assert not contact.widened()
    assert contact.hands(PRODUCT).cannot(SAVE) == "only SSH does it; SSH can't be reached: still"


def test_a_refused_host_key_shuts_the_door_and_is_a_finding_beside_a_way_that_may_write(
    host: DesiredHost,
) -> None:
    contact = ways(host, api(), HostKeyRefused("another key", next=""))
    assert (
        look(contact, Persistence())[Persistence()].why == "only SSH shows it; SSH is not used: another key"
    )
    assert contact.remarks == ("SSH is not used: another key",)


def test_a_refused_host_key_ends_it_where_ssh_is_the_only_way_that_may_write() -> None:
    def connect(password: bool) -> SshWay:
        raise HostKeyRefused("another key", next="")

    with pytest.raises(HostKeyRefused):
        Door(connect, strict=True).opened()


def test_a_free_licence_reads_and_writes_over_ssh(host: DesiredHost) -> None:
    sdk, ssh = api(restricted=True), Way("ssh")
    contact = ways(host, sdk, ssh)
    contact.door.opened()
    assert look(contact, BackupOwed())[BackupOwed()] == "ssh"
    hands = contact.hands(PRODUCT)
    assert hands.cannot(FOLDER) is None
    assert hands.do(FOLDER).ok
    assert (sdk.did, ssh.did, contact.by_hand) == ([], [FOLDER], None)


def test_a_free_licence_without_ssh_names_the_step_at_the_console(host: DesiredHost) -> None:
    contact = ways(host, api(running=False, restricted=True), shut())
    contact.door.opened()
    assert look(contact, SshState(), BackupOwed())[BackupOwed()] == "sdk"
    hands = contact.hands(PRODUCT)
    assert hands.cannot(FOLDER) == "the host's licence lets the SDK only read; SSH is off"
    assert hands.cannot(StartSsh()) == contact.by_hand
    assert "Troubleshooting Options" in str(contact.by_hand)


def test_ssh_alone_is_asked_everything(host: DesiredHost) -> None:
    contact = ways(host, None, Way("ssh"), remarks=("the SDK was not used",))
    contact.door.opened()
    assert look(contact, Persistence())[Persistence()] == "ssh"
    assert (contact.transport, contact.remarks) == ("ssh", ("the SDK was not used",))


def test_with_prefer_sdk_nothing_goes_over_ssh(host: DesiredHost) -> None:
    around = Circumstances(lambda seconds: None, lambda event: None, lambda: False)
    contact = Ways(host, api(), locked("prefer: sdk"), (), around)
    assert look(contact, Persistence())[Persistence()].why == "only SSH shows it; prefer: sdk"
    contact.hands(PRODUCT).do(StartSsh())
    assert not contact.widened()
    assert contact.hands(PRODUCT).cannot(SAVE) == "only SSH does it; prefer: sdk"
