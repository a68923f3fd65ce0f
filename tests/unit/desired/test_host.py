"""What others ask a desired host for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.desired import DesiredHost, NoSuchField, explain
from reconciler.kinds import KINDS, authorized_keys, datastores, port_groups, ssh
from reconciler.kinds.model import Risk

SPEC = """\
apiVersion: reconciler/v1
kind: Host
metadata:
  name: esx
  labels: {rack: r3}
spec:
  profile: p
  mode: observe
  allow: link
  datastores:
    nfs.example.org:
      nfs: {path: /x}
    "nfs":
      vmfs: {}
    gone: null
  access:
    ssh:
      password: {env: ESXI_PASSWORD}
      key: ~/vcl.key
---
apiVersion: reconciler/v1
kind: Profile
metadata: {name: p}
spec:
  ssh: {enabled: true}
  datastores:
    nfs.example.org:
      nfs:
        server: filer
"""

Desire = Callable[[str], DesiredHost]


def test_says_how_the_host_is_treated_and_reached(desire: Desire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/vcl")
    host = desire(SPEC)
    assert (host.name, host.address, host.labels) == ("esx", "esx", {"rack": "r3"})
    assert (host.mode, host.allow) == ("observe", Risk.LINK)
    assert (host.access.ssh.port, host.access.ssh.user) == (22, "root")
    assert host.access.ssh.key == "/home/vcl/vcl.key"
    assert str(host.access.ssh.password) == "{env: ESXI_PASSWORD}"


def test_gives_each_kind_its_part_and_defaults_where_nothing_is_said(desire: Desire) -> None:
    host = desire(SPEC)
    assert host.wish(ssh.KIND).enabled is True
    assert host.wish(authorized_keys.KIND).authorized_keys is None
    assert host.wish(port_groups.KIND).port_groups is None
    assert list(host.wish(datastores.KIND).datastores or ()) == ["nfs.example.org", "nfs"]
    bare = desire("apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: bare}\n")
    assert bare.wish(ssh.KIND) == ssh.SshWish()
    assert all(isinstance(bare.wish(kind), kind.fragment) for kind in KINDS)


def test_two_loads_of_the_same_specs_are_equal_hosts_and_a_change_shows(desire: Desire) -> None:
    assert desire(SPEC) == desire(SPEC) == desire("# moved by a line\n" + SPEC)
    assert desire(SPEC) != desire(SPEC.replace("server: filer", "server: other"))


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("datastores.nfs.example.org.nfs.server", 29),
        ("datastores.nfs.example.org.nfs.path", 12),
        ("datastores.nfs.example.org.nfs.version", 12),
        ("datastores.nfs.vmfs", 14),
        ("datastores.unheard", 10),
        (("datastores", "nfs.example.org", "nfs", "server"), 29),
        ("ssh.enabled", 25),
        ("ssh.authorizedKeys[0]", 25),
        ("workingDirectory", 1),
        ("", 1),
    ],
)
def test_knows_where_a_value_was_written_or_what_is_above_it(
    desire: Desire, tmp_path: Path, field: str | tuple[str, ...], line: int
) -> None:
    assert str(desire(SPEC).source(field)) == f"{tmp_path}/specs.yaml:{line}"


def test_explains_one_value_a_part_and_all(desire: Desire, tmp_path: Path) -> None:
    host = desire(SPEC)
    file = f"{tmp_path}/specs.yaml"
    assert explain(host, "datastores.nfs.example.org.nfs.server") == [
        ("datastores.nfs.example.org.nfs.server", "filer", f"{file}:29")
    ]
    assert explain(host, "spec.datastores.nfs") == [("datastores.nfs.vmfs", "{}", f"{file}:14")]
    assert explain(host, "access.ssh.password") == [
        ("access.ssh.password.env", "ESXI_PASSWORD", f"{file}:18")
    ]
    assert [field for field, _, _ in explain(host, None)] == [
        "ssh.enabled",
        "datastores.nfs.example.org.nfs.server",
        "datastores.nfs.example.org.nfs.path",
        "datastores.nfs.vmfs",
        "profile",
        "mode",
        "allow",
        "access.ssh.password.env",
        "access.ssh.key",
    ]


def test_explains_items_of_lists(desire: Desire, tmp_path: Path) -> None:
    host = desire(
        "apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: a}\nspec:\n  ssh:\n    authorizedKeys:\n"
        "      - file: a.pub\n      - file: b.pub\n"
    )
    row = ("ssh.authorizedKeys[1].file", f"{tmp_path}/b.pub", f"{tmp_path}/specs.yaml:8")
    assert explain(host, "ssh.authorizedKeys[1].file") == [row]
    assert explain(host, "ssh.authorizedKeys[1]") == [row]
    with pytest.raises(NoSuchField, match=r"is not set for a"):
        explain(host, "ssh.authorizedKeys[x]")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "esx"),
        ("access.ssh.port", "22"),
        ("access.prefer", "auto"),
        ("ssh.persistKeys", "false"),
        ("datastores.nfs.example.org.nfs.version", '"3"'),
    ],
)
def test_explains_what_holds_where_nothing_is_written(desire: Desire, field: str, value: str) -> None:
    assert explain(desire(SPEC), field) == [(field, value, "default")]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("datastors.nfs", "datastors.nfs: 'datastors' is no field here (did you mean 'datastores'?)"),
        ("access.ssh.prot", "access.ssh.prot: 'prot' is no field here (did you mean 'port'?)"),
        ("datastores.nfss", "datastores.nfss is not set for esx (did you mean 'nfs'?)"),
        ("datastores.gone", "datastores.gone is not set for esx (known: nfs, nfs.example.org)"),
        ("workingDirectory", "workingDirectory is not set for esx"),
        ("portGroups", "portGroups is not set for esx"),
        ("portGroups.A.vlan", "portGroups.A.vlan is not set for esx"),
        ("mode.x", "mode.x: 'x' is no field here"),
        ("profile[0]", "profile[0] is not set for esx"),
        (
            "ssh.authorizedKeys[x",
            "ssh.authorizedKeys[x: 'authorizedKeys[x' is no field here (did you mean 'authorizedKeys'?)",
        ),
    ],
)
def test_says_what_field_was_probably_meant(desire: Desire, field: str, text: str) -> None:
    with pytest.raises(NoSuchField) as caught:
        explain(desire(SPEC), field)
    assert str(caught.value) == text


DOTTED = """\
apiVersion: reconciler/v1
kind: Host
metadata: {name: esx}
spec:
  datastores:
    a.b: {nfs: {server: 10.0.0.1, path: /x}}
    a.b.nfs: {nfs: {server: 10.0.0.2, path: /y}}
    c: {nfs: {server: 10.0.0.3, path: /z}}
    c.nfs: null
    c.nfs.server: absent
    d: {vmfs: {}}
    d.nfs: {}
"""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("datastores.a.b.nfs.server", "10.0.0.1"),
        ("datastores.a.b.nfs.nfs.server", "10.0.0.2"),
        ("datastores.a.b.nfs.version", '"3"'),
        ("datastores.c.nfs.path", "/z"),
        ("datastores.c.nfs.server", "absent"),
    ],
)
def test_names_with_dots_are_read_as_what_is_there(desire: Desire, field: str, value: str) -> None:
    assert [row[:2] for row in explain(desire(DOTTED), field)] == [(field, value)]


def test_a_name_that_is_taken_away_hides_nothing_else(desire: Desire) -> None:
    shown = explain(desire(DOTTED), "datastores.c.nfs")
    assert [row[0] for row in shown] == ["datastores.c.nfs.server", "datastores.c.nfs.path"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("datastores.a.b.nfs.servr", "'servr' is no field here (did you mean 'server'?)"),
        ("datastores.a.b.nfs.vmsf", "'vmsf' is no field here (did you mean 'vmfs'?)"),
        ("datastores.a.b.nfs.x", "'x' is no field here (known: nfs, vmfs)"),
        ("datastores.d.nfs.path", "datastores.d.nfs.path is not set for esx"),
    ],
)
def test_of_several_readings_the_likeliest_is_spoken_of(desire: Desire, field: str, text: str) -> None:
    with pytest.raises(NoSuchField) as caught:
        explain(desire(DOTTED), field)
    assert str(caught.value).endswith(text)


def test_a_field_of_any_length_is_unknown_at_most(desire: Desire) -> None:
    with pytest.raises(NoSuchField) as caught:
        explain(desire(DOTTED), "datastores.c" + ".x" * 2000 + ".[0]")
    assert str(caught.value).endswith(": 'x' is no field here (known: nfs, vmfs)")
