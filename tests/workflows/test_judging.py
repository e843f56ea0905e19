"""validate.yml and apply.yml as they are, on act: the commit before judges, the change is data.

The tool in this repository is a few lines that tell how it was called; the workflow files and
scripts are the real ones. That the real tool judges well is told by tests/stories.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.act import Act, WorkflowRun
from tests.support.files import ROOT
from tests.support.machine import Machine, make_environment, make_machine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRETS = (
    "DATABASE_URL",
    "FLAGSMITH_TOKEN",
    "GITHUB_TOKEN",
    "PULUMI_BACKEND",
    "SLACK_TOKEN",
    "VERCEL_TOKEN",
)
TOOL = """
import json, os, subprocess, sys
log = ("git", "-C", "proposal", "log", "--format=%H")
keys = sorted(name for name, value in os.environ.items() if value.startswith("canary-"))
print(json.dumps({{
    "tool": "{name}",
    "words": sys.argv[1:],
    "history": subprocess.run(log, check=True, capture_output=True, text=True).stdout.split(),
    "keys": keys,
    "token": bool(os.environ.get("GITHUB_TOKEN")),
}}))
"""


@dataclass(frozen=True)
class Repository:
    """A bare repository with two commits: `before`, and `after`, which changes the tool itself."""

    machine: Machine
    before: str
    after: str

    def run(self, workflow: str, name: str, event: Mapping[str, Any]) -> WorkflowRun:
        program = self.machine.folder / "bin"
        environment = {
            "COH_OPA": str(program / "opa"),
            "COH_PULUMI": str(program.parent),
            "COH_PYTHON": str(program / "python3"),
            "COH_VENV": str(self.machine.environment),
        }
        secrets = {f"COH_{secret}": f"canary-{secret}" for secret in SECRETS}
        act = Act(
            home=self.machine.folder / "act-home",
            remote=(self.machine.folder / "remote.git").as_uri(),
            repository="acme/ops",
            environment=environment,
            secrets={
                **secrets,
                "COH_PULUMI_PASSPHRASE": "canary-PASSPHRASE",
                "GITHUB_TOKEN": "token-of-the-job",
            },
        )
        return act.run(self.machine.checkout, workflow, name, event)


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(machine: Machine, tool: str) -> str:
    folder = machine.checkout / "ops_actions" / "cli"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__main__.py").write_text(TOOL.format(name=tool), encoding="utf-8")
    git(machine.checkout, "add", ".")
    git(machine.checkout, "commit", "--quiet", "--message", tool)
    return git(machine.checkout, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    machine = make_machine(
        tmp_path_factory.mktemp("machine"), make_environment(tmp_path_factory.mktemp("ready"))
    )
    machine.install_engines()
    shutil.copytree(ROOT / ".github", machine.checkout / ".github")
    git(machine.checkout, "init", "--quiet", "--initial-branch", "main")
    before, after = commit(machine, "of the commit before"), commit(machine, "of the change")
    git(machine.folder, "clone", "--quiet", "--bare", str(machine.checkout), "remote.git")
    return Repository(machine, before, after)


def told(run: WorkflowRun, step: str) -> dict[str, Any]:
    assert run.exit_status == 0, run.log
    answer: dict[str, Any] = json.loads(run.step(step).output.splitlines()[-1])
    return answer


def pull_request(repository: Repository) -> dict[str, Any]:
    sides = {"base": repository.before, "head": repository.after}
    return {"number": 7, **{side: {"sha": sha, "ref": "main"} for side, sha in sides.items()}}


@pytest.mark.parametrize("name", ["pull_request", "pull_request_review"])
def test_a_pull_request_is_judged_by_the_commit_before(repository: Repository, name: str) -> None:
    event = {"action": "submitted", "number": 7, "pull_request": pull_request(repository)}
    run = repository.run("validate.yml", name, event)
    assert told(run, "Check the pull request") == {
        "tool": "of the commit before",
        "words": ["check", "--checkout", "proposal", "--pr", "7", "--waiting-ok"],
        "history": [repository.after, repository.before],
        "keys": [],
        "token": True,
    }
    assert "Check the merge group" not in {step.name for step in run.steps}


def test_a_merge_group_is_judged_by_the_commit_before(repository: Repository) -> None:
    before, after = repository.before, repository.after
    event = {"merge_group": {"base_sha": before, "head_sha": after}}
    run = repository.run("validate.yml", "merge_group", event)
    answer = told(run, "Check the merge group")
    assert answer["tool"] == "of the commit before"
    assert answer["words"][:3] == ["check", "--checkout", "proposal"]
    assert answer["words"][3:] == ["--base", before, "--head", after]
    assert "Check the pull request" not in {step.name for step in run.steps}


def test_a_push_is_applied_by_the_commit_before(repository: Repository) -> None:
    before, after = repository.before, repository.after
    event = {"ref": "refs/heads/main", "before": before, "after": after}
    run = repository.run("apply.yml", "push", event)
    assert told(run, "Apply the merged commit") == {
        "tool": "of the commit before",
        "words": ["apply", "--checkout", "proposal", "--commit", after],
        "history": [after, before],
        "keys": [f"COH_{secret}" for secret in SECRETS],
        "token": True,
    }
    assert "canary-" not in run.log
