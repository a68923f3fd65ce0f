"""Small tools: names, numbers, time."""

from __future__ import annotations

import asyncio
import posixpath
import re
import time

from reconciler.simulator.shell.conditions import BadCondition, Condition
from reconciler.simulator.shell.printing import BadFormat, Printf, echo
from reconciler.simulator.shell.streams import decode
from reconciler.simulator.tools.call import Call, Usage, program


@program("/bin/true")
async def true(call: Call) -> int:
    return 0


@program("/bin/false")
async def false(call: Call) -> int:
    return 1


@program("/bin/echo")
async def echo_(call: Call) -> int:
    await call.out(echo(call.argv[1:]))
    return 0


@program("/usr/bin/printf")
async def printf(call: Call) -> int:
    if len(call.argv) < 2:
        raise Usage("Usage: printf FORMAT [ARG]...")
    printing = Printf(call.argv[1], call.argv[2:])
    try:
        await call.out(printing.printed())
    except BadFormat as problem:
        raise Usage(f"printf: {problem}") from problem
    for problem_text in printing.problems:
        await call.complain(problem_text)
    return int(bool(printing.problems))


@program("/usr/bin/test", "/usr/bin/[")
async def test(call: Call) -> int:
    words = call.argv[1:]
    if call.name == "[":
        if words[-1:] != ["]"]:
            raise Usage("[: missing ]", 2)
        words = words[:-1]
    try:
        return int(not Condition(call.shell, words).holds())
    except BadCondition as problem:
        raise Usage(f"{call.name}: {problem}", 2) from problem


@program("/bin/sleep")
async def sleep(call: Call) -> int:
    _, words = call.options("")
    if not words or not all(re.fullmatch(r"\d+(\.\d+)?[smhd]?", word) for word in words):
        raise Usage(f"sleep: invalid number '{words[0]}'" if words else "Usage: sleep [N]...")
    scale = {"m": 60, "h": 3600, "d": 86400}
    await asyncio.sleep(sum(float(word.rstrip("smhd")) * scale.get(word[-1], 1) for word in words))
    return 0


@program("/bin/date")
async def date(call: Call) -> int:
    options, words = call.options("ur")
    if options.get("r") is not None:
        raise Usage("date: option requires an argument -- 'r'")
    form = words[0][1:] if words and words[0].startswith("+") else "%a %b %e %H:%M:%S UTC %Y"
    if words and not words[0].startswith("+"):
        raise Usage(f"date: invalid date '{words[0]}'")
    now = call.host.now()
    await call.out(time.strftime(form.replace("%s", str(int(now))), time.gmtime(now)) + "\n")
    return 0


@program("/bin/id", "/usr/bin/id")
async def id_(call: Call) -> int:
    options, _ = call.options("ugn")
    await call.out("root\n" if "n" in options else "0\n" if options else "uid=0(root) gid=0(root)\n")
    return 0


@program("/bin/hostname")
async def hostname(call: Call) -> int:
    if len(call.argv) > 1 and not call.argv[1].startswith("-"):
        raise Usage("hostname: sethostname: Operation not permitted")
    options, _ = call.options("fs")
    await call.out((call.host.name.split(".")[0] if "s" in options else call.host.name) + "\n")
    return 0


@program("/bin/uname")
async def uname(call: Call) -> int:
    options, words = call.options("asnrvmpio")
    if words:
        raise Usage(f"uname: extra operand '{words[0]}'")
    release = call.host.release
    parts = {
        "s": "VMkernel",
        "n": call.host.name,
        "r": release.number,
        "v": f"#1 SMP Release build-{release.build} {release.built}",
        "m": "x86_64",
    }
    if "a" in options:
        words_of_machine = "x86_64 x86_64 x86_64" if release.since(6) else "x86_64"
        system = "ESXi" if release.since(8) else "GNU/Linux"
        await call.out(" ".join([*list(parts.values())[:-1], words_of_machine, system]) + "\n")
    else:
        await call.out(
            " ".join(parts[letter] for letter in "snrvm" if letter in (options or {"s": ""})) + "\n"
        )
    return 0


@program("/bin/basename", "/usr/bin/basename")
async def basename(call: Call) -> int:
    _, words = call.options("")
    if not words:
        raise Usage("Usage: basename FILE [SUFFIX]")
    name = posixpath.basename(words[0].rstrip("/")) or "/"
    if len(words) > 1 and name.endswith(words[1]) and name != words[1]:
        name = name[: len(name) - len(words[1])]
    await call.out(name + "\n")
    return 0


@program("/bin/dirname", "/usr/bin/dirname")
async def dirname(call: Call) -> int:
    _, words = call.options("")
    if len(words) != 1:
        raise Usage("Usage: dirname FILENAME")
    await call.out((posixpath.dirname(words[0].rstrip("/") or "/") or ".") + "\n")
    return 0


@program("/usr/bin/which", "/bin/which")
async def which(call: Call) -> int:
    status = 0
    for word in call.argv[1:]:
        try:
            await call.out(call.host.program(word, call.environment.get("PATH", ""), call.cwd).path + "\n")
        except OSError:
            status = 1
    return status


@program("/bin/env", "/usr/bin/env")
async def env(call: Call) -> int:
    words = call.argv[1:]
    environment = dict(call.environment)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if not words:
        await call.out("".join(f"{name}={value}\n" for name, value in environment.items()))
        return 0
    return await run_words(call, words, environment)


@program("/usr/bin/xargs", "/bin/xargs")
async def xargs(call: Call) -> int:
    options, words = call.options_first("0rn:")
    text = decode(await call.input())
    items = [item for item in text.split("\0") if item] if "0" in options else _quoted_words(text)
    size = int(options.get("n", "0")) or len(items) or 1
    status = 0
    if not items and "r" in options:
        return 0
    for start in range(0, max(1, len(items)), size):
        status = max(
            status, await run_words(call, (words or ["echo"]) + items[start : start + size], call.environment)
        )
    return 0 if status == 0 else 123


def _quoted_words(text: str) -> list[str]:
    found = re.findall(r"""(?:[^\s'"\\]|\\.|'[^']*'|"[^"]*")+""", text, re.DOTALL)
    return [
        re.sub(
            r"""\\(.)|'([^']*)'|"([^"]*)\"""", lambda m: next(g for g in m.groups() if g is not None), each
        )
        for each in found
    ]


async def run_words(call: Call, words: list[str], environment: dict[str, str]) -> int:
    """Run another program with the files of this one; 127 when there is none."""
    try:
        found = call.host.program(words[0], environment.get("PATH", ""), call.cwd)
    except OSError:
        await call.complain(f"can't execute '{words[0]}': No such file or directory")
        return 127

    async def work() -> int:
        return int(await found.run(Call(call.shell, words, environment)))

    return await call.host.command(words, found.changes(call.shell, words), call.shell.link, work)


@program("/bin/sync")
async def sync(call: Call) -> int:
    return 0


@program("/bin/ps")
async def ps(call: Call) -> int:
    """`ps [-c]`: world id, cartel id, name and command of a few worlds (columns: field knowledge, no capture)."""
    rows = [("2097152", "2097152", "init", "/bin/init")]
    if call.host.ssh_running:
        rows.append(("2098001", "2098001", "sshd", "/usr/lib/vmware/openssh/bin/sshd"))
    if call.host.hostd_up:
        rows.append(("2098417", "2098417", "hostd-worker", "hostd"))
    running = sorted(call.host.running.items())
    rows += [(str(pid), str(pid), words[0].rsplit("/", 1)[-1], " ".join(words)) for pid, words in running]
    await call.out("WID    CID    WorldName            CmdLine\n")
    for row in rows:
        await call.out(f"{row[0]}  {row[1]}  {row[2]:<20} {row[3]}\n")
    return 0
