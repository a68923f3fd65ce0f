"""Messages by Apprise: what a person wants to know although nobody looks. Never in the way of the loop."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from reconciler.listeners.bulletin import Message
from reconciler.listeners.channel import FIRST_PAUSE, Channel
from reconciler.listeners.digest import WINDOW
from reconciler.listeners.hidden import hidden
from reconciler.report import HostReport
from reconciler.secrets import conceal, mask

if TYPE_CHECKING:
    from apprise import Apprise, AppriseAsset

SEND_SECONDS = 30.0
_SCHEME = re.compile(r"([a-z][a-z0-9]{1,19})://", re.IGNORECASE)


class CannotNotify(Exception):
    """A receiver can't be used; the text says which and why, and holds nothing of its URL but the scheme."""


class Notifier:
    """Tells each receiver what is news, in one message for what happens within `window` seconds. Every call returns
    at once; safe to use from any thread.

    `urls` are Apprise's, and secret; `sent` hears of each message whether a receiver got it, from threads of its own,
    after `remembered` has changed. Raises CannotNotify.
    """

    def __init__(
        self,
        urls: Sequence[str],
        sent: Callable[[bool], None],
        *,
        window: float = WINDOW,
        pause: float = FIRST_PAUSE,
        limit: float = SEND_SECONDS,
    ) -> None:
        for url in urls:
            conceal(url)
        receivers = [_Receiver(url, f"URL {at} of {len(urls)}", limit) for at, url in enumerate(urls, 1)]
        self._channels = [Channel(it.name, it.send, sent, window, pause) for it in receivers]

    def passed(self, report: HostReport, mode: str) -> None:
        """A pass over a host ended; `mode` is the spec's."""
        for channel in self._channels:
            channel.hear(lambda digest, now: digest.passed(report, mode, now))

    def guard(self, tripped: bool, failed: Iterable[str]) -> None:
        """Whether the guard has tripped, and which hosts failed."""
        names = tuple(failed)
        for channel in self._channels:
            channel.hear(lambda digest, now: digest.guard(tripped, names, now))

    def specs(self, mistakes: tuple[str, ...]) -> None:
        """What is wrong with the newest specs; nothing: they are in force."""
        for channel in self._channels:
            channel.hear(lambda digest, now: digest.specs(mistakes, now))

    def forget(self, host: str) -> None:
        """The host left the specs."""
        for channel in self._channels:
            channel.hear(lambda digest, now: digest.forget(host))

    def remembered(self) -> dict[str, Any]:
        """What was told, for `restore` after a restart. It holds nothing of the receivers."""
        newest = max(self._channels, key=lambda it: it.told_at, default=None)
        return newest.told() if newest is not None else {}

    def restore(self, told: Mapping[str, Any]) -> None:
        """What was told before a restart; what does not look so is ignored."""
        for channel in self._channels:
            channel.restore(told)

    def close(self, seconds: float) -> None:
        """Send what is news now, in one try that takes no longer than `seconds`."""
        until = monotonic() + seconds
        for channel in self._channels:
            channel.close()
        for channel in self._channels:
            channel.wait(until - monotonic())


class _Receiver:
    """One URL. Sending has a thread of its own each time, so that one that hangs can be left behind."""

    def __init__(self, url: str, place: str, limit: float) -> None:
        scheme = _SCHEME.match(url)
        self.name = f"{scheme[1].lower()} ({place})" if scheme is not None else place
        self._apprise, self._limit = _apprise(url, self.name), limit
        self._sending: threading.Thread | None = None

    def send(self, message: Message) -> str | None:
        """None: it was sent; else why not."""
        if self._sending is not None and self._sending.is_alive():
            return "the one before is still being sent"
        results: list[str | None] = []
        self._sending = threading.Thread(target=lambda: results.append(self._try(message)), daemon=True)
        self._sending.start()
        self._sending.join(self._limit)
        return results[0] if results else f"it took more than {self._limit:g} s"

    def _try(self, message: Message) -> str | None:
        reasons = _REASONS.fresh()
        try:
            done = self._apprise.notify(message.body, message.title, message.tone, body_format="text")
        except Exception as error:  # noqa: BLE001 - 130 services, and none may stop the next message
            done, reasons = False, [f"{type(error).__name__}: {error}"]
        return None if done else mask("; ".join(reasons) or "Apprise does not say why")


class _Reasons(logging.Handler):
    """What Apprise says of its trouble in each thread. It is said nowhere else: it may hold parts of a URL."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._local = threading.local()

    def fresh(self) -> list[str]:
        """What is said in this thread from now on."""
        self._local.said = said = list[str]()
        return said

    def emit(self, record: logging.LogRecord) -> None:
        getattr(self._local, "said", []).append(record.getMessage())


_REASONS = _Reasons()


def _apprise(url: str, name: str) -> Apprise:
    """Raises CannotNotify."""
    try:
        import apprise
    except ImportError:
        raise CannotNotify("--notify needs Apprise: pip install 'reconciler[notify]'") from None
    logger = logging.getLogger("apprise")
    logger.handlers[:], logger.propagate = [_REASONS], False
    asset = _asset()
    with warnings.catch_warnings():
        # it loads all its services, some of which speak of the future of Python
        warnings.simplefilter("ignore")
        receiver = apprise.Apprise.instantiate(url, asset=asset)
    if not isinstance(receiver, apprise.NotifyBase):
        raise CannotNotify(
            f"--notify: {name} is none that Apprise can use: see its page on that service for the form of the URL, "
            "and for packages that the service needs"
        )
    for part in hidden(url, receiver.url(privacy=True)):  # type: ignore[no-untyped-call]
        conceal(part)
    # else a service that takes less than the whole text refuses it
    receiver.overflow_mode = apprise.OverflowMode.TRUNCATE
    made = apprise.Apprise(asset=asset)
    made.add(receiver)
    return made


def _asset() -> AppriseAsset:
    """How Apprise is to behave: no plugin, file, key or picture from anywhere, and no threads of its own."""
    from apprise import AppriseAsset

    return AppriseAsset(
        plugin_paths=[],
        storage_mode="memory",
        app_id="reconciler",
        app_desc="reconciler",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
