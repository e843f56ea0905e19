from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops_actions.adapters.opa_inspect import read_rules
from ops_actions.decision.bundle import rule_codes
from ops_actions.errors import OutsideError

POLICIES = Path(__file__).parents[3] / "policies"


def test_every_rule_is_there_in_words() -> None:
    rules = read_rules(Path(os.environ["COH_OPA"]), POLICIES)
    assert set(rules) == rule_codes(POLICIES)
    for rule in rules.values():
        assert all((rule.title, rule.description, rule.severity, rule.message, rule.solution))


@pytest.mark.parametrize("engine", ["/bin/false", "/nonexistent/opa", "/bin/echo"])
def test_an_engine_that_does_not_answer_is_an_outside_error(engine: str) -> None:
    with pytest.raises(OutsideError) as caught:
        read_rules(Path(engine), POLICIES)
    assert caught.value.code == "engine.failed"
