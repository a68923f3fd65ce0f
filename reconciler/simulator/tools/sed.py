"""sed: `s`, `d`, `p` and `q` with addresses."""

from __future__ import annotations

import re

from reconciler.simulator.shell.streams import decode, encode
from reconciler.simulator.tools.call import Call, Outcome, Usage, contents, paths, program
from reconciler.simulator.tools.regular import regular

SED = re.compile(r"\s*(?:(\d+|\$|/(?:[^/\\]|\\.)*/)(?:,(\d+|\$|/(?:[^/\\]|\\.)*/))?)?\s*(!?)\s*([sdpq])")


class SedCommand:
    """One command of a sed script."""

    def __init__(self, call: Call, match: re.Match[str], rest: str, extended: bool) -> None:
        self.first, self.last, self.negated, self.kind = match[1], match[2], bool(match[3]), match[4]
        self.inside = False
        self._extended = extended
        self.printing = False
        if self.kind == "s":
            self._substitution(call, rest)

    def _substitution(self, call: Call, rest: str) -> None:
        separator = re.escape(rest[0])
        body = rf"((?:\\.|[^\\{separator}])*)"
        match = re.fullmatch(rf"{separator}{body}{separator}{body}{separator}([gpI0-9]*)", rest, re.DOTALL)
        if match is None:
            raise Usage("sed: bad option in substitution expression")
        pattern = match[1].replace("\\" + rest[0], rest[0])
        self.test = re.compile(regular(pattern, self._extended), re.IGNORECASE if "I" in match[3] else 0)
        self._replacement = match[2]
        self._everywhere, self.printing = "g" in match[3], "p" in match[3]

    def selects(self, number: int, line: str, is_last: bool) -> bool:
        """Whether the command applies to this line."""
        if self.first is None:
            return not self.negated
        if self.last is None:
            return self._at(self.first, number, line, is_last) != self.negated
        if self.inside:
            self.inside = not self._at(self.last, number, line, is_last)
            return not self.negated
        begins = self._at(self.first, number, line, is_last)
        if begins:
            self.inside = not (self.last.isdigit() and int(self.last) <= number)
        return begins != self.negated

    def _at(self, address: str, number: int, line: str, is_last: bool) -> bool:
        if address == "$":
            return is_last
        if address.isdigit():
            return int(address) == number
        return re.search(regular(address[1:-1].replace("\\/", "/"), self._extended), line) is not None

    def substitute(self, line: str) -> tuple[str, bool]:
        """The line after `s`, and whether something was replaced."""
        new, count = self.test.subn(self._expanded, line, count=0 if self._everywhere else 1)
        return new, count > 0

    def _expanded(self, match: re.Match[str]) -> str:
        def piece(found: re.Match[str]) -> str:
            if found[0] == "&":
                return match[0]
            if found[1].isdigit():
                return match[int(found[1])] or ""
            return {"n": "\n"}.get(found[1], found[1])

        return re.sub(r"\\(.)|&", piece, self._replacement, flags=re.DOTALL)


@program(
    "/bin/sed",
    changing=lambda shell, argv: any(word.startswith("-i") for word in argv) and paths(shell, argv),
)
async def sed(call: Call) -> int:
    options, words = call.options("nre:Eis")
    scripts = [options["e"]] if "e" in options else words[:1]
    if not scripts:
        raise Usage("Usage: sed [-inrE] [-e CMD]... [FILE]...")
    names = words if "e" in options else words[1:]
    extended = bool({"r", "E"} & set(options))
    outcome = Outcome(call)
    for name, data in await contents(call, names or ["-"], outcome):
        try:
            commands = _commands(call, scripts[0], extended)
            edited = _edit(decode(data), commands, "n" in options)
        except re.error as problem:
            raise Usage(f"sed: bad regex: {problem.msg}") from problem
        if "i" in options and name != "-":
            _replace(call, name, encode(edited))
        else:
            await call.out(edited)
    return outcome.status


def _replace(call: Call, name: str, data: bytes) -> None:
    """`sed -i` writes a new file and renames it: the inode is another, and the mark for saving is lost."""
    mode = call.files.node(name, call.cwd).mode & 0o777
    temporary = f"{name}{call.host.new_pid()}"
    call.files.write(temporary, data, call.cwd, mode)
    call.files.rename(temporary, name, call.cwd)


def _commands(call: Call, script: str, extended: bool) -> list[SedCommand]:
    found = []
    for line in _split_script(script):
        match = SED.match(line)
        if match is None or (match[4] != "s" and line[match.end() :].strip()):
            raise Usage(f"sed: unsupported command {line.strip()[:1]}")
        found.append(SedCommand(call, match, line[match.end() :].rstrip(), extended))
    return found


def _split_script(script: str) -> list[str]:
    """Commands are parted by newlines, and by semicolons outside of `s///`."""
    out = []
    for line in script.split("\n"):
        while line.strip():
            match = SED.match(line)
            if match and match[4] == "s" and match.end() < len(line):
                separator = re.escape(line[match.end()])
                body = rf"(?:\\.|[^\\{separator}])*"
                whole = re.compile(rf"{separator}{body}{separator}{body}{separator}[gpI0-9]*").match(
                    line, match.end()
                )
                end = whole.end() if whole else len(line)
            else:
                end = line.find(";") if ";" in line else len(line)
            out.append(line[:end])
            line = line[end:].lstrip("; ")
    return out


def _edit(text: str, commands: list[SedCommand], quiet: bool) -> str:
    lines = text.split("\n")
    ended = lines[-1] == ""
    lines = lines[:-1] if ended else lines
    out: list[str] = []
    for number, line in enumerate(lines, 1):
        is_last = number == len(lines)
        newline = "" if is_last and not ended else "\n"
        deleted = quit_now = False
        for command in commands:
            if not command.selects(number, line, is_last):
                continue
            if command.kind == "d":
                deleted = True
                break
            if command.kind == "q":
                quit_now = True
                break
            replaced = True
            if command.kind == "s":
                line, replaced = command.substitute(line)
            if command.kind == "p" or (command.printing and replaced):
                out.append(line + newline)
        if not deleted and not quiet:
            out.append(line + newline)
        if quit_now:
            break
    return "".join(out)
