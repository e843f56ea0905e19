from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.errors import BadRequestError
from ops_actions.plan.build import build_plan
from ops_actions.plan.model import Kind, Plan, Risk, Verb
from tests.ops_actions.plan.plan_world import (
    BASE,
    HEAD,
    POLICIES,
    READ,
    change_of,
    change_set,
)

FLAGS = "infra/environments/production/flags.yaml"
STAGING = "infra/environments/staging/flags.yaml"
ACCESS = "infra/environments/production/access.yaml"
PLATFORM = "infra/environments/production/platform.yaml"
REQUEST = "ops_actions/requests/production/20261123-rollback-web.yaml"

ON = "flags:\n  ops_module_a:\n    enabled: true\n    type: release\n    reason: r\n"
OFF = ON.replace("true", "false")
TWO = ON + ON.replace("flags:\n", "").replace("_a", "_b")
NONE = "flags: {}\n"
PEOPLE = "people:\n- sub: auth0|1\n  github: mara-lind\n  roles:\n  - role: ops_admin\n"
LI = "- sub: auth0|2\n  github: li-wen\n  roles:\n  - role: ops_viewer\n"
ASKED = """action: deployment.rollback
target: clarivum-web
params: {to: dpl_9f2, expect_current: dpl_a17}
reason: Error rate 7 %
not_after: 2026-11-23T18:00:00Z
confirm: clarivum-web
"""

EVERYTHING = (
    change_of(FLAGS, OFF, TWO),
    change_of(STAGING, TWO, NONE),
    change_of(ACCESS, PEOPLE, PEOPLE.replace("ops_admin", "ops_viewer")),
    change_of(REQUEST, None, ASKED),
    change_of("docs/runbook.md", "old", "new"),
    change_of("policies/ops/main/main.rego", "old", None),
    change_of("scripts/coh", None, "new", regular=False),
)


def planned(*files: tuple[str, str | None, str | None]) -> Plan:
    return build_plan(change_set(*(change_of(*file) for file in files)), POLICIES, READ)


@given(st.permutations(EVERYTHING))
def test_the_order_of_files_makes_no_difference(files: list[object]) -> None:
    plan = build_plan(change_set(*files), POLICIES, READ)  # type: ignore[arg-type]
    assert plan == build_plan(change_set(*EVERYTHING), POLICIES, READ)
    assert plan.digest == build_plan(change_set(*EVERYTHING), POLICIES, READ).digest


def test_what_is_destroyed_comes_first_then_actions_then_the_rest() -> None:
    plan = build_plan(change_set(*EVERYTHING), POLICIES, READ)
    assert [(change.verb, change.kind, change.target) for change in plan.changes] == [
        (Verb.DELETE, Kind.GUARDRAIL, "policies/ops/main/main.rego"),
        (Verb.DELETE, Kind.FLAG, "ops_module_a"),
        (Verb.DELETE, Kind.FLAG, "ops_module_b"),
        (Verb.ACT, Kind.ACTION, "clarivum-web"),
        (Verb.UPDATE, Kind.DOCUMENT, "docs/runbook.md"),
        (Verb.UPDATE, Kind.ACCESS, "auth0|1"),
        (Verb.UPDATE, Kind.FLAG, "ops_module_a"),
        (Verb.CREATE, Kind.GUARDRAIL, "scripts/coh"),
        (Verb.CREATE, Kind.FLAG, "ops_module_b"),
    ]
    assert plan.environments == ("production", "staging")
    assert plan.risk is Risk.DESTRUCTIVE
    assert (plan.base, plan.head, plan.policy_digest) == (BASE, HEAD, POLICIES)


def test_nothing_asked_is_an_empty_plan() -> None:
    plan = build_plan(change_set(), POLICIES, READ)
    assert (plan.changes, plan.environments, plan.risk) == ((), (), Risk.SAFE)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (FLAGS, TWO, TWO),
        (FLAGS, TWO, f"# a comment\n{TWO}\n\n"),
        (FLAGS, None, NONE),
        (FLAGS, NONE, None),
        (ACCESS, PEOPLE, PEOPLE.replace("github: mara-lind", 'github: "mara-lind"')),
    ],
)
def test_equal_states_differ_in_nothing_however_they_are_written(
    path: str, before: str | None, after: str | None
) -> None:
    assert planned((path, before, after)).changes == ()


@pytest.mark.parametrize(
    ("path", "broken", "place"),
    [
        (FLAGS, "flags: [", f"{FLAGS}:2"),
        (FLAGS, ON + "    more: 1\n", f"{FLAGS}:6"),
        (ACCESS, PEOPLE + LI.replace("li-wen", "li wen"), f"{ACCESS}:7"),
        (PLATFORM, "vercel: {}\n", PLATFORM),
    ],
)
def test_a_head_that_can_not_be_read_is_refused_with_its_place(
    path: str, broken: str, place: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        planned((path, None, broken))
    assert caught.value.code == "declared.invalid"
    assert caught.value.fact.startswith(place)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("path", "after"), [(FLAGS, ON), (ACCESS, PEOPLE), (FLAGS, None), (ACCESS, None)]
)
def test_a_base_that_can_not_be_read_can_only_be_mended_as_a_guardrail(
    path: str, after: str | None
) -> None:
    (change,) = planned((path, "flags: [", after)).changes
    assert (change.kind, change.risk, change.target) == (Kind.GUARDRAIL, Risk.GUARDED, path)
    assert (change.expected_live, change.desired_live) == (None, None)


def test_when_both_sides_are_broken_the_head_is_to_blame() -> None:
    with pytest.raises(BadRequestError, match=r"flags\.yaml:6"):
        planned((FLAGS, "flags: [", ON + "    more: 1\n"))


@pytest.mark.parametrize(
    ("path", "content"), [(FLAGS, ON), (ACCESS, PEOPLE), (REQUEST, ASKED), (PLATFORM, "x")]
)
def test_declared_state_must_be_a_plain_file(path: str, content: str) -> None:
    link = change_of(path, None, content, regular=False)
    with pytest.raises(BadRequestError) as caught:
        build_plan(change_set(link), POLICIES, READ)
    assert caught.value.code == "change.not_a_file"
    assert path in caught.value.fact


@pytest.mark.parametrize(
    "path",
    [
        "infra/environments/production/more/access.yaml",
        "infra/environments/production/more/flags.yaml",
        "infra/environments/elsewhere/flags.yaml",
        "infra/environments/production/flags.yml",
        "ops_actions/requests/production/access.yaml/x",
        "docs/../policies/x.rego",
        "policies/README.md",
    ],
)
def test_what_only_looks_declared_is_a_guardrail(path: str) -> None:
    (change,) = planned((path, None, "people: []\n")).changes
    assert (change.kind, change.environment) == (Kind.GUARDRAIL, "")


def test_a_file_s_content_is_bound_and_not_shown() -> None:
    secret = "canary-value"
    one, two = (planned(("docs/x.md", None, text)) for text in (secret, "other"))
    assert one.digest != two.digest
    assert secret not in str(one.changes[0].document())
