"""The compose file: what it names is there, and nothing in it has more rights than it needs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parents[3] / "deploy/compose"
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
VERSION = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+")


def read(path: Path) -> Any:
    """As the programs read it that have no variables set."""
    return yaml.safe_load(DEFAULT.sub(r"\1", path.read_text(encoding="utf-8")))


COMPOSE = read(HERE / "compose.yaml")
SERVICES = COMPOSE["services"]


def mounted(service: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Each volume as (source, target, read-only)."""
    result = []
    for it in service["volumes"]:
        if isinstance(it, dict):
            result.append((it["source"], it["target"], it["read_only"]))
        else:
            source, target, *mode = it.split(":")
            result.append((source, target, mode == ["ro"]))
    return result


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_few_rights_and_is_seen_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(it.startswith("/tmp:") for it in service["tmpfs"])
    assert all(it.startswith("127.0.0.1:") for it in service["ports"])
    assert VERSION.fullmatch(service["image"])
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_is_a_volume_or_there_and_read_only(name: str) -> None:
    for source, _, read_only in mounted(SERVICES[name]):
        if source.startswith("."):
            assert (HERE / source).exists(), source
            assert read_only, source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_files(name: str) -> None:
    service = SERVICES[name]
    named = [it if isinstance(it, str) else it["source"] for it in service.get("secrets", [])]
    assert set(named) <= COMPOSE["secrets"].keys()
    assert all(it.keys() == {"file"} for it in COMPOSE["secrets"].values())
    words = {key: value for key, value in service.get("environment", {}).items() if "PASSWORD" in key}
    assert all(key.endswith("__FILE") and value.startswith("/run/secrets/") for key, value in words.items())


def test_the_loop_has_time_to_end_and_a_volume_for_its_state() -> None:
    loop = SERVICES["reconciler"]
    assert loop["command"][0] == "watch"
    assert loop["stop_grace_period"] == "60s"
    assert ("state", "/var/lib/reconciler", False) in mounted(loop)
    assert loop["env_file"] == ".env"
    assert (HERE / ".env.example").exists()


def test_prometheus_and_grafana_find_what_is_mounted() -> None:
    port = SERVICES["reconciler"]["environment"]["RECONCILE_LISTEN"].rpartition(":")[2]
    prometheus = read(HERE / "prometheus.yaml")
    targets = [target for it in prometheus["scrape_configs"] for target in it["static_configs"][0]["targets"]]
    assert targets == [f"reconciler:{port}"]
    assert set(prometheus["rule_files"]) <= {target for _, target, _ in mounted(SERVICES["prometheus"])}
    (source,) = read(HERE / "grafana/datasources.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = read(HERE / "grafana/dashboards.yaml")["providers"]
    folder = provider["options"]["path"]
    assert any(Path(target).parent == Path(folder) for _, target, _ in mounted(SERVICES["grafana"]))


def test_prometheus_takes_its_configuration_with_the_alert_rules(tmp_path: Path) -> None:
    text = (HERE / "prometheus.yaml").read_text(encoding="utf-8")
    (rules,) = [source for source, _, _ in mounted(SERVICES["prometheus"]) if source.endswith("alerts.yaml")]
    path = tmp_path / "prometheus.yaml"
    path.write_text(
        text.replace("/etc/prometheus/alerts.yaml", str((HERE / rules).resolve())), encoding="utf-8"
    )
    done = subprocess.run(["promtool", "check", "config", path], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
