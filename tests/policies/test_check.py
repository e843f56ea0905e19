"""scripts/policy-check is green as it stands, and red for each thing that it is there for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.policies.support import POLICIES, ROOT, opa

if TYPE_CHECKING:
    from pathlib import Path

OWNER = "ops/rules/flags/owner/owner.rego"
OWNER_TEST = "ops/rules/flags/owner/owner_test.rego"


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "scripts" / "policy-check"), *options, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COH_OPA": str(opa())},
    )


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return shutil.copytree(POLICIES, tmp_path / "policies")


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")


def test_the_policies_are_clean() -> None:
    done = check(POLICIES)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("policies are clean\n")


EDITS = {
    "a failing test": (
        OWNER,
        "import data.ops.lib.result",
        "import data.ops.lib.result\n\ndeny contains 1",
        "opa test",
    ),
    "an unformatted file": (OWNER, "\tnot _is_known", "  not _is_known", "opa fmt"),
    "an unknown fact": (OWNER, "input.change.after.owner in", "input.change.ownr in", "opa check"),
    "a forbidden function": (OWNER, "\tnot _is_known", "\ttime.now_ns() > 0", "opa check"),
    "no solution": (OWNER, "#   solution:", "#   way_out:", "flags.owner: METADATA lacks"),
    "another code": (OWNER, "code: flags.owner", "code: flags.other", "custom.code is flags.other"),
    "a silent negation": (
        OWNER,
        "\tnot _is_known",
        "\tnot input.change.after.owner in data.config.owners",
        "owner.rego: rule deny negates a call",
    ),
    "an unlisted rule": (
        "config/rules/data.json",
        '  "flags.owner",\n',
        "",
        "flags.owner is not listed",
    ),
    "a lost rule": (
        "config/rules/data.json",
        '  "flags.owner",',
        '  "flags.lost",\n  "flags.owner",',
        "flags.lost is listed in config/rules but does not exist",
    ),
    "an uncovered line": (
        OWNER,
        "_is_known if",
        '_is_known if input.change.after.owner == "x"\n\n_is_known if',
        "coverage 100 %",
    ),
}


@pytest.mark.parametrize("case", EDITS)
def test_it_complains_about(policies: Path, case: str) -> None:
    path, old, new, complaint = EDITS[case]
    edit(policies, path, old, new)
    done = check(policies)
    assert done.returncode == 1, done.stderr
    assert complaint in done.stderr


def test_it_complains_about_a_rule_without_tests(policies: Path) -> None:
    (policies / OWNER_TEST).unlink()
    done = check(policies)
    assert done.returncode == 1
    assert "ops/rules/flags/owner/ has no owner_test.rego" in done.stderr


def test_write_lists_the_rules_that_exist(policies: Path) -> None:
    shutil.rmtree(policies / "ops/rules/actions/immutable")
    assert check(policies).returncode == 1
    assert check(policies, "--write").returncode == 0
    listed = json.loads((policies / "config/rules/data.json").read_bytes())
    assert set(json.loads((POLICIES / "config/rules/data.json").read_bytes())) - set(listed) == {
        "actions.immutable"
    }


def test_write_changes_nothing_when_all_is_well(policies: Path) -> None:
    assert check(policies, "--write").returncode == 0
    before = {p: p.read_bytes() for p in POLICIES.rglob("*") if p.is_file()}
    assert before == {
        POLICIES / p.relative_to(policies): p.read_bytes()
        for p in policies.rglob("*")
        if p.is_file()
    }


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = check(tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.startswith("policy.folder: ")
