"""Repositories that mean harm: nothing of them runs, leads out, or eats the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reconciler.desired import Trust
from reconciler.sources.git import GitSource
from reconciler.sources.program import Git, GitFailed, Stopped
from reconciler.sources.remote import parse_remote
from reconciler.sources.revision import Revision, Trouble
from tests.live.sources.following import following, host
from tests.live.sources.repository import Repository


def source(repository: Repository, url: str = "", **trust: object) -> GitSource:
    state = repository.path.parent / "state"
    return GitSource(url or str(repository.path), "main", "specs", 0.1, None, state, Trust(**trust))  # type: ignore[arg-type]


class Hostile:
    """A repository with one good commit, and hostile ones made by hand."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        repository.commit(a=host("a"))
        self.specs = repository.git("rev-parse", "HEAD:specs")
        self.file = repository.blob(b"harm")

    def link(self, target: str) -> str:
        return self.repository.blob(target.encode())

    def with_specs(self, *entries: tuple[str, str, bytes]) -> None:
        self.repository.point(self.repository.tree(*entries, ("40000", self.specs, b"specs")))


def up(hostile: Hostile) -> None:
    hostile.with_specs(("100644", hostile.file, b"../../../harm"))


def dots(hostile: Hostile) -> None:
    inner = hostile.repository.tree(("100644", hostile.file, b"harm"))
    hostile.with_specs(("40000", inner, b".."))


def absolute(hostile: Hostile) -> None:
    hostile.with_specs(("100644", hostile.file, str(hostile.repository.path.parent / "harm").encode()))


def dot_git(hostile: Hostile) -> None:
    inner = hostile.repository.tree(("100644", hostile.file, b"config"))
    hostile.with_specs(("40000", inner, b".git"))


def through_a_link(hostile: Hostile) -> None:
    """The link and the folder of one name: whoever writes both goes through the link."""
    inner = hostile.repository.tree(("100644", hostile.file, b"harm"))
    top = str(hostile.repository.path.parent)
    hostile.with_specs(("120000", hostile.link(top), b"d"), ("40000", inner, b"d"))


def twice(hostile: Hostile) -> None:
    hostile.with_specs(("120000", hostile.link("specs"), b"d"), ("100644", hostile.file, b"d"))


def newline(hostile: Hostile) -> None:
    hostile.with_specs(("100644", hostile.file, b"a\nb.yaml"))


def no_utf8(hostile: Hostile) -> None:
    hostile.with_specs(("100644", hostile.file, b"\xff.yaml"))


def link_out(hostile: Hostile) -> None:
    hostile.with_specs(("120000", hostile.link("/etc/passwd"), b"a"))


def link_up(hostile: Hostile) -> None:
    hostile.with_specs(("120000", hostile.link("specs/../../harm"), b"a"))


def ring(hostile: Hostile) -> None:
    hostile.with_specs(("120000", hostile.link("b"), b"a"), ("120000", hostile.link("a"), b"b"))


def large(hostile: Hostile) -> None:
    hostile.with_specs(("100644", hostile.repository.blob(bytes(9 << 20)), b"a"))


def bomb(hostile: Hostile) -> None:
    """Ten to the eighth files in a few hundred bytes."""
    tree = hostile.repository.tree(*(("100644", hostile.file, b"%d" % at) for at in range(10)))
    for _ in range(7):
        tree = hostile.repository.tree(*(("40000", tree, b"%d" % at) for at in range(10)))
    hostile.with_specs(("40000", tree, b"a"))


@pytest.mark.parametrize(
    "harm",
    [
        up,
        dots,
        absolute,
        dot_git,
        through_a_link,
        twice,
        newline,
        no_utf8,
        link_out,
        link_up,
        ring,
        large,
        bomb,
    ],
)
def test_a_hostile_revision_is_refused_whole(repository: Repository, harm: object) -> None:
    hostile = Hostile(repository)
    with following(source(repository)) as heard:
        good = heard.next(Revision)
        harm(hostile)  # type: ignore[operator]
        (mistake,) = heard.rejected()
        assert ": repository: " in mistake
        assert mistake.isprintable()
        repository.commit(b=host("b"))
        repository.git("reset", "-q", "--hard", good.name)
        while heard.told.get(timeout=20) != good:
            pass
    assert not list(repository.path.parent.rglob("harm*"))


def test_links_within_and_submodules_are_no_harm(repository: Repository) -> None:
    hostile = Hostile(repository)
    hostile.with_specs(
        ("120000", hostile.link("specs"), b"again"),
        ("160000", "1" * 40, b"module"),
        ("120000", hostile.link("nowhere"), b"dead"),
        ("100755", hostile.file, b"run.sh"),
    )
    (repository.path / ".gitmodules").write_text(
        '[submodule "m"]\n\tpath = module\n\turl = ext::touch harm\n'
    )
    with following(source(repository)) as heard:
        assert heard.revision() == ["a"]
        (tree,) = (repository.path.parent / "state" / "git").glob("*/trees/*")
        assert sorted(it.name for it in tree.iterdir()) == ["again", "dead", "run.sh", "specs"]
        assert not os.access(tree / "run.sh", os.X_OK)


def test_nothing_that_a_repository_brings_along_runs_or_acts(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks, filters, diff drivers and attributes, also when the user's own configuration has them."""
    top = repository.path.parent
    ran, script = top / "ran", top / "script"
    script.write_text(f"#!/bin/sh\ncat\ntouch {ran}\n")
    script.chmod(0o700)
    hooks = top / "template" / "hooks"
    hooks.mkdir(parents=True)
    for folder in (hooks, repository.path / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in (
            "post-checkout",
            "reference-transaction",
            "post-merge",
            "fsmonitor-watchman",
            "pre-auto-gc",
        ):
            (folder / name).write_text(script.read_text())
            (folder / name).chmod(0o700)
    config = top / "config"
    config.write_text(
        f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = {script}\n\tautocrlf = true\n"
        f"[init]\n\ttemplateDir = {top}/template\n"
        f'[filter "f"]\n\tsmudge = {script}\n\tclean = {script}\n\tprocess = {script}\n\trequired = true\n'
        f'[diff "f"]\n\ttextconv = {script}\n\tcommand = {script}\n[fetch]\n\trecurseSubmodules = true\n'
    )
    text = host("a") + "# $Id$ $Format:%H$\n"
    (repository.path / ".gitattributes").write_text(
        "* filter=f diff=f ident export-subst text eol=crlf working-tree-encoding=UTF-16\n"
    )
    blob, attributes = (
        repository.blob(text.encode()),
        repository.blob((repository.path / ".gitattributes").read_bytes()),
    )
    specs = repository.tree(("100644", blob, b"a.yaml"))
    repository.point(repository.tree(("100644", attributes, b".gitattributes"), ("40000", specs, b"specs")))
    ran.unlink(missing_ok=True)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with following(source(repository)) as heard:
        heard.next(Revision)
        (file,) = (top / "state" / "git").glob("*/in-force/specs/a.yaml")
        assert file.read_text() == text
    assert not ran.exists()


def test_the_users_other_git_is_left_alone(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a hook of git, which has these in its environment."""
    other = Repository(repository.path.with_name("other"))
    before = other.commit(x=host("x"))
    repository.commit(a=host("a"))
    monkeypatch.chdir(other.path)
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git" / "objects"))
    monkeypatch.setenv("GIT_TRACE", "1")
    with following(source(repository)) as heard:
        assert heard.revision() == ["a"]
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_OBJECT_DIRECTORY")
    assert other.git("for-each-ref", "--format=%(objectname)") == before


def test_specs_that_reach_for_other_secrets_are_mistakes_and_quote_nothing(repository: Repository) -> None:
    repository.commit(a=host("a", "{access: {ssh: {password: {exec: [touch, harm]}}}}"))
    secret = repository.path.parent / "secret"
    secret.write_text("hunter2 is my password\n")
    with following(source(repository, secrets_dirs=(str(secret.parent / "secrets"),))) as heard:
        (mistake,) = heard.rejected()
        assert mistake.startswith(
            "specs/a.yaml:4:34: spec.access.ssh.password.exec: must not run in specs from git"
        )
        for spec in (
            f"{{ssh: {{authorizedKeys: [{{file: {secret}}}]}}}}",
            "{ssh: {authorizedKeys: [{file: ../../secret}]}}",
            f"{{access: {{sdk: {{caFile: {secret}}}}}}}",
        ):
            repository.commit(a=host("a", spec))
            (mistake,) = heard.rejected()
            assert "leads out of the repository" in mistake
            assert "hunter2" not in mistake
        repository.commit(a=host("a", "{access: {ssh: {key: /etc/passwd}}}"))
        heard.next(Revision)


LOOP = """
import sys, threading
from pathlib import Path
from reconciler.desired import Trust
from reconciler.sources.git import GitSource

source = GitSource(sys.argv[1], "main", "specs", 0.05, None, Path(sys.argv[2]), Trust())
print("begins", flush=True)
source.run(lambda found: print(type(found).__name__, flush=True), threading.Event())
"""


@pytest.mark.parametrize("moment", [0, 60, 90, 120, 200])
def test_killed_at_any_moment_the_next_start_goes_on(repository: Repository, moment: int) -> None:
    """`moment` in milliseconds; what matters is that they differ."""
    for at in range(200):
        repository.write(**{f"h{at}": host(f"h{at}")})
    commit = repository.commit()
    state = repository.path.parent / "state"
    command = [sys.executable, "-c", LOOP, str(repository.path), str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        threading.Event().wait(moment / 1000)
        os.kill(process.pid, signal.SIGKILL)
    with following(source(repository)) as heard:
        found = heard.next(Revision)
        assert (found.name, len(found.hosts)) == (commit, 200)
    (home,) = (state / "git").iterdir()
    assert [it.name for it in (home / "trees").iterdir()] == [commit]


def runner(folder: Path, stop: threading.Event, address: str = "/nowhere") -> Git:
    folder.mkdir(exist_ok=True)
    return Git(folder, parse_remote(address), {}, stop)


def slow_ssh(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As a server that answers nothing: ssh is a program that sleeps, and has a child. The file of their numbers."""
    pids = repository.path.parent / "pids"
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", f"sh -c 'echo $$ >> {pids}; sleep 600 & echo $! >> {pids}; wait' --"
    )
    return pids


def test_what_takes_too_long_ends_with_all_its_children(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = slow_ssh(repository, monkeypatch)
    git = runner(repository.path.parent / "work", threading.Event())
    with pytest.raises(GitFailed, match="no end within 1 s"):
        git.run("ls-remote", "ssh://nowhere.invalid/x", seconds=1)
    _wait_for_the_end(pids)


def _wait_for_the_end(pids: Path) -> None:
    waiting = pids.read_text().split()
    assert len(waiting) == 2
    deadline = time.monotonic() + 10
    while any(_lives(pid) for pid in waiting):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_stop_ends_it_at_once(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = repository.path.parent / "pids"
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", f"sh -c 'echo $$ >> {pids}; sleep 600 & echo $! >> {pids}; wait' --"
    )
    stop = threading.Event()
    git = runner(repository.path.parent / "work", stop)

    def when_it_runs() -> None:
        while not pids.exists() or len(pids.read_text().split()) < 2:
            threading.Event().wait(0.01)
        stop.set()

    threading.Thread(target=when_it_runs).start()
    with pytest.raises(Stopped):
        git.run("ls-remote", "ssh://nowhere.invalid/x")
    _wait_for_the_end(pids)


def test_ssh_asks_nobody_unless_the_user_says_how_it_is_started(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = repository.path.parent
    ssh = top / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\necho "asked: $*" >&2\nexit 1\n')
    ssh.chmod(0o700)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    with pytest.raises(GitFailed, match="asked: -o BatchMode=yes"):
        runner(top / "work", threading.Event()).run("ls-remote", "git@nowhere.invalid:x")
    own = top / "config"
    own.write_text("[core]\n\tsshCommand = ssh -o MyOwn\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(own))
    with pytest.raises(GitFailed, match="asked: -o MyOwn"):
        runner(top / "work", threading.Event()).run("ls-remote", "git@nowhere.invalid:x")


def test_other_transports_are_refused_also_from_the_users_configuration(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = repository.path.parent
    config = top / "config"
    config.write_text(
        f'[protocol]\n\tallow = always\n[url "ext::touch {top}/harm "]\n\tinsteadOf = https://rewritten.invalid/\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with following(source(repository, url="https://rewritten.invalid/x")) as heard:
        assert "transport 'ext' not allowed" in heard.next(Trouble).why
    assert not (top / "harm").exists()


def test_a_password_goes_to_its_server_only_and_into_no_command_line(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git asks its helpers."""
    git = runner(
        repository.path.parent / "work", threading.Event(), "https://bob:S3cret%20%25s@git.example.org/x"
    )
    ask = b"protocol=https\nhost=git.example.org\n\n"
    assert git.run("credential", "fill", input=ask).out.decode().splitlines()[2:] == [
        "username=bob",
        "password=S3cret %s",
    ]
    with pytest.raises(GitFailed, match="terminal prompts disabled"):
        git.run("credential", "fill", input=ask.replace(b"git.example", b"evil.example"))
