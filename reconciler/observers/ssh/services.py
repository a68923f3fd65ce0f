"""The SSH service: whether it starts with the host (chkconfig), and whether it runs (its init script).

No capture of either text was found; what is read here are all layouts that are plausible, and nothing else.
"""

from __future__ import annotations

import re

from reconciler.observers.ssh.errors import Unreadable

SERVICE = re.compile(r"^[ \t]*(?:TSM-)?SSH(?:[ \t]*:)?[ \t]+(\S.*?)[ \t\r]*$", re.MULTILINE)
STATES = re.compile(r"(?:[0-9]:)?(on|off|enabled|disabled)", re.IGNORECASE)
NOT_RUNNING = re.compile(r"\b(?:not running|stopped|disabled|not enabled)\b", re.IGNORECASE)
NO_ANSWER = re.compile(r"not found|no such file|permission denied|usage:", re.IGNORECASE)
CANNOT_RUN = (126, 127)


def chkconfig(text: str) -> bool:
    """Whether SSH starts with the host, out of `chkconfig --list` or `chkconfig --list SSH`.

    The service is called SSH, TSM-SSH on 4.x; its state is one word or one for each runlevel. Raises
    Unreadable when it is not listed.
    """
    states = {_state(line) for line in SERVICE.findall(text)}
    if len(states) != 1:
        raise Unreadable("chkconfig does not tell whether SSH starts with the host", text)
    return states.pop()


def _state(words: str) -> bool:
    matches = [STATES.fullmatch(word) for word in words.split()]
    if None in matches:
        raise Unreadable("no state of a service", words)
    return any(match[1].lower() in ("on", "enabled") for match in matches if match is not None)


def running(status: int, text: str) -> bool:
    """Whether SSH runs, by exit status and output of `/etc/init.d/SSH status`.

    Raises Unreadable when there is no such script, when it has no such command, or when text and status
    disagree.
    """
    stopped = NOT_RUNNING.search(text) is not None
    if status in CANNOT_RUN or NO_ANSWER.search(text) or (status == 0) == stopped:
        raise Unreadable(f"the status of SSH (exit status {status}) can't be understood", text)
    return not stopped
