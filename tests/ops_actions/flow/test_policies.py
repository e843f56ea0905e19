"""A change of the policies that would leave nobody to judge, met by the real engine."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.bundles import GitBundles
from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.opa_eval import OpaEval
from ops_actions.errors import OutsideError, RefusedError
from ops_actions.flow.check import check_commits
from ops_actions.flow.judge import Judge
from ops_actions.flow.policies import refuse_broken_policies
from tests.ops_actions.adapters.git_world import commit, start
from tests.policies.support import POLICIES, ROOT, opa

if TYPE_CHECKING:
    from pathlib import Path

    from ops_actions.canonical import Json

OWNER = "policies/ops/rules/flags/owner/owner.rego"
NEW = "policies/ops/rules/flags/weekday/weekday.rego"
LIST = "policies/config/rules/data.json"
LIMITS = "policies/config/limits/data.yaml"
ROLES = "policies/config/roles/data.yaml"
MAIN = "policies/ops/main/main.rego"
CAPABILITIES = "policies/capabilities.json"
ACCESS = "infra/environments/production/access.yaml"

RULE = """# METADATA
# title: Never in the night
# description: A rule for tests.
# custom:
#   code: flags.weekday
#   severity: error
#   failure_msg: "not now"
#   solution: "Wait."
package ops.rules.flags.weekday

import data.ops.lib.result

deny contains violation if {
	input.change.summary == "at night"
	violation := result.violation(rego.metadata.chain(), [], "")
}
"""


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def listed() -> bytes:
    return json.dumps(sorted([*json.loads(read(LIST)), "flags.weekday"])).encode()


def capabilities(**more: object) -> bytes:
    return json.dumps({**json.loads(read(CAPABILITIES)), **more}).encode()


class World:
    """A repository that holds our policies and a people list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = start(folder)
        files: dict[str, bytes | None] = {
            str(path.relative_to(ROOT)): path.read_bytes()
            for path in POLICIES.rglob("*")
            if path.is_file()
        }
        self.base = self.commit({**files, ACCESS: (ROOT / ACCESS).read_bytes()})
        repository = GitRepository(folder)
        self.judge = Judge(repository, GitBundles(repository), OpaEval(opa()), None, None)

    def commit(self, files: dict[str, bytes | None]) -> str:
        return commit(self.git, self.folder, files)

    def refused(self, files: dict[str, bytes | None]) -> str:
        """Refuse what a commit brings, and return the fact."""
        head = self.commit(files)
        with pytest.raises(RefusedError) as caught:
            refuse_broken_policies(self.judge, self.base, head)
        assert caught.value.code == "gate.broken_policies"
        assert head in caught.value.fact
        assert "scripts/policy-check" in caught.value.next_step
        assert str(self.folder.parent) not in caught.value.fact
        return caught.value.fact


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repository")


def test_a_healthy_change_passes(world: World) -> None:
    more = read(OWNER).replace("import data.ops.lib.result", "import data.ops.lib.result # Read")
    for files in (
        {NEW: RULE.encode(), LIST: listed()},
        {LIMITS: read(LIMITS).replace("10 ", "11 ").encode()},
        {OWNER: more.encode()},
        {"policies/README.md": b"Rules\n"},
        {OWNER.replace(".rego", "_test.rego"): b"nothing that Rego could read"},
    ):
        refuse_broken_policies(world.judge, world.base, world.commit(dict(files)))


def test_a_change_of_other_files_asks_nobody(world: World, tmp_path: Path) -> None:
    nobody = replace(world.judge, engine=OpaEval(tmp_path / "gone"))
    head = world.commit({"docs/policies/x.rego": b"{", "scripts/policies": b"#!/bin/sh\n"})
    refuse_broken_policies(nobody, world.base, head)


BROKEN: dict[str, tuple[dict[str, bytes | None], str]] = {
    "a rule that is not listed": (
        {NEW: RULE.encode()},
        "rules and their list differ: flags.weekday",
    ),
    "a listed rule that is gone": ({OWNER: None}, "rules and their list differ: flags.owner"),
    "no list": ({LIST: None}, f"{LIST} can't be read"),
    "a rule that does not parse": (
        {NEW: RULE.replace("deny contains", "deny {").encode(), LIST: listed()},
        f"rego_parse_error at {NEW}:13",
    ),
    "a rule that does not compile": (
        {NEW: RULE.replace('"at night"', "night").encode(), LIST: listed()},
        f"at {NEW}:14",
    ),
    "a rule that is not strict": (
        {NEW: RULE.replace("result\n\n", "result\nimport data.ops.lib.shape\n\n").encode(),
         LIST: listed()},
        f"rego_compile_error at {NEW}:12",
    ),
    "a function that is no capability": (
        {NEW: RULE.replace('"at night"', "time.now_ns()").encode(), LIST: listed()},
        f"rego_type_error at {NEW}:14",
    ),
    "a capability that reaches out": (
        {CAPABILITIES: capabilities(builtins=[{"name": "time.now_ns"}])},
        "allows more than the input",
    ),
    "capabilities that opa can't read": (
        {CAPABILITIES: capabilities(builtins=[{"name": "plus", "decl": 7}])},
        "opa can't read the policies' capabilities.json",
    ),
    "no capabilities": ({CAPABILITIES: None}, "capabilities.json can't be read"),
    "data that is no YAML": ({LIMITS: b"a: [1\n"}, f"{LIMITS} can't be read"),
    "a setting that is gone": ({ROLES: None}, "no usable setting roles."),
    "an entry that is gone": ({MAIN: None}, "gave no answer"),
    "an answer of another form": (
        {MAIN: read(MAIN).replace("policy-decision/1", "policy-decision/2").encode()},
        "the answer is wrong at schema",
    ),
    "no rule at all": (
        {str(path.relative_to(ROOT)): None for path in POLICIES.rglob("*.rego")},
        "has no policies",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_policies_that_could_not_judge_are_refused(world: World, what: str) -> None:
    files, said = BROKEN[what]
    assert said in world.refused(files)


def test_a_link_among_the_policies_is_refused_each_time(world: World) -> None:
    (world.folder / "policies/more.rego").symlink_to("ops/main/main.rego")
    head = world.commit({})
    for _ in range(2):
        with pytest.raises(RefusedError, match=r"gate\.broken_policies.*more\.rego is a link"):
            refuse_broken_policies(world.judge, world.base, head)


def test_broken_policies_are_mended_on_top_of_broken_ones(world: World) -> None:
    broken = world.commit({NEW: RULE.encode()})
    mended = world.commit({LIST: listed()})
    refuse_broken_policies(world.judge, broken, mended)


def test_an_engine_that_fails_is_not_the_policies_fault(world: World, tmp_path: Path) -> None:
    program = tmp_path / "opa"
    head = world.commit({NEW: RULE.encode(), LIST: listed()})
    for script, code in (
        ("kill -9 $$", "engine.failed"),
        ("exit 2", "engine.failed"),
        ('echo "{\\"errors\\": [{\\"code\\": \\"eval_cancel_error\\"}]}"; exit 2', "engine.late"),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        judge = replace(world.judge, engine=OpaEval(program))
        with pytest.raises(OutsideError) as caught:
            refuse_broken_policies(judge, world.base, head)
        assert caught.value.code == code


def test_a_branch_is_refused_before_it_is_a_pull_request(world: World) -> None:
    head = world.commit({NEW: RULE.encode()})
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    with pytest.raises(RefusedError, match=r"gate\.broken_policies.*flags\.weekday"):
        check_commits(world.judge, world.base, head, "tariq-noor", now)


def test_the_policy_check_finds_what_is_refused(world: World) -> None:
    """The command that a refusal names says what the engine's words keep to themselves."""
    world.refused({NEW: RULE.replace('"at night"', "night").encode(), LIST: listed()})
    done = subprocess.run(
        [str(ROOT / "scripts/policy-check"), str(world.folder / "policies")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COH_OPA": str(opa())},
    )
    assert done.returncode == 1
    assert "night is unsafe" in done.stderr


ENDLESS = RULE.replace(
    'input.change.summary == "at night"',
    "count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i < j]) == 0",
)


class Impatient:
    """The real engine, given less time than it is asked for."""

    def __init__(self, patience: float) -> None:
        self._engine, self._patience = OpaEval(opa()), patience

    def decide(self, bundle: Path, question: Json, timeout: float) -> Json:
        del timeout
        return self._engine.decide(bundle, question, self._patience)


def test_policies_that_never_end_are_their_own_fault_and_a_late_engine_is_not(
    world: World,
) -> None:
    endless: dict[str, bytes | None] = {NEW: ENDLESS.encode(), LIST: listed()}
    world.judge = replace(world.judge, engine=Impatient(3.0))
    assert "no answer within 3 s" in world.refused(endless)
    head = world.git("rev-parse", "HEAD")
    world.judge = replace(world.judge, engine=Impatient(0.001))
    with pytest.raises(OutsideError) as caught:
        refuse_broken_policies(world.judge, world.base, head)
    assert caught.value.code == "engine.late"
