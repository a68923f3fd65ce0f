"""The jobs for users' repositories: nothing from a fork meets a secret, no job has a right that it does not need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parents[3] / "deploy/ci"


def read(name: str) -> Any:
    # YAML 1.1, in which both are written, takes `on` for true
    return yaml.load((HERE / name).read_text(encoding="utf-8"), yaml.BaseLoader)


GITHUB = read("github.yaml")
GITLAB = read("gitlab.yaml")


def test_github_runs_what_a_fork_sends_without_secrets_and_far_from_the_hosts() -> None:
    assert GITHUB["on"].keys() == {"pull_request"}
    validate = GITHUB["jobs"]["validate"]
    assert "secrets." not in yaml.dump(validate)
    assert "self-hosted" not in validate["runs-on"]


def test_githubs_plan_is_for_branches_of_the_repository_and_waits_for_an_environment() -> None:
    plan = GITHUB["jobs"]["plan"]
    assert plan["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert plan["needs"] == "validate"
    assert plan["environment"]
    secrets = [it for it in plan["steps"] if "secrets." in yaml.dump(it)]
    assert [it["name"] for it in secrets] == ["Plan"]


def test_githubs_jobs_have_the_rights_that_they_need_and_no_others() -> None:
    assert GITHUB["permissions"] == {}
    rights = {name: job["permissions"] for name, job in GITHUB["jobs"].items()}
    assert rights == {
        "validate": {"contents": "read"},
        "plan": {"contents": "read", "pull-requests": "write"},
    }
    steps = [it for job in GITHUB["jobs"].values() for it in job["steps"] if "uses" in it]
    assert {it["uses"].partition("@")[0] for it in steps} == {"actions/checkout"}
    assert all(it["with"] == {"persist-credentials": "false"} for it in steps)


def test_what_a_pull_request_is_called_never_becomes_part_of_a_command() -> None:
    assert not any("${{" in it.get("run", "") for job in GITHUB["jobs"].values() for it in job["steps"])


def test_gitlabs_plan_is_for_branches_of_the_project_and_somebody_starts_it() -> None:
    (rule,) = GITLAB["plan"]["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]
    assert rule["when"] == "manual"
    assert GITLAB["plan"]["environment"]["name"] == GITHUB["jobs"]["plan"]["environment"]


def test_both_use_one_image_with_a_full_version_and_end_in_time() -> None:
    version = "registry.example.org/reconciler:0.1.0"
    jobs = [*GITHUB["jobs"].values(), GITLAB["validate"], GITLAB["plan"]]
    assert {it["container"]["image"] for it in GITHUB["jobs"].values()} == {version}
    assert GITLAB[".reconciler"]["image"] == {"name": version, "entrypoint": [""]}
    assert all("timeout-minutes" in it or "timeout" in it for it in jobs)
