"""The driver for act, on a tiny workflow in a repository of its own."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.act import Act, WorkflowRun

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-secret"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
WORKFLOW = f"""
name: tiny
on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    outputs:
      commit: ${{{{ steps.proposal.outputs.commit }}}}
    steps:
      - name: Trusted
        uses: {CHECKOUT}
        with: {{ref: "${{{{ github.event.before }}}}", path: trusted, persist-credentials: false}}
      - name: Proposal
        id: proposal
        uses: {CHECKOUT}
        with: {{path: proposal, fetch-depth: 0, persist-credentials: false}}
      - name: Read both
        env: {{TOKEN: "${{{{ secrets.COH_TOKEN }}}}"}}
        run: |
          cat trusted/greeting proposal/greeting
          echo "token $TOKEN, $GITHUB_REPOSITORY at $GITHUB_API_URL, outside: ${{OUTSIDE:-none}}"
          echo "commits: $(git -C proposal rev-list --count HEAD)"
          echo "# Done" >> "$GITHUB_STEP_SUMMARY"
      - name: Skipped
        if: github.event_name == 'schedule'
        run: exit 9
  second:
    needs: first
    runs-on: ubuntu-24.04
    steps:
      - name: Fails
        env: {{COMMIT: "${{{{ needs.first.outputs.commit }}}}"}}
        run: |
          echo "got $COMMIT"
          exit 3
      - name: Never reached
        run: echo no
"""


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, greeting: str) -> str:
    (folder / "greeting").write_text(f"{greeting}\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", greeting)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / ".github" / "workflows").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / ".github" / "workflows" / "tiny.yml").write_text(WORKFLOW, encoding="utf-8")
    return folder


def push(tmp_path: Path, checkout: Path, secret: str = CANARY) -> WorkflowRun:
    before, after = commit(checkout, "before"), commit(checkout, "after")
    git(tmp_path, "clone", "--quiet", "--bare", str(checkout), "remote.git")
    event: dict[str, Any] = {"ref": "refs/heads/main", "before": before, "after": after}
    act = Act(
        home=tmp_path / "home",
        remote=(tmp_path / "remote.git").as_uri(),
        repository="acme/ops",
        environment={"GITHUB_API_URL": "http://127.0.0.1:4999/api/v3"},
        secrets={"COH_TOKEN": secret},
    )
    return act.run(checkout, "tiny.yml", "push", event)


def test_jobs_and_steps_are_reported(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTSIDE", "leaked")
    run = push(tmp_path, checkout)
    assert run.exit_status == 1, run.log
    assert run.jobs == {"first": "success", "second": "failure"}
    assert [(step.name, step.result, step.exit_status) for step in run.steps] == [
        ("Trusted", "success", 0),
        ("Proposal", "success", 0),
        ("Read both", "success", 0),
        ("Fails", "failure", 3),
    ]
    assert run.step("Read both").output == (
        "before\nafter\n"
        "token ***, acme/ops at http://127.0.0.1:4999/api/v3, outside: none\n"
        "commits: 2\n"
    )
    assert run.summaries == ("# Done\n",)


def test_outputs_reach_the_next_job(tmp_path: Path, checkout: Path) -> None:
    run = push(tmp_path, checkout)
    assert run.step("Fails").output == f"got {git(checkout, 'rev-parse', 'HEAD')}\n"


def test_credentials_that_stay_fail(tmp_path: Path, checkout: Path) -> None:
    path = checkout / ".github" / "workflows" / "tiny.yml"
    path.write_text(WORKFLOW.replace(", persist-credentials: false", ""), encoding="utf-8")
    run = push(tmp_path, checkout)
    assert run.jobs["first"] == "failure"
    assert "persist-credentials must be false" in run.step("Trusted").output


def test_an_action_without_stand_in_is_an_error(tmp_path: Path, checkout: Path) -> None:
    path = checkout / ".github" / "workflows" / "tiny.yml"
    path.write_text(WORKFLOW.replace("actions/checkout@", "actions/other@"), encoding="utf-8")
    with pytest.raises(FileNotFoundError, match="actions/other@3d3c"):
        push(tmp_path, checkout)


def test_a_short_secret_is_an_error(tmp_path: Path, checkout: Path) -> None:
    with pytest.raises(ValueError, match="COH_TOKEN"):
        push(tmp_path, checkout, secret="t")


def test_a_late_run_is_killed_with_its_children(tmp_path: Path, checkout: Path) -> None:
    path = checkout / ".github" / "workflows" / "slow.yml"
    mark = tmp_path / "pid"
    path.write_text(
        "name: slow\non: push\njobs:\n  slow:\n    runs-on: ubuntu-24.04\n    steps:\n"
        f"      - run: echo $$ > '{mark}'; exec sleep 600\n",
        encoding="utf-8",
    )
    commit(checkout, "slow")
    act = Act(home=tmp_path / "home", remote="file:///nowhere", repository="acme/ops")
    with pytest.raises(subprocess.TimeoutExpired):
        act.run(checkout, "slow.yml", "push", {}, timeout=5)
    assert not is_running(int(mark.read_text(encoding="utf-8")))


def is_running(pid: int) -> bool:
    """Whether the process goes on; one that was just killed is given a moment to vanish."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
