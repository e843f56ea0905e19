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

MAIN = "refs/heads/main"
SEEN = "See that the tool is of a commit of main before this one"
APPLY = "Apply the merged commit"
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
log = ("git", "-C", "proposal", "log", "--first-parent", "--format=%H")
keys = sorted(name for name, value in os.environ.items() if value.startswith("canary-"))
print(json.dumps({{
    "tool": "{name}",
    "words": sys.argv[1:],
    "history": subprocess.run(log, check=True, capture_output=True, text=True).stdout.split(),
    "keys": keys,
    "token": bool(os.environ.get("GITHUB_TOKEN")),
    "named": os.environ.get("COH_TOOL_COMMIT"),
}}))
"""


@dataclass(frozen=True)
class Repository:
    """A bare repository whose every commit brings a tool of its own.

    Attributes:
        older: the first commit of main.
        before: the one after it.
        after: the one that main is at; a merge.
        side: what was merged; an ancestor of main that main never was at.
        stray: a commit that is on no branch of main.
    """

    machine: Machine
    older: str
    before: str
    after: str
    side: str
    stray: str

    @property
    def line(self) -> list[str]:
        """What main was at, newest first."""
        return [self.after, self.before, self.older]

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
    older, before = commit(machine, "of an older commit"), commit(machine, "of the commit before")
    git(machine.checkout, "checkout", "--quiet", "-b", "stray", older)
    stray = commit(machine, "of a stray commit")
    git(machine.checkout, "checkout", "--quiet", "-b", "side", before)
    side = commit(machine, "of the branch")
    git(machine.checkout, "checkout", "--quiet", "main")
    git(machine.checkout, "merge", "--quiet", "--no-ff", "--no-commit", "side")
    after = commit(machine, "of the change")
    git(machine.folder, "clone", "--quiet", "--bare", str(machine.checkout), "remote.git")
    return Repository(machine, older, before, after, side, stray)


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
        "history": repository.line,
        "keys": [],
        "token": True,
        "named": None,
    }


def test_a_push_is_applied_by_the_commit_before(repository: Repository) -> None:
    before, after = repository.before, repository.after
    event = {"ref": MAIN, "before": before, "after": after}
    run = repository.run("apply.yml", "push", event)
    assert told(run, APPLY) == {
        "tool": "of the commit before",
        "words": ["apply", "--checkout", "proposal", "--commit", after],
        "history": repository.line,
        "keys": [f"COH_{secret}" for secret in SECRETS],
        "token": True,
        "named": before,
    }
    assert "canary-" not in run.log


def test_a_person_may_name_an_older_tool(repository: Repository) -> None:
    event = {"ref": MAIN, "inputs": {"tool": repository.older}}
    run = repository.run("apply.yml", "workflow_dispatch", event)
    assert told(run, APPLY) == {
        "tool": "of an older commit",
        "words": ["apply", "--checkout", "proposal", "--commit", repository.after],
        "history": repository.line,
        "keys": [f"COH_{secret}" for secret in SECRETS],
        "token": True,
        "named": repository.older,
    }


NAMES = {
    "nothing": ("", "tool.bad_commit"),
    "a branch": ("main", "tool.bad_commit"),
    "an abbreviation": ("{older:.12}", "tool.bad_commit"),
    "two lines": ("{older}\n{before}", "tool.bad_commit"),
    "a command": ("$(touch {mark})`touch {mark}`'; touch {mark} #", "tool.bad_commit"),
    "an option": ("--output={mark}", "tool.bad_commit"),
    "what nobody has": ("0123456789abcdef0123456789abcdef01234567", "tool.not_before"),
    "what is applied": ("{after}", "tool.not_before"),
    "what was merged": ("{side}", "tool.not_before"),
    "what is not on main": ("{stray}", "tool.not_before"),
}


@pytest.mark.parametrize("name", NAMES)
def test_no_other_tool_can_be_named(repository: Repository, tmp_path: Path, name: str) -> None:
    value, code = NAMES[name]
    known = {"older": repository.older, "before": repository.before, "after": repository.after}
    odd = {"side": repository.side, "stray": repository.stray, "mark": str(tmp_path / "mark")}
    tool = value.format(**known, **odd)
    event = {"ref": MAIN, "inputs": {"tool": tool}}
    run = repository.run("apply.yml", "workflow_dispatch", event)
    assert run.jobs == {"apply": "failure"}, run.log
    said = run.step(SEEN)
    assert (said.result, said.exit_status) == ("failure", 1)
    assert f"{code}: " in run.log
    assert "Next: name " in run.log
    assert [step.name for step in run.steps if step.result == "success"] == [
        "Check out the merged commit, data only"
    ]
    assert not (tmp_path / "mark").exists()


def test_a_push_that_rewrote_main_runs_no_tool(repository: Repository) -> None:
    event = {"ref": MAIN, "before": repository.stray, "after": repository.after}
    run = repository.run("apply.yml", "push", event)
    assert run.step(SEEN).result == "failure"
    assert APPLY not in {step.name for step in run.steps}


def test_nothing_is_applied_from_another_branch(repository: Repository) -> None:
    event = {"ref": "refs/heads/side", "inputs": {"tool": repository.older}}
    run = repository.run("apply.yml", "workflow_dispatch", event)
    assert (run.exit_status, run.steps) == (0, ())
