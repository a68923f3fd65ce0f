"""Messages on their way to a real web server, and what happens when it is away."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from reconciler import secrets
from reconciler.faults import FaultKind
from reconciler.listeners import logs
from reconciler.listeners.notify import CannotNotify, Notifier
from tests.unit.listeners.reports import blind, passed
from tests.unit.listeners.sink import PATIENCE, Sink, listening, until

TOKEN = "Abc123def456"
LOGIN = blind("a", FaultKind.LOGIN, "a: root's key was refused", "check the key")


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_VAULT", secrets._Vault())


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


@pytest.fixture
def sent() -> list[bool]:
    return []


Start = Callable[..., Notifier]


@pytest.fixture
def start(sent: list[bool]) -> Iterator[Start]:
    """Notifiers that are closed in the end; their window is short and so are their pauses, unless a test says else."""
    made: list[Notifier] = []

    def start(*urls: str, window: float = 0.01, pause: float = 0.01, limit: float = PATIENCE) -> Notifier:
        made.append(Notifier(urls, sent.append, window=window, pause=pause, limit=limit))
        return made[-1]

    yield start
    for notifier in made:
        notifier.close(PATIENCE)


def test_a_failed_host_reaches_the_receiver(start: Start, sink: Sink, sent: list[bool]) -> None:
    notifier = start(sink.url())
    notifier.passed(LOGIN, "enforce")
    until(lambda: sent == [True])
    (message,) = sink.messages
    assert message["title"] == "reconciler: 1 host failed"
    assert message["message"] == "1 host failed:\n- a: root's key was refused. Next: check the key"
    assert message["type"] == "failure"
    notifier.passed(passed("a"), "enforce")
    until(lambda: sent == [True, True])
    assert sink.titles[1] == "reconciler: 1 host recovered"


def test_what_happens_in_one_window_is_one_message_and_a_stop_sends_it(start: Start, sink: Sink) -> None:
    notifier = start(sink.url(), window=3600)
    notifier.passed(LOGIN, "enforce")
    notifier.guard(True, ["a"])
    notifier.specs(("wrong",))
    notifier.passed(blind("b", FaultKind.LOGIN), "enforce")
    notifier.forget("b")
    assert sink.asked == 0
    notifier.close(PATIENCE)
    assert sink.titles == ["reconciler: guard tripped, specs invalid, 1 host failed"]
    notifier.passed(blind("c", FaultKind.LOGIN), "enforce")
    notifier.close(PATIENCE)
    assert len(sink.messages) == 1


def test_a_receiver_that_refuses_is_tried_again_and_the_reason_is_logged_without_the_url(
    start: Start, sink: Sink, sent: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    sink.answer = 503
    notifier = start(sink.url(f"root:{TOKEN}@", f"/{TOKEN}"))
    notifier.passed(LOGIN, "enforce")
    until(lambda: len(sent) >= 2)
    sink.answer = 200
    until(lambda: True in sent)
    assert sink.titles == ["reconciler: 1 host failed"]
    (said, *_) = caplog.messages
    assert said.startswith("a message to json (URL 1 of 1) could not be sent: ")
    assert "error=503" in said
    assert TOKEN not in caplog.text


def test_the_next_try_tells_what_is_so_by_then(start: Start, sink: Sink, sent: list[bool]) -> None:
    sink.answer = 503
    notifier = start(sink.url(), pause=3600)
    notifier.passed(LOGIN, "enforce")
    until(lambda: sent == [False])
    notifier.passed(passed("a"), "enforce")
    notifier.passed(blind("b", FaultKind.LOGIN), "enforce")
    sink.answer = 200
    notifier.close(PATIENCE)
    (message,) = sink.messages
    assert message["message"] == "1 host failed:\n- b: it said no. Next: look at it"


def test_a_receiver_that_hangs_is_left_behind_and_disturbs_no_other(
    start: Start, sink: Sink, sent: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    with listening() as other:
        sink.open.clear()
        notifier = start(sink.url(), other.url(), limit=0.2)
        notifier.passed(LOGIN, "enforce")
        until(lambda: True in sent and sent.count(False) > 1)
        assert other.titles == ["reconciler: 1 host failed"]
        assert "it took more than 0.2 s" in caplog.text
        assert "the one before is still being sent" in caplog.text
        notifier.close(PATIENCE)


def test_nobody_at_home_is_counted_and_a_stop_does_not_wait_longer_than_it_may(
    start: Start, sink: Sink, sent: list[bool]
) -> None:
    sink.open.clear()
    notifier = start(sink.url(), window=3600)
    notifier.passed(LOGIN, "enforce")
    notifier.close(0.1)
    assert sent == []
    sink.open.set()
    until(lambda: sent == [True])


def test_a_loop_that_crashes_again_and_again_says_the_same_once(
    start: Start, sink: Sink, sent: list[bool]
) -> None:
    first = start(sink.url())
    first.passed(LOGIN, "enforce")
    until(lambda: sent == [True])
    kept = first.remembered()
    assert kept["hosts"]["a"]["trouble"] == "failed: login"
    second = start(sink.url(), window=3600)
    second.restore(kept)
    second.passed(LOGIN, "enforce")
    second.close(PATIENCE)
    assert len(sink.messages) == 1
    third = start(sink.url(), window=3600)
    third.restore({"hosts": "broken"})
    third.passed(LOGIN, "enforce")
    third.close(PATIENCE)
    assert len(sink.messages) == 2


def test_what_is_remembered_is_what_the_receiver_knows_that_was_told_last(
    start: Start, sink: Sink, sent: list[bool]
) -> None:
    with listening() as dead:
        dead.answer = 500
        notifier = start(dead.url(), sink.url())
        notifier.passed(LOGIN, "enforce")
        until(lambda: True in sent)
        assert notifier.remembered()["hosts"].keys() == {"a"}
        notifier.close(PATIENCE)
    assert Notifier([], sent.append).remembered() == {}


def test_no_part_of_a_url_is_shown_and_no_secret_is_sent(start: Start, sink: Sink, sent: list[bool]) -> None:
    notifier = start(sink.url("root:hunter22@", f"/hooks/{TOKEN}"))
    text = f"a: root said hunter22 to {TOKEN}"
    notifier.passed(blind("a", FaultKind.REFUSED, text), "enforce")
    until(lambda: sent == [True])
    assert "- a: root said *** to ***. Next:" in sink.messages[0]["message"]
    assert secrets.mask(f"see {sink.url('root:hunter22@', f'/hooks/{TOKEN}')}") == "see ***"
    assert secrets.mask("root on 127.0.0.1") == "root on 127.0.0.1"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("nonsense://hunter22", "nonsense (URL 2 of 2)"),
        ("hunter22", "URL 2 of 2"),
        ("json://", "json (URL 2 of 2)"),
    ],
)
def test_a_url_that_apprise_does_not_understand_is_refused_without_showing_it(
    sink: Sink, capfd: pytest.CaptureFixture[str], url: str, named: str
) -> None:
    with pytest.raises(CannotNotify) as refused:
        Notifier([sink.url(), url], lambda ok: None)
    assert str(refused.value).startswith(f"--notify: {named} is none that Apprise can use")
    assert "hunter22" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_without_apprise_it_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['apprise'] = None\n"
        "from reconciler.listeners.notify import CannotNotify, Notifier\n"
        "try: Notifier(['json://127.0.0.1/'], lambda ok: None)\n"
        "except CannotNotify as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "--notify needs Apprise: pip install 'reconciler[notify]'\n"


def test_the_library_says_nothing_by_itself(start: Start, sink: Sink, sent: list[bool]) -> None:
    root, lines = logging.getLogger(), list[str]()
    before = root.handlers[:], root.level
    logs.set_up("debug", "text", lines.append)
    try:
        sink.answer = 500
        notifier = start(sink.url(path=f"/{TOKEN}"), window=3600)
        notifier.passed(LOGIN, "enforce")
        notifier.close(PATIENCE)
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
    assert sent == [False]
    (line,) = lines
    assert line.startswith("reconciler: a message to json (URL 1 of 1) could not be sent: ")
