"""The document that the policies judge: facts and changes as JSON, nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ops_actions.clock import rfc3339
from ops_actions.plan.model import Kind, Risk, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops_actions.canonical import Json
    from ops_actions.decision.model import Facts, PullRequestFacts
    from ops_actions.plan.model import Change, Plan

SCHEMA: Final = "coh.policy-input/1"

_GUARDED_KINDS = frozenset({Kind.ACCESS, Kind.GUARDRAIL})
_DESTROYING_VERBS = frozenset({Verb.DELETE, Verb.REPLACE})


def input_document(plan: Plan, facts: Facts) -> dict[str, Json]:
    """Return a plan and its facts as the input of ``data.ops.main.decisions``.

    The shape is policies/schemas/input.json. Facts about the plan as a whole are counted here, so
    that a rule about one change needs no look at the others.

    Raises:
        ValueError: `facts.now` has no time zone.
    """
    return {
        "schema": SCHEMA,
        "policy_digest": plan.policy_digest,
        "plan_digest": plan.digest,
        "facts": _facts(plan, facts),
        "changes": change_documents(plan.changes),
    }


def change_documents(changes: Sequence[Change]) -> list[Json]:
    """Return changes as JSON, in the order given."""
    return [change.document() for change in changes]


def destructive_counts(plan: Plan) -> dict[str, int]:
    """Count the changes of a plan that destroy, by risk or verb, in each environment."""
    counts = Counter(
        change.environment
        for change in plan.changes
        if change.environment
        and (change.risk is Risk.DESTRUCTIVE or change.verb in _DESTROYING_VERBS)
    )
    return dict(sorted(counts.items()))


def _facts(plan: Plan, facts: Facts) -> dict[str, Json]:
    return {
        "phase": facts.phase.value,
        "now": rfc3339(facts.now),
        "pull_request": _pull_request(facts.pull_request),
        "gates": {
            name: {"declared": gate.declared, "live": gate.live}
            for name, gate in sorted(facts.gates.items())
        },
        "recent": None
        if facts.recent is None
        else {
            environment: {"environment": recent.environment, "author": recent.author}
            for environment, recent in sorted(facts.recent.items())
        },
        "plan": {
            "changes": len(plan.changes),
            "environments": list(plan.environments),
            "destructive": destructive_counts(plan),
            "guardrail_paths": sorted({c.path for c in plan.changes if c.kind in _GUARDED_KINDS}),
        },
    }


def _pull_request(pull: PullRequestFacts) -> dict[str, Json]:
    return {
        "number": pull.number,
        "author": pull.author.document(),
        "last_pusher": pull.last_pusher.document(),
        "head": pull.head,
        "base_branch": pull.base_branch,
        "from_fork": pull.from_fork,
        "draft": pull.draft,
        "merged": pull.merged,
        "mergeable": pull.mergeable,
        "reviews": [
            {"person": review.person.document(), "state": review.state, "commit": review.commit}
            for review in pull.reviews
        ],
    }
