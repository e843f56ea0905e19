from __future__ import annotations

import pytest

from ops_actions.errors import BadRequestError
from ops_actions.plan.action import action_change
from ops_actions.plan.model import Kind, Risk, Verb
from tests.ops_actions.plan.plan_world import change_of

PATH = "ops_actions/requests/production/20261123-rollback-web.yaml"
ASKED = """action: deployment.rollback
target: clarivum-web
params: {to: dpl_9f2, expect_current: dpl_a17}
reason: Error rate 7 %
not_after: 2026-11-23T18:00:00Z
confirm: clarivum-web
"""


def test_a_new_request_is_an_act_between_two_states() -> None:
    change = action_change(change_of(PATH, None, ASKED), "production")
    assert (change.verb, change.kind, change.risk) == (Verb.ACT, Kind.ACTION, Risk.DESTRUCTIVE)
    assert (change.action, change.gate) == ("deployment.rollback", "ops_gate_deployment_rollback")
    assert (change.target, change.before) == ("clarivum-web", None)
    assert change.expected_live == {"deployment": "dpl_a17"}
    assert change.desired_live == {"deployment": "dpl_9f2"}
    assert isinstance(change.after, dict)
    assert change.after["not_after"] == "2026-11-23T18:00:00.000000Z"
    assert change.reversible


def test_an_edited_request_keeps_what_was_merged_for_the_policies_to_see() -> None:
    edited = ASKED.replace("dpl_9f2", "dpl_000")
    change = action_change(change_of(PATH, ASKED, edited), "production")
    assert change.verb is Verb.ACT
    assert isinstance(change.before, dict)
    assert change.before != change.after


def test_a_removed_request_is_a_delete() -> None:
    change = action_change(change_of(PATH, ASKED, None), "production")
    assert (change.verb, change.after) == (Verb.DELETE, None)
    assert change.before is not None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "request.empty"),
        (ASKED.replace("deployment.rollback", "deployment.explode"), "request.unknown_action"),
        (ASKED.replace("dpl_9f2", "latest"), "request.params"),
        (ASKED + "more: 1\n", "request.invalid"),
    ],
)
def test_a_request_that_can_not_be_read_is_refused(content: str | None, code: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        action_change(change_of(PATH, None, content), "production")
    assert caught.value.code == code
