"""What a kustomization amounts to, in so far as ours use it: resources, generated ConfigMaps, a namespace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3] / "deploy/kubernetes"
OVERLAYS = sorted(path.name for path in (ROOT / "overlays").iterdir())
EXTRAS = sorted((ROOT / "extras").iterdir())
KNOWN = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator"}

Manifest = dict[str, Any]


def built(name: str) -> list[Manifest]:
    """The manifests of an overlay."""
    folder = ROOT / "overlays" / name
    namespace = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))["namespace"]
    manifests = list(_collected(folder))
    for it in manifests:
        if it["kind"] != "Namespace":
            it["metadata"]["namespace"] = namespace
    return manifests


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [it for it in manifests if (it["kind"], it["metadata"]["name"]) == (kind, name)]
    return found


def _collected(folder: Path) -> list[Manifest]:
    read = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    assert read.keys() <= KNOWN, f"{folder}: this reader does not know all of it"
    result: list[Manifest] = []
    for path in (folder / it for it in read["resources"]):
        result += _collected(path) if path.is_dir() else yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return result + [_generated(folder, it) for it in read.get("configMapGenerator", [])]


def _generated(folder: Path, generator: dict[str, Any]) -> Manifest:
    data = {Path(it).name: (folder / it).read_text(encoding="utf-8") for it in generator.get("files", [])}
    for literal in generator.get("literals", []):
        key, _, data[key] = literal.partition("=")
    metadata = {"name": generator["name"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
