"""The documents that Python writes and the ones that Rego tests use have one shape."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from ops_actions.decision.document import input_document
from ops_actions.decision.model import Facts, Phase
from ops_actions.plan.model import Kind, Plan
from tests.policies.support import (
    MARA,
    POLICIES,
    approval,
    facts,
    flag,
    path_change,
    plan,
    rollback,
    run_opa,
)

SCHEMA = json.loads((POLICIES / "schemas" / "input.json").read_bytes())
DOCUMENT = jsonschema.Draft7Validator(SCHEMA)

PLANS = {
    "nothing": plan(),
    "flags": plan(flag(), flag("ops_module_audit_feed")),
    "action": plan(rollback()),
    "rules": plan(path_change("policies/config/owners/data.yaml", Kind.GUARDRAIL)),
    "documents": plan(path_change("docs/runbook.md", Kind.DOCUMENT)),
}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("asked", PLANS.values(), ids=PLANS)
def test_python_writes_what_the_schema_says(asked: Plan, phase: Phase) -> None:
    known: Facts = facts(approval(MARA), phase=phase)
    DOCUMENT.validate(input_document(asked, known))


def test_the_schema_refuses_a_key_that_it_does_not_know() -> None:
    document: dict[str, Any] = dict(input_document(plan(flag()), facts()))
    document["facts"]["weather"] = "fine"
    with pytest.raises(jsonschema.ValidationError, match="weather"):
        DOCUMENT.validate(document)


@pytest.mark.parametrize("name", ["flag", "action", "guardrail", "document"])
def test_rego_tests_use_what_the_schema_says(name: str) -> None:
    query = f"data.ops.lib.fixtures.{name}"
    done = run_opa("eval", "--bundle", str(POLICIES), "--format", "json", query)
    value = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    DOCUMENT.validate({**value, "changes": [value["change"]]})
