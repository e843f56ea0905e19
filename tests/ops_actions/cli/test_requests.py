"""Raising requests: a dry run shows exactly the lines that would change, and writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from infra.settings.environment import file_of
from ops_actions.wiring.place import ROOT

FLAGS = file_of("production", "flags")


def _dry(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a dry run without any credentials: it reads this checkout."""
    return subprocess.run(
        [sys.executable, "-m", "ops_actions.cli", *arguments, "--dry-run"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def _moved(diff: str) -> list[str]:
    return [
        line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    ]


def _tree() -> str:
    command = ["git", "status", "--porcelain", "--branch", "--", "infra", "ops_actions/requests"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


TOGGLE = ("flag", "disable", "ops_module_webhooks", "--env", "production", "--reason", "It loops")


def test_a_dry_run_of_a_toggle_is_a_diff_of_two_lines() -> None:
    before = (ROOT / FLAGS).read_bytes(), _tree()

    ran = _dry(*TOGGLE)

    assert ran.returncode == 0, ran.stderr
    assert "Dry run on this checkout" in ran.stderr
    assert "Would raise: production: Turn off ops_module_webhooks" in ran.stdout
    diff = ran.stdout[ran.stdout.index("---") :]
    assert diff.splitlines()[:2] == [f"--- a/{FLAGS}", f"+++ b/{FLAGS}"]
    assert _moved(diff) == [
        "-    enabled: true",
        "+    enabled: false",
        "-    reason: Roll out webhook retries to operators",
        "+    reason: It loops",
    ]
    assert ((ROOT / FLAGS).read_bytes(), _tree()) == before


def test_git_takes_the_diff() -> None:
    diff = _dry(*TOGGLE).stdout.partition("\n\n")[2]

    checked = subprocess.run(
        ["git", "apply", "--check", "-"],
        cwd=ROOT,
        input=diff,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_dry_run_as_json() -> None:
    document = json.loads(_dry(*TOGGLE, "--json").stdout)

    assert document["schema"] == "coh.dry_runs/1"
    (one,) = document["pull_requests"]
    assert sorted(one) == ["branch", "diff", "title"]
    assert one["branch"].startswith("ops/production/turn-off-ops-module-webhooks-")
    assert len(_moved(one["diff"])) == 4


def test_the_same_request_gets_the_same_branch_and_another_reason_another() -> None:
    first = json.loads(_dry(*TOGGLE, "--json").stdout)["pull_requests"][0]["branch"]
    again = json.loads(_dry(*TOGGLE, "--json").stdout)["pull_requests"][0]["branch"]
    other = json.loads(_dry(*TOGGLE[:-1], "Not today", "--json").stdout)["pull_requests"][0]

    assert first == again != other["branch"]


def test_a_new_flag_comes_off_and_whole() -> None:
    ran = _dry(
        *("flag", "set", "ops_module_reports", "--env", "staging", "--type", "release"),
        *("--owner", "platform", "--expires", "2027-03-01", "--reason", "New reports module"),
    )

    assert ran.returncode == 0, ran.stderr
    assert _moved(ran.stdout[ran.stdout.index("---") :]) == [
        "+  ops_module_reports:",
        "+    enabled: false",
        "+    type: release",
        "+    owner: platform",
        "+    expires: 2027-03-01",
        "+    reason: New reports module",
    ]


def test_an_archived_flag_loses_its_lines_and_no_other() -> None:
    ran = _dry(
        *("flag", "archive", "ops_module_webhooks", "--env", "production"),
        *("--reason", "Module is everywhere"),
    )

    moved = _moved(ran.stdout[ran.stdout.index("---") :])
    assert moved[0] == "-  ops_module_webhooks:"
    assert all(line.startswith("-    ") for line in moved[1:])
    assert len(moved) == 8


def test_an_action_is_one_new_file() -> None:
    ran = _dry(
        *("action", "run", "deployment.rollback", "--env", "production"),
        *("--target", "clarivum-web", "-p", "to=dpl_9f2", "-p", "expect_current=dpl_a17"),
        *("--confirm", "clarivum-web", "--incident", "INC-88", "--reason", "Error rate 7 %"),
        *("--not-after", "2026-11-30T18:00:00+0100"),
    )

    assert ran.returncode == 0, ran.stderr
    diff = ran.stdout[ran.stdout.index("---") :].splitlines()
    assert diff[0] == "--- /dev/null"
    assert diff[1].startswith("+++ b/ops_actions/requests/production/2")
    assert [line for line in diff[3:] if not line.startswith("+# ")] == [
        "+action: deployment.rollback",
        "+target: clarivum-web",
        "+params:",
        "+  to: dpl_9f2",
        "+  expect_current: dpl_a17",
        "+reason: Error rate 7 %",
        "+incident: INC-88",
        "+not_after: 2026-11-30T17:00:00Z",
        "+confirm: clarivum-web",
    ]


@pytest.mark.parametrize("typed", [(), ("--confirm", "clarivum-wep")], ids=["nothing", "wrong"])
def test_a_destructive_action_wants_its_target_typed_again(typed: tuple[str, ...]) -> None:
    ran = _dry(
        *("action", "run", "deployment.rollback", "--env", "production"),
        *("--target", "clarivum-web", "-p", "to=dpl_9f2", "-p", "expect_current=dpl_a17"),
        *("--reason", "Error rate 7 %", *typed),
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "request.confirm" in ran.stderr
    assert "--confirm clarivum-web" in ran.stderr
