"""`echo` and `printf`, byte for byte as busybox prints."""

from __future__ import annotations

import re

from reconciler.simulator.shell.streams import encode

SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
OCTAL = re.compile(rb"[0-7]{1,3}")
OCTAL_OF_B = re.compile(rb"0[0-7]{0,3}|[1-7][0-7]{0,2}")
HEXADECIMAL = re.compile(rb"x([0-9a-fA-F]{1,2})")
DIRECTIVE = re.compile(rb"%([-+ 0#]*)(\*|\d*)(?:\.(\*|\d*))?[hlLqjzt]*([a-zA-Z%])", re.DOTALL)


class BadFormat(Exception):
    """A format that printf refuses; the text is its message."""


class Stop(Exception):
    """`\\c`: nothing more is printed."""

    def __init__(self, printed: bytes) -> None:
        super().__init__()
        self.printed = printed


def unescape(text: bytes, zero_octal: bool) -> bytes:
    """Backslash escapes. `zero_octal`: octal ones begin with a zero, as in `%b`; raises Stop at `\\c`."""
    out, index = bytearray(), 0
    while 0 <= (backslash := text.find(b"\\", index)) < len(text) - 1:
        out += text[index:backslash]
        value, used = _escape(text, backslash + 1, zero_octal)
        if value is None:
            raise Stop(bytes(out))
        out += value
        index = backslash + 1 + used
    return bytes(out + text[index:])


def _escape(text: bytes, index: int, zero_octal: bool) -> tuple[bytes | None, int]:
    """What the escape behind a backslash means (None: stop) and how many letters it takes."""
    octal = (OCTAL_OF_B if zero_octal else OCTAL).match(text, index)
    if octal:
        return bytes([int(octal[0], 8) & 255]), len(octal[0])
    hexadecimal = HEXADECIMAL.match(text, index)
    if hexadecimal:
        return bytes([int(hexadecimal[1], 16)]), len(hexadecimal[0])
    letter = chr(text[index])
    if letter == "c":
        return None, 1
    if letter in SIMPLE:
        return bytes([SIMPLE[letter]]), 1
    return b"\\" + text[index : index + 1], 1


def echo(words: list[str]) -> bytes:
    """What `echo WORDS` prints."""
    newline, escapes = b"\n", False
    while words and re.fullmatch("-[neE]+", words[0]):
        for letter in words.pop(0)[1:]:
            newline = b"" if letter == "n" else newline
            escapes = (letter == "e") if letter in "eE" else escapes
    text = encode(" ".join(words))
    if not escapes:
        return text + newline
    try:
        return unescape(text, zero_octal=True) + newline
    except Stop as stop:
        return stop.printed


class Printf:
    """One call of printf. `problems` are messages about arguments that are no numbers."""

    def __init__(self, template: str, words: list[str]) -> None:
        self._template, self._words = encode(template), [encode(word) for word in words]
        self._index = 0
        self.problems: list[str] = []

    def printed(self) -> bytes:
        """All that it prints; raises BadFormat."""
        out = bytearray()
        while True:
            before = self._index
            try:
                self._once(out)
            except Stop as stop:
                return bytes(out) + stop.printed
            if self._index >= len(self._words) or self._index == before:
                return bytes(out)

    def _once(self, out: bytearray) -> None:
        index = 0
        while index < len(self._template):
            end = self._template.find(b"%", index)
            text = self._template[index : end if end >= 0 else None]
            out += unescape(text, zero_octal=False)
            if end < 0:
                return
            match = DIRECTIVE.match(self._template, end)
            if match is None:
                raise BadFormat(f"{self._template[end:].decode('utf-8', 'replace')}: invalid format")
            out += self._directive(match)
            index = match.end()

    def _next(self) -> bytes:
        self._index += 1
        return self._words[self._index - 1] if self._index <= len(self._words) else b""

    def _directive(self, match: re.Match[bytes]) -> bytes:
        kind = match[4].decode()
        if kind == "%":
            return b"%"
        flags = match[1].decode()
        width = self._size(match[2])
        precision = None if match[3] is None else self._size(match[3])
        if width < 0:
            flags, width = flags + "-", -width
        if kind in "sbc":
            return _padded(self._text(kind, precision), flags.replace("0", ""), width)
        if kind not in "diouxX":
            raise BadFormat(f"%{kind}: invalid format")
        return self._integer(kind, flags, width, precision)

    def _size(self, text: bytes) -> int:
        return self._number() if text == b"*" else int(text or 0)

    def _text(self, kind: str, precision: int | None) -> bytes:
        value = self._next()
        if kind == "b":
            value = unescape(value, zero_octal=True)
        return value[:1] if kind == "c" else value[:precision]

    def _number(self) -> int:
        text = self._next().decode("utf-8", "replace").strip()
        if text[:1] in ("'", '"'):
            return ord(text[1:2] or "\0")
        match = re.match(r"([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", text)
        if match is None or match.end() != len(text):
            if text:
                self.problems.append(f"invalid number '{text}'")
            return 0
        digits = match[2]
        base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" else 10
        return int(digits, base) * (-1 if match[1] == "-" else 1)

    def _integer(self, kind: str, flags: str, width: int, precision: int | None) -> bytes:
        value = self._number()
        if kind in "ouxX":
            value %= 1 << 64
        digits = format(abs(value), {"o": "o", "x": "x", "X": "X"}.get(kind, "d"))
        if precision is not None:
            digits, flags = digits.rjust(precision, "0"), flags.replace("0", "")
        if "#" in flags and value:
            digits = {"o": "0", "x": "0x", "X": "0X"}.get(kind, "") + digits
        sign = (
            "-"
            if value < 0
            else "+"
            if "+" in flags and kind in "di"
            else " "
            if " " in flags and kind in "di"
            else ""
        )
        if "0" in flags and "-" not in flags:
            digits = digits.rjust(width - len(sign), "0")
        return _padded((sign + digits).encode(), flags, width)


def _padded(value: bytes, flags: str, width: int) -> bytes:
    return value.ljust(width) if "-" in flags else value.rjust(width)
