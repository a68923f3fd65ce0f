"""The published schemas of Kubernetes, Compose, GitHub and GitLab find nothing in our files that they do not know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.unit.deploy.kustomize import EXTRAS, OVERLAYS, built

DEPLOY = Path(__file__).parents[3] / "deploy"
OF_OPERATORS = {"ServiceMonitor"}
"""Kinds that Kubernetes itself does not have."""


def checked(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_kubernetes(version: str, tmp_path: Path) -> None:
    extras = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXTRAS]
    manifests = [it for name in OVERLAYS for it in built(name)] + extras
    path = tmp_path / "all.yaml"
    known = [it for it in manifests if it["kind"] not in OF_OPERATORS]
    path.write_text(yaml.safe_dump_all(known), encoding="utf-8")
    checked("kubernetes_validate", "--strict", "--kubernetes-version", version, path)


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "compose/compose.yaml"),
        ("vendor.github-workflows", "ci/github.yaml"),
        ("vendor.gitlab-ci", "ci/gitlab.yaml"),
    ],
)
def test_others(schema: str, file: str) -> None:
    checked("check_jsonschema", "--builtin-schema", schema, DEPLOY / file)
