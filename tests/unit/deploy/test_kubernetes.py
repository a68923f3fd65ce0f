"""The manifests fit together, ask for no rights, and give the loop what it needs to live and to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired import load
from tests.unit.deploy.kustomize import EXTRAS, OVERLAYS, ROOT, Manifest, built, one

BY_HAND = {"reconciler-secrets", "reconciler-git"}
"""Secrets, which nobody keeps in a tree."""


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return built(request.param)


def pod(manifests: list[Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = one(manifests, "Deployment", "reconciler")["spec"]["template"]["spec"]
    return spec


def container(manifests: list[Manifest]) -> dict[str, Any]:
    (only,) = pod(manifests)["containers"]
    assert isinstance(only, dict)
    return only


def test_there_is_never_more_than_one_loop(manifests: list[Manifest]) -> None:
    spec = one(manifests, "Deployment", "reconciler")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert pod(manifests)["terminationGracePeriodSeconds"] == 60


def test_it_has_no_rights(manifests: list[Manifest]) -> None:
    spec, only = pod(manifests), container(manifests)
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert not any("hostPath" in it for it in spec["volumes"])
    namespace = one(manifests, "Namespace", "reconciler")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_it_runs_as_the_account_of_the_image(manifests: list[Manifest]) -> None:
    context = pod(manifests)["securityContext"]
    dockerfile = (ROOT.parents[1] / "Dockerfile").read_text(encoding="utf-8")
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in dockerfile
    # secret files are root's, readable for this group
    assert context["fsGroup"] == context["runAsGroup"]


def test_each_mount_has_its_volume_and_only_state_and_tmp_can_be_written(manifests: list[Manifest]) -> None:
    mounts = {it["name"]: it for it in container(manifests)["volumeMounts"]}
    assert mounts.keys() == {it["name"] for it in pod(manifests)["volumes"]}
    assert {name for name, it in mounts.items() if not it.get("readOnly")} == {"state", "tmp"}
    assert mounts["state"]["mountPath"] == "/var/lib/reconciler"
    # neither specs nor secrets would ever be renewed
    assert not any("subPath" in it for it in mounts.values())
    # git's key is out of reach of what comes from git
    assert not mounts["git"]["mountPath"].startswith(mounts["secrets"]["mountPath"])


def test_what_it_names_is_there_or_may_be_missing(manifests: list[Manifest]) -> None:
    for volume in pod(manifests)["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            claimed = one(manifests, "PersistentVolumeClaim", claim["claimName"])
            assert claimed["spec"]["accessModes"] == ["ReadWriteOnce"]
        if secret := volume.get("secret"):
            assert secret["secretName"] in BY_HAND
            assert secret["defaultMode"] == 0o440
        if (config := volume.get("configMap")) and not config["optional"]:
            one(manifests, "ConfigMap", config["name"])
    for source in container(manifests)["envFrom"]:
        one(manifests, "ConfigMap", source["configMapRef"]["name"])


def test_health_restarts_it_and_readiness_hides_nothing(manifests: list[Manifest]) -> None:
    only = container(manifests)
    paths = {name: only[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": {"path": "/healthz", "port": "http"},
        "liveness": {"path": "/healthz", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    (port,) = only["ports"]
    assert f"0.0.0.0:{port['containerPort']}" == only["args"][only["args"].index("--listen") + 1]
    service = one(manifests, "Service", "reconciler")["spec"]
    assert service["publishNotReadyAddresses"] is True
    assert service["ports"][0]["targetPort"] == port["name"]
    labels = one(manifests, "Deployment", "reconciler")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()


def test_everything_is_in_one_namespace(manifests: list[Manifest]) -> None:
    extras = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXTRAS]
    everything = [*manifests, *extras]
    assert {it["metadata"].get("namespace", it["metadata"]["name"]) for it in everything} == {"reconciler"}


def test_the_specs_of_the_configmap_are_valid_and_change_nothing_yet(tmp_path: Path) -> None:
    for name, text in one(built("specs-from-configmap"), "ConfigMap", "reconciler-specs")["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [it.mode for it in load([tmp_path]).hosts] == ["observe"]


def test_a_changed_spec_is_no_restart_and_a_changed_option_is_one() -> None:
    read = yaml.safe_load((ROOT / "overlays/specs-from-configmap/kustomization.yaml").read_text("utf-8"))
    hashed = {
        it["name"]: not it.get("options", {}).get("disableNameSuffixHash", False)
        for it in read["configMapGenerator"]
    }
    assert hashed == {"reconciler-specs": False, "reconciler-options": True}
