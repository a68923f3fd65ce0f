"""How much of the loop's machine clients of its port can use."""

from __future__ import annotations

from reconciler.records import record


@record
class Limits:
    """Each connection carries one request. `request` seconds after it was opened its request has to be there, and
    `answer` seconds after that its answer has to be taken. Of more than `connections`, and when more than `pending`
    bytes wait to be taken, the oldest of whoever has the most are closed. `header` is in bytes; bodies are refused."""

    request: float = 10.0
    answer: float = 60.0
    connections: int = 500
    pending: int = 64 * 1024 * 1024
    header: int = 8 * 1024
    threads: int = 4
