from __future__ import annotations

from dataclasses import replace

import pytest

from ops_actions.decision.document import destructive_counts, input_document
from ops_actions.decision.model import Phase
from ops_actions.plan.model import Kind, Risk, Verb
from tests.policies.support import (
    GATE,
    HEAD,
    MARA,
    approval,
    facts,
    flag,
    path_change,
    plan,
    rollback,
)


def test_the_whole_document() -> None:
    asked = plan(rollback())
    known = facts(approval(MARA), phase=Phase.APPLY)
    tariq = {
        "login": "tariq-noor",
        "kind": "user",
        "sub": "auth0|tariq-noor",
        "roles": ["ops_editor"],
    }
    mara = {**tariq, "login": "mara-lind", "sub": "auth0|mara-lind", "roles": ["ops_admin"]}
    quiet = {"environment": 0, "author": 0}
    assert input_document(asked, known) == {
        "schema": "coh.policy-input/1",
        "policy_digest": asked.policy_digest,
        "plan_digest": asked.digest,
        "facts": {
            "phase": "apply",
            "now": "2026-11-24T09:00:00.000000Z",
            "pull_request": {
                "number": 7,
                "author": tariq,
                "last_pusher": tariq,
                "head": HEAD,
                "base_branch": "main",
                "from_fork": False,
                "draft": False,
                "merged": True,
                "mergeable": True,
                "reviews": [{"person": mara, "state": "APPROVED", "commit": HEAD}],
            },
            "gates": {GATE: {"declared": True, "live": True}},
            "recent": {"production": quiet, "sandbox": quiet, "staging": quiet},
            "plan": {
                "changes": 1,
                "environments": ["production"],
                "destructive": {"production": 1},
                "guardrail_paths": [],
            },
        },
        "changes": [rollback().document()],
    }


def test_an_audit_log_that_was_not_asked_is_null() -> None:
    document = input_document(plan(flag()), facts())
    assert document["facts"]["recent"] is None  # type: ignore[index,call-overload]


def test_destruction_counts_by_risk_or_verb_per_environment() -> None:
    safe = replace(flag(), risk=Risk.SAFE)
    asked = plan(
        safe,
        replace(safe, target="a", verb=Verb.DELETE),
        replace(safe, target="b", verb=Verb.REPLACE),
        replace(safe, target="c", risk=Risk.DESTRUCTIVE, environment="staging"),
        replace(path_change("old.md", Kind.DOCUMENT), verb=Verb.DELETE),
    )
    assert destructive_counts(asked) == {"production": 2, "staging": 1}


def test_people_and_rules_are_guarded_paths() -> None:
    asked = plan(
        flag(),
        path_change("docs/a.md", Kind.DOCUMENT),
        path_change("scripts/lint", Kind.GUARDRAIL),
        path_change("infra/environments/production/access.yaml", Kind.ACCESS),
        replace(path_change("infra/environments/production/access.yaml", Kind.ACCESS), target="x"),
    )
    document = input_document(asked, facts())
    assert document["facts"]["plan"]["guardrail_paths"] == [  # type: ignore[index,call-overload]
        "infra/environments/production/access.yaml",
        "scripts/lint",
    ]


def test_a_moment_without_a_zone_is_refused() -> None:
    known = facts()
    with pytest.raises(ValueError, match="time zone"):
        input_document(plan(flag()), replace(known, now=known.now.replace(tzinfo=None)))
