"""What act ignores and linters don't know, read from the workflow files themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
OWN_SCRIPTS = re.compile(r"((trusted/)?scripts/(setup|coh|keep-passphrase)\b.*|\.ci/run)")


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


def triggers(workflow: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = workflow[True]  # YAML 1.1 reads the key `on` as true
    return found


def jobs(name: str) -> list[dict[str, Any]]:
    return list(load(name)["jobs"].values())


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name) for step in job["steps"]]


def looks_at_the_tool() -> dict[str, Any]:
    """Return the one step that runs no script: none is trusted yet."""
    (step,) = (one for one in steps("apply.yml") if one["name"].startswith("See that the tool"))
    return step


every_file = pytest.mark.parametrize("name", [path.name for path in FILES])
judging = pytest.mark.parametrize("name", ["validate.yml", "apply.yml"])


def test_the_workflows_are_there() -> None:
    assert {path.name for path in FILES} >= {"apply.yml", "ci.yml", "validate.yml"}


@every_file
def test_nothing_is_granted_at_the_top(name: str) -> None:
    assert load(name)["permissions"] == {}
    assert all("permissions" in job for job in jobs(name))


@every_file
def test_every_grant_has_its_reason(name: str) -> None:
    grant = re.compile(r"^\s+[\w-]+: (read|write)\b(?P<reason>.*)$", re.MULTILINE)
    grants = list(grant.finditer((FOLDER / name).read_text(encoding="utf-8")))
    assert grants
    assert [found[0] for found in grants if not re.match(r" # \w+", found["reason"])] == []


@every_file
def test_no_trigger_gives_a_pull_request_the_keys(name: str) -> None:
    assert triggers(load(name)).keys().isdisjoint({"pull_request_target", "workflow_run"})


@every_file
def test_actions_are_pinned_to_a_commit(name: str) -> None:
    pin = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    uses = [line.strip().removeprefix("- ") for line in lines if re.match(r"[- ]*uses:", line)]
    assert uses
    assert [line for line in uses if not pin.fullmatch(line)] == []


@every_file
def test_checkouts_keep_no_credentials(name: str) -> None:
    checkouts = [step for step in steps(name) if "actions/checkout@" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@every_file
def test_no_expression_is_pasted_into_a_shell(name: str) -> None:
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []


@every_file
def test_steps_only_call_our_scripts(name: str) -> None:
    commands = [step["run"] for step in steps(name) if "run" in step]
    assert commands
    others = [command for command in commands if not OWN_SCRIPTS.fullmatch(command)]
    assert others == ([looks_at_the_tool()["run"]] if name == "apply.yml" else [])


@every_file
def test_jobs_are_bounded_and_run_on_known_machines(name: str) -> None:
    assert {job["runs-on"] for job in jobs(name)} == {"ubuntu-24.04"}
    assert all(0 < job["timeout-minutes"] <= 60 for job in jobs(name))


@every_file
def test_secrets_need_the_environment(name: str) -> None:
    for job in jobs(name):
        if "secrets." in yaml.safe_dump(job):
            assert job["environment"] == "production"


@every_file
def test_production_is_reached_from_main_only(name: str) -> None:
    if any("environment" in job for job in jobs(name)):
        on = triggers(load(name))
        assert on.keys() <= {"push", "workflow_dispatch"}
        assert on.get("push", {"branches": ["main"]}) == {"branches": ["main"]}
        for job in jobs(name):  # a person may start a run of any branch
            assert job["if"] == "github.ref == 'refs/heads/main'"


@every_file
def test_runs_of_one_kind_do_not_overlap(name: str) -> None:
    concurrency = load(name)["concurrency"]
    assert concurrency["group"].startswith(f"{name.removesuffix('.yml')}-")
    assert isinstance(concurrency["cancel-in-progress"], bool)


def test_an_apply_is_never_cancelled_and_never_beside_another() -> None:
    assert load("apply.yml")["concurrency"] == {
        "group": "apply-production",
        "cancel-in-progress": False,
    }


def test_an_apply_only_reads_github() -> None:
    """It tells people by Slack and its own log; statuses and comments are the check's."""
    (job,) = jobs("apply.yml")
    assert job["permissions"] == {"contents": "read", "pull-requests": "read"}


@every_file
def test_what_a_workflow_may_do_is_documented(name: str) -> None:
    (job,) = jobs(name)
    text = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{name.removesuffix('.yml')}` \|(.*?)\|", text, re.MULTILINE)
    granted = dict(re.findall(r"`([a-z-]+): (read|write)`", row))
    assert granted == job["permissions"]


def test_a_person_names_the_tool_and_nothing_else() -> None:
    inputs = triggers(load("apply.yml"))["workflow_dispatch"]["inputs"]
    assert inputs.keys() == {"tool"}
    assert inputs["tool"]["required"] is True


def test_the_tool_is_looked_at_before_it_is_there() -> None:
    names = [step["name"] for step in steps("apply.yml")]
    seen = looks_at_the_tool()
    trusted = next(s for s in steps("apply.yml") if s.get("with", {}).get("path") == "trusted")
    assert names.index(seen["name"]) < names.index(trusted["name"])
    assert re.findall(r"\$\((\S+ \S+ \S+ \S+)", seen["run"]) == ["git -C proposal rev-list"]


def test_validate_answers_to_changes_and_approvals() -> None:
    on = triggers(load("validate.yml"))
    assert on["pull_request"]["branches"] == ["main"]
    assert set(on["pull_request"]["types"]) >= {"opened", "synchronize", "reopened", "edited"}
    assert set(on["pull_request_review"]["types"]) >= {"submitted", "dismissed"}
    # No merge queue: an approval is bound to a head commit, and the queue would make another one.
    assert on.keys() == {"pull_request", "pull_request_review"}


def test_validate_has_no_secret() -> None:
    assert "secrets." not in (FOLDER / "validate.yml").read_text(encoding="utf-8")


@judging
def test_the_commit_before_judges_and_the_change_is_data(name: str) -> None:
    found = {step["with"]["path"]: step["with"] for step in steps(name) if "uses" in step}
    trusted, proposal = found.pop("trusted"), found.pop("proposal")
    assert found == {}
    refs = {
        "apply.yml": ("${{ env.TOOL }}", "${{ github.sha }}"),
        "validate.yml": (
            "${{ github.event.pull_request.base.sha }}",
            "${{ github.event.pull_request.head.sha }}",
        ),
    }
    assert (trusted["ref"], proposal["ref"]) == refs[name]
    assert proposal["fetch-depth"] == 0  # the way from the one to the other is in its history


@judging
def test_nothing_of_the_proposal_is_run(name: str) -> None:
    for step in steps(name):
        if step.get("name") == looks_at_the_tool()["name"]:
            continue
        command = step.get("run", "trusted/scripts/")
        assert command.startswith("trusted/scripts/")
        assert "working-directory" not in step
        assert not re.search(r"proposal/", command)


def test_the_tool_is_the_one_that_was_looked_at() -> None:
    (job,) = jobs("apply.yml")
    assert job["env"] == {"TOOL": "${{ inputs.tool || github.event.before }}"}
    named = [step["env"].get("COH_TOOL_COMMIT") for step in job["steps"] if "env" in step]
    assert [one for one in named if one] == ["${{ env.TOOL }}"]
    assert all("TOOL" not in step.get("env", {}) for step in job["steps"])


def test_ci_runs_on_every_pull_request_without_any_secret() -> None:
    on = triggers(load("ci.yml"))
    assert on == {"push": {"branches": ["main"]}, "pull_request": None}
    assert not re.search(r"secrets\.|github\.token", (FOLDER / "ci.yml").read_text("utf-8"))


def test_owners_of_guardrails_are_named() -> None:
    owners = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8")
    lines = [line.split() for line in owners.splitlines() if line and not line.startswith("#")]
    guarded = {path for path, *owner in lines if owner == ["@clarivum/ops-admins"]}
    assert guarded >= {"/.github/", "/policies/", "/scripts/", "/tools/", "/requirements.lock"}
    assert lines[-1][0] == "/infra/environments/**/access.yaml"  # the last match counts
