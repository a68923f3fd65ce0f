"""What can be wrong with the state folder."""

from __future__ import annotations


class StateTrouble(Exception):
    """Something in the state folder can't be read, written or had. `message` says what, where and why, `next` what a
    person can do about it; the text is both."""

    def __init__(self, message: str, *, next: str) -> None:
        super().__init__(f"{message}; {next}")
        self.message = message
        self.next = next
