"""A branch is followed, whatever happens to it, to its remote and to the loop."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reconciler.desired import Trust
from reconciler.sources.git import GitSource
from reconciler.sources.reading import read
from reconciler.sources.revision import Rejected, Revision, Trouble
from tests.live.sources.following import following, host
from tests.live.sources.repository import Repository, signer

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS a\n"


def source(
    repository: Repository,
    *,
    signers: Path | None = None,
    url: str = "",
    branch: str = "main",
    path: str = "specs",
) -> GitSource:
    state, trust = repository.path.parent / "state", Trust()
    return GitSource(url or str(repository.path), branch, path, 0.1, signers, state, trust)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_follows_the_branch(repository: Repository, scheme: str) -> None:
    first = repository.commit(a=host("a"))
    followed = source(repository, url=f"{scheme}{repository.path}")
    assert followed.origin == f"{scheme}{repository.path} main"
    with following(followed) as heard:
        found = heard.next(Revision)
        assert (found.name, [it.name for it in found.hosts]) == (first, ["a"])
        assert str(found.hosts[0].document) == "specs/a.yaml:1"
        heard.fetched(ok=True)
        second = repository.commit(b=host("b"))
        found = heard.next(Revision)
        assert (found.name, [it.name for it in found.hosts]) == (second, ["a", "b"])
        # forced back, and to another history
        repository.git("reset", "-q", "--hard", first)
        assert heard.next(Revision).name == first
        repository.git("checkout", "-q", "--orphan", "other")
        third = repository.commit(c=host("c"))
        repository.git("branch", "-f", "main", "other")
        assert heard.next(Revision).name == third
    trees = list((repository.path.parent / "state" / "git").glob("*/trees/*"))
    assert [tree.name for tree in trees] == [third]


def test_follows_it_over_ssh(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that git sends is run here, whatever the host."""
    ssh = repository.path.parent / "ssh"
    ssh.write_text('#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n')
    ssh.chmod(0o700)
    monkeypatch.setenv("GIT_SSH", str(ssh))
    commit = repository.commit(a=host("a"))
    with following(source(repository, url=f"git@git.invalid:{repository.path}")) as heard:
        assert heard.next(Revision).name == commit


def test_files_that_specs_name_stand_in_the_commit_and_hosts_stay_equal(repository: Repository) -> None:
    (repository.path / "keys").mkdir()
    (repository.path / "keys" / "a.pub").write_text(KEY)
    keys = "{ssh: {authorizedKeys: [{file: ../keys/a.pub}]}, access: {sdk: {caFile: ca.pem}}}"
    repository.write(a=host("a", keys))
    (repository.path / "specs" / "ca.pem").write_text("pem")
    repository.commit()
    with following(source(repository)) as heard:
        (first,) = heard.next(Revision).hosts
        assert (first.problems, list(first.key_files.values())) == ((), [KEY])
        assert Path(first.access.sdk.ca_file or "").read_text() == "pem"
        repository.commit(note="# nothing new\n")
        found = heard.next(Revision)
        assert found.hosts == (first,)
        (repository.path / "keys" / "a.pub").write_text(KEY.replace(" a", " b"))
        repository.commit()
        assert heard.next(Revision).hosts != (first,)


def test_wrong_specs_leave_the_last_good_commit_also_over_a_restart(repository: Repository) -> None:
    good = repository.commit(a=host("a"))
    with following(source(repository)) as heard:
        assert heard.next(Revision).name == good
        wrong = repository.commit(a=host("a", "{mode: off}"))
        found = heard.next(Rejected)
        assert found.name == wrong
        assert str(found.mistakes[0]).startswith("specs/a.yaml:4:14: spec.mode: ")
    with following(source(repository)) as heard:
        assert heard.next(Revision).name == good
        assert heard.next(Rejected).name == wrong
        repository.git("reset", "-q", "--hard", good)
        assert heard.next(Revision).name == good


@pytest.mark.parametrize("command", [("rm", "-rq", "specs"), ("mv", "specs", "other")])
def test_specs_that_are_gone(repository: Repository, command: tuple[str, ...]) -> None:
    repository.commit(a=host("a"))
    with following(source(repository)) as heard:
        heard.next(Revision)
        repository.git(*command)
        repository.commit()
        assert heard.rejected() == ["specs:1:1: path: no such file or directory"]


def test_a_remote_that_goes_away_changes_nothing(repository: Repository) -> None:
    good = repository.commit(a=host("a"))
    away = repository.path.with_name("away")
    with following(source(repository)) as heard:
        found = heard.next(Revision)
        heard.fetched(ok=True)
        repository.path.rename(away)
        trouble = heard.next(Trouble)
        assert trouble.why.startswith(f"git can't fetch {repository.path} main: ")
        assert "does not appear to be a git repository" in trouble.why
        assert trouble.next == f"what is in force stays; try it by hand: git ls-remote {repository.path}"
        heard.fetched(ok=False)
        away.rename(repository.path)
        assert heard.next(Revision) == found
        repository.path.rename(away)
        heard.next(Trouble)
    with following(source(repository)) as heard:
        assert heard.next(Revision) == found
        heard.next(Trouble)
        away.rename(repository.path)
        assert heard.next(Revision).name == good


def test_trouble_that_differs_by_a_number_is_told_once(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", "sh -c 'echo request $$ failed >&2; exit 1' --")
    with following(source(repository, url="git@git.invalid:x")) as heard:
        assert "request " in heard.next(Trouble).why
        heard.fetched(ok=False)


def test_an_empty_repository_and_a_branch_that_is_made_anew(repository: Repository) -> None:
    with following(source(repository)) as heard:
        trouble = heard.next(Trouble)
        assert trouble.why == (f"{repository.path}: there is no branch 'main', and perhaps no commit at all")
        heard.fetched(ok=False)
        first = repository.commit(a=host("a"))
        assert heard.next(Revision).name == first
        repository.git("checkout", "-q", "-b", "other")
        repository.git("branch", "-D", "main")
        heard.next(Trouble)
        second = repository.commit(b=host("b"))
        repository.git("branch", "main")
        assert heard.next(Revision).name == second


def test_only_the_exact_branch_counts(repository: Repository) -> None:
    repository.commit(a=host("a"))
    repository.git("update-ref", "refs/remotes/x/refs/heads/live", "HEAD")
    repository.git("branch", "team/live")
    with following(source(repository, branch="live")) as heard:
        heard.next(Trouble)
    with following(source(repository, branch="team/live", path=".")) as heard:
        assert str(heard.next(Revision).hosts[0].document) == "specs/a.yaml:1"


def test_a_repository_of_sha256(repository: Repository) -> None:
    shutil.rmtree(repository.path / ".git")
    repository.git("init", "-q", "-b", "main", "--object-format=sha256")
    commit = repository.commit(a=host("a"))
    assert len(commit) == 64
    with following(source(repository)) as heard:
        assert heard.next(Revision).name == commit


class Signing:
    """Two keys, one of which is allowed."""

    def __init__(self, repository: Repository) -> None:
        top = repository.path.parent
        self.good, self.strange, self.file = signer(top, "good"), signer(top, "strange"), top / "signers"
        self.allow(self.good)

    def allow(self, *keys: Path) -> None:
        public = [key.with_name(f"{key.name}.pub").read_text() for key in keys]
        self.file.write_text("".join(f'a@example.org namespaces="git" {text}' for text in public))


def test_only_signed_commits_count(repository: Repository) -> None:
    keys = Signing(repository)
    good = repository.signed(keys.good, a=host("a"))
    with following(source(repository, signers=keys.file)) as heard:
        assert heard.next(Revision).name == good
        unsigned = repository.commit(a=host("b"))
        [mistake] = heard.next(Rejected).mistakes
        assert str(mistake).startswith(
            f"specs:1:1: signature: commit {unsigned[:12]} of {repository.path} main is signed by nobody in "
            f"{keys.file}: "
        )
        stranger = repository.signed(keys.strange, a=host("c"))
        assert heard.next(Rejected).name == stranger
        again = repository.signed(keys.good, a=host("d"))
        assert heard.next(Revision).name == again
        # one who signed leaves: what is in force stays, but is no news any more
        keys.allow(keys.strange)
        heard.next(Rejected)
        keys.file.unlink()
        assert heard.next(Trouble).why == (
            f"the allowed signers in {keys.file} can't be read: no such file or directory"
        )
        keys.allow(keys.good)
        assert heard.next(Revision).name == again
        repository.commit()
        heard.next(Rejected)
    with following(source(repository, signers=keys.file)) as heard:
        assert heard.next(Revision).name == again
        heard.next(Rejected)


def test_what_was_taken_unsigned_is_not_revived_where_signatures_are_wanted(repository: Repository) -> None:
    keys = Signing(repository)
    repository.commit(a=host("a"))
    with following(source(repository)) as heard:
        heard.next(Revision)
    with following(source(repository, signers=keys.file)) as heard:
        heard.next(Rejected)


def test_a_signature_of_gpg_does_not_count(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, home = Signing(repository), repository.path.parent / "gpg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    repository.git("config", "gpg.format", "openpgp")
    fake = repository.path.parent / "fake-gpg"
    fake.write_text(
        "#!/bin/sh\ncat >/dev/null\n"
        "case \"$*\" in *--verify*) echo '[GNUPG:] NEWSIG'\n"
        "echo '[GNUPG:] GOODSIG X a'; echo '[GNUPG:] TRUST_ULTIMATE';;\n"
        "*) echo '[GNUPG:] SIG_CREATED ' >&2\n"
        "echo '-----BEGIN PGP SIGNATURE-----'; echo; echo x; echo '-----END PGP SIGNATURE-----';; esac\n"
    )
    fake.chmod(0o700)
    config = repository.path.parent / "config"
    config.write_text(f'[gpg]\n\tprogram = {fake}\n[gpg "openpgp"]\n\tprogram = {fake}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    repository.commit("-S", a=host("a"))
    assert "BEGIN PGP SIGNATURE" in repository.git("cat-file", "commit", "HEAD")
    repository.git("verify-commit", "HEAD")
    with following(source(repository, signers=keys.file)) as heard:
        heard.next(Rejected)


def test_what_a_killed_loop_left_is_no_obstacle(repository: Repository) -> None:
    commit = repository.commit(a=host("a"))
    with following(source(repository)) as heard:
        heard.next(Revision)
    (home,) = (repository.path.parent / "state" / "git").iterdir()
    (home / "trees" / ".new-x" / "specs").mkdir(parents=True)
    (home / ".in-force.new").symlink_to("trees/nowhere")
    for left in home.glob("repository-*"):
        (left / "shallow.lock").touch()
        shutil.rmtree(left / "objects")
    with following(source(repository)) as heard:
        assert heard.next(Revision).name == commit
        commit = repository.commit(b=host("b"))
        assert heard.next(Revision).name == commit
    assert sorted(it.name for it in home.iterdir() if "repository" not in it.name) == ["in-force", "trees"]
    assert [it.name for it in (home / "trees").iterdir()] == [commit]


def test_a_repository_of_ours_that_breaks_is_made_anew(repository: Repository) -> None:
    repository.commit(a=host("a"))
    keys = Signing(repository)
    good = repository.signed(keys.good, a=host("a"))
    with following(source(repository, signers=keys.file)) as heard:
        assert heard.next(Revision).name == good
        (ours,) = (repository.path.parent / "state" / "git").glob("*/repository-*")
        shutil.rmtree(ours / "objects")
        heard.fetched(ok=True)
        good = repository.signed(keys.good, a=host("b"))
        while not isinstance(found := heard.told.get(timeout=20), Revision) or found.name != good:
            # it broke between two commands of git, or was whole again before that commit
            assert isinstance(found, (Trouble, Revision))


def test_a_state_folder_that_can_not_be_used_is_told(repository: Repository) -> None:
    repository.commit(a=host("a"))
    state = repository.path.parent / "state"
    state.write_text("")
    with following(source(repository)) as heard:
        assert heard.next(Trouble).why.startswith("the state folder can't be used: not a directory: ")
        state.unlink()
        heard.next(Revision)


def test_without_git_it_says_so(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit(a=host("a"))
    monkeypatch.setenv("PATH", str(repository.path))
    with following(source(repository)) as heard:
        assert "the program git is not installed" in heard.next(Trouble).why
        monkeypatch.setenv("PATH", os.defpath)


def test_a_bug_is_told_and_ends_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*arguments: object) -> object:
        monkeypatch.setattr("reconciler.sources.git.read", read)
        raise ZeroDivisionError("division")

    monkeypatch.setattr("reconciler.sources.git.read", stumble)
    repository.commit(a=host("a"))
    with following(source(repository)) as heard:
        assert "ZeroDivisionError: division" in heard.next(Trouble).why
        heard.next(Revision)
