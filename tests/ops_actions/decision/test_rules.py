from __future__ import annotations

import pytest

from ops_actions.decision.rules import Rule, explain
from ops_actions.errors import BadRequestError

RULES = {
    code: Rule(code, "t", "d", "error", "m", "s")
    for code in ("change.approvals", "flags.expiry", "actions.gate_on")
}


def test_known_rule_is_explained() -> None:
    assert explain(RULES, "flags.expiry").document() == {
        "code": "flags.expiry",
        "title": "t",
        "description": "d",
        "severity": "error",
        "message": "m",
        "solution": "s",
    }


def test_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(BadRequestError) as caught:
        explain(RULES, "change.approval")
    assert caught.value.code == "rule.unknown"
    assert "change.approvals" in caught.value.next_step
