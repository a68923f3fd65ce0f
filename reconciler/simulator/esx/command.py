"""The frame of esxcli: namespaces, options, usage errors, formatters. Commands register themselves here.

Operation errors go to standard output with status 1 (field guide, section 1.5). Inferred: the texts of usage errors,
and that they too go to standard output.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reconciler.simulator.esx.render import FORMATTERS, Result, text
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.tools.call import Call, program
from reconciler.simulator.volumes import NasRefusal

HOSTD_DOWN = "Connect to localhost failed: Connection failure\n"


class Refusal(Exception):
    """An operation that fails; the text is what esxcli prints."""


@dataclass(frozen=True)
class Option:
    """`-v|--volume-name=<str>`; a flag takes no value."""

    short: str
    long: str
    required: bool = False
    flag: bool = False


@dataclass(frozen=True)
class Command:
    path: tuple[str, ...]
    options: tuple[Option, ...]
    work: Callable[[Call, dict[str, str]], Awaitable[Result | None]]
    changing: bool
    since: tuple[int, ...]
    until: tuple[int, ...]


COMMANDS: list[Command] = []
Work = Callable[[Call, dict[str, str]], Awaitable[Result | None]]


def command(
    path: str,
    *options: Option,
    changing: bool = False,
    since: tuple[int, ...] = (5,),
    until: tuple[int, ...] = (99,),
) -> Callable[[Work], Work]:
    """Register an esxcli command."""

    def register(work: Work) -> Work:
        COMMANDS.append(Command(tuple(path.split()), options, work, changing, since, until))
        return work

    return register


def _changes(shell: Shell, argv: list[str]) -> bool:
    words = [word for word in argv[1:] if not word.startswith("-")]
    return any(each.changing and tuple(words[: len(each.path)]) == each.path for each in COMMANDS)


@program("/sbin/esxcli", changing=_changes)
async def esxcli(call: Call) -> int:
    """The remote form: it asks hostd."""
    if not call.host.hostd_answers():
        await call.out(HOSTD_DOWN)
        return 1
    return await _esxcli(call)


@program("/sbin/localcli", changing=_changes, since="5.0")
async def localcli(call: Call) -> int:
    """The same without hostd."""
    return await _esxcli(call)


async def _esxcli(call: Call) -> int:
    words = call.argv[1:]
    formatter = ""
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word.startswith("--formatter"):
            formatter = word.partition("=")[2] or (words.pop(0) if words else "")
        else:
            return await _refused(call, f"Error: Invalid option {word}")
    version = call.host.release.version
    if formatter and (formatter not in FORMATTERS or (formatter == "json" and version < (6, 7))):
        return await _refused(call, f"Error: Unknown formatter: {formatter}")
    found = next((each for each in COMMANDS if _fits(each, words, version)), None)
    if found is None:
        return await _unknown(call, words, version)
    return await _run(call, found, words[len(found.path) :], formatter)


def _fits(each: Command, words: list[str], version: tuple[int, int, int]) -> bool:
    return each.since <= version < each.until and tuple(words[: len(each.path)]) == each.path


async def _unknown(call: Call, words: list[str], version: tuple[int, int, int]) -> int:
    known = any(
        each.since <= version < each.until and each.path[: len(words)] == tuple(words) for each in COMMANDS
    )
    if known:
        return await _refused(
            call, f"Usage: esxcli {' '.join(words)} {{cmd}} [cmd options]".replace("  ", " ")
        )
    return await _refused(call, f"Error: Unknown command or namespace {' '.join(words)}")


async def _run(call: Call, found: Command, words: list[str], formatter: str) -> int:
    try:
        values = _values(found, words)
        result = await found.work(call, values)
    except (Refusal, NasRefusal) as refusal:
        return await _refused(call, str(refusal))
    except OSError as problem:
        return await _refused(call, f"Error: {problem.strerror}")
    if result is not None:
        await call.out(FORMATTERS[formatter](result) if formatter else text(result))
    return 0


def _values(found: Command, words: list[str]) -> dict[str, str]:
    """Option values by long name; raises Refusal for what is unknown or missing."""
    values: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        option = next((each for each in found.options if name in (f"-{each.short}", f"--{each.long}")), None)
        if option is None:
            stray = f"Unknown command or namespace {' '.join(found.path)} {word}"
            raise Refusal(
                _usage(found, f"Error: {f'Invalid option {word}' if word.startswith('-') else stray}")
            )
        if option.flag:
            value = "true"
        elif not equals:
            if not rest:
                raise Refusal(
                    _usage(found, f"Error: Missing value for parameter -{option.short}|--{option.long}")
                )
            value = rest.pop(0)
        values[option.long] = value
    for option in found.options:
        if option.required and option.long not in values:
            raise Refusal(_usage(found, f"Error: Missing required parameter -{option.short}|--{option.long}"))
    return values


def _usage(found: Command, problem: str) -> str:
    lines = [f"  -{each.short}|--{each.long}{'' if each.flag else '=<str>'}" for each in found.options]
    return "\n".join(
        [problem, "", f"Usage: esxcli {' '.join(found.path)} [cmd options]", "", "Cmd options:", *lines]
    )


async def _refused(call: Call, said: str) -> int:
    await call.out(said + "\n")
    return 1


def truth(word: str) -> bool:
    """`true`, `1`, `yes` and the like; raises Refusal for what is neither true nor false."""
    if word.lower() in ("true", "1", "t", "yes", "y"):
        return True
    if word.lower() in ("false", "0", "f", "no", "n"):
        return False
    raise Refusal(f"Error: Invalid value for boolean parameter: {word}")
