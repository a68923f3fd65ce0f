"""What specs from git may name: who pushes must not reach the loop's other secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.desired import SpecMistakes, Trust, load

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS a\n"


class Place:
    """A repository with one spec file in it, and a folder of secrets beside."""

    def __init__(self, top: Path) -> None:
        self.repository, self.secrets = top / "repository", top / "secrets"
        self.repository.mkdir()
        self.secrets.mkdir()
        self.trust = Trust(secrets_dirs=(str(self.secrets),), repository=str(self.repository))

    def says(self, spec: str, kind: str = "Host", trust: Trust | None = None) -> list[str]:
        """What is wrong with a spec, places without the file."""
        file = self.repository / "a.yaml"
        file.write_text(
            f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{{spec}}}\n"
            "---\napiVersion: reconciler/v1\nkind: Host\nmetadata: {name: other}\n"
        )
        try:
            loaded = load([file], trust=trust or self.trust)
        except SpecMistakes as wrong:
            # with warnings: what is beyond the border is not even looked at
            told = (*wrong.mistakes, *wrong.warnings)
            return [str(mistake).removeprefix(f"{file}:") for mistake in told]
        assert len(loaded.hosts) == (2 if kind == "Host" else 1)
        return []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("kind", ["Host", "Profile"])
@pytest.mark.parametrize("way", ["ssh", "sdk", "vcenter"])
def test_programs_and_strange_variables_and_files_are_refused_wherever_a_secret_stands(
    place: Place, kind: str, way: str
) -> None:
    for reference, part in (("exec: [env]", "exec"), ("env: HOME", "env"), ("file: /etc/shadow", "file")):
        address = "address: vc, " if way == "vcenter" else ""
        (said,) = place.says(f"access: {{{way}: {{{address}password: {{{reference}}}}}}}", kind)
        assert f"spec.access.{way}.password.{part}: " in said
        assert said.startswith("4:")


def test_says_what_would_be_right(place: Place) -> None:
    password = "access: {ssh: {password: {%s}}}"
    assert place.says(password % "env: HOME")[0] == (
        "4:39: spec.access.ssh.password.env: is a variable that specs from git must not read "
        "(would be right: a name that fits ESXI_*; --secrets-env allows others)"
    )
    assert place.says(password % "exec: [env]")[0] == (
        "4:34: spec.access.ssh.password.exec: must not run in specs from git "
        "(would be right: {env: NAME} or {file: PATH}; --allow-exec allows programs)"
    )
    assert place.says(password % "file: pass")[0] == (
        "4:40: spec.access.ssh.password.file: is no file from which specs from git may take a secret "
        f"(would be right: one below {place.secrets}; --secrets-dir allows other folders)"
    )
    assert place.says("access: {sdk: {caFile: ../ca.pem}}")[0] == (
        "4:31: spec.access.sdk.caFile: leads out of the repository (would be right: a path in the repository, "
        f"or below {place.secrets}; --secrets-dir allows other folders)"
    )


def test_what_is_allowed_is_allowed(place: Place) -> None:
    password = "access: {ssh: {password: {%s}}}"
    wide = Trust(True, ("/etc", str(place.secrets)), ("HOME", "ESXI_*"), str(place.repository))
    assert place.says(password % "env: ESXI_PASSWORD") == []
    assert place.says(password % f"file: {place.secrets}/sub/not-there-yet") == []
    for reference in ("env: HOME", "exec: [env]", "file: /etc/shadow"):
        assert place.says(password % reference, trust=wide) == []
    assert place.says("access: {ssh: {password: null, key: /anywhere/key}}") == []


def test_without_a_repository_only_the_folders_of_secrets_count(place: Place) -> None:
    trust = Trust(secrets_dirs=(str(place.secrets),))
    assert len(place.says("access: {sdk: {caFile: ca.pem}}", trust=trust)) == 1


def test_links_are_followed_before_it_is_decided(place: Place) -> None:
    """As Kubernetes mounts secrets: a link to a folder that is swapped."""
    (place.secrets / "..2024").mkdir()
    (place.secrets / "..2024" / "pass").write_text("x")
    (place.secrets / "..data").symlink_to("..2024")
    (place.secrets / "pass").symlink_to("..data/pass")
    (place.secrets / "out").symlink_to("/etc")
    password = "access: {ssh: {password: {file: %s}}}"
    assert place.says(password % f"{place.secrets}/pass") == []
    assert len(place.says(password % f"{place.secrets}/out/shadow")) == 1
    assert len(place.says(password % f"{place.secrets}/../pass")) == 1
    assert len(place.says(password % place.secrets)) == 1
    assert len(place.says(password % f"{place.secrets}-of-others/pass")) == 1


def test_files_of_other_purposes_lie_in_the_repository_or_among_the_secrets(place: Place) -> None:
    (place.repository / "keys").mkdir()
    for folder in (place.repository / "keys", place.secrets):
        (folder / "a.pub").write_text(KEY)
        (folder / "hosts").write_text("")
        keys = f"ssh: {{authorizedKeys: [{{file: {folder}/a.pub}}]}}"
        assert place.says(f"{keys}, access: {{ssh: {{knownHosts: {folder}/hosts}}}}") == []
    (place.repository / "out").symlink_to("/etc")
    for file in ("/etc/passwd", "~/.ssh/id_rsa.pub", "../a.pub", "out/passwd"):
        for kind in ("Host", "Profile"):
            (said,) = place.says(f"ssh: {{authorizedKeys: [{{file: {file!r}}}]}}", kind)
            assert "spec.ssh.authorizedKeys[0].file: leads out of the repository" in said
            (said,) = place.says(f"access: {{ssh: {{knownHosts: {file!r}}}}}", kind)
            assert "spec.access.ssh.knownHosts: leads out of the repository" in said


def test_no_file_that_is_named_is_ever_written_to(place: Place) -> None:
    (place.secrets / "hosts").write_text("")
    ssh = "access: {ssh: {knownHosts: %s, trustOnFirstUse: %s}}"
    (said,) = place.says(ssh % (f"{place.secrets}/hosts", "true"))
    assert said.endswith(
        "spec.access.ssh.knownHosts: can't be written to by trustOnFirstUse in specs from git (would be right: "
        "no knownHosts, then keys are kept in the state folder; or trustOnFirstUse: false)"
    )
    assert place.says(ssh % (f"{place.secrets}/hosts", "false")) == []
    assert place.says("access: {ssh: {trustOnFirstUse: true}}") == []


def test_what_is_no_path_is_told_once(place: Place) -> None:
    for path in (r'"/run/secrets/a\0b"', r'"a\nb"'):
        (said,) = place.says(f"access: {{ssh: {{password: {{file: {path}}}}}}}")
        assert "path of a file" in said
