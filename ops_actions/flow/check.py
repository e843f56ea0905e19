"""Judge a pull request and tell people: one commit status and one review card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops_actions.decision.model import (
    AccountKind,
    Decision,
    Facts,
    Outcome,
    Phase,
    PullRequestFacts,
    Violation,
)
from ops_actions.errors import BadRequestError, OutsideError, RefusedError
from ops_actions.flow.judge import Judge, decide_on, people_of, plan_between
from ops_actions.flow.policies import able_to_judge, refuse_broken_policies
from ops_actions.pull_request.card import REVIEW_CARD_MARKER, render_card
from ops_actions.pull_request.facts import collect, person
from ops_actions.pull_request.model import Account, CodeHost, PullRequestView, StatusState
from ops_actions.pull_request.problem import render_problem

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.plan.model import Plan

CONTEXT = "coh/check"
"""Name of the commit status; branch rules require it."""

_STATES = {
    Outcome.ALLOW: StatusState.SUCCESS,
    Outcome.NEEDS_APPROVAL: StatusState.PENDING,
    Outcome.DENY: StatusState.FAILURE,
}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        card_url: the review card for people; None when nothing was posted.
    """

    plan: Plan
    decision: Decision
    facts: Facts
    card_url: str | None


def check_pull_request(judge: Judge, host: CodeHost, number: int, now: datetime) -> CheckReport:
    """Judge a pull request as it is now and post the verdict on its head.

    What stops it before the policies are asked is posted as a failure all the same, so that no
    older verdict stays.

    Raises:
        BadRequestError: what it asks for can't be read.
        RefusedError: ``gate.broken_policies``, ``gate.other_branch`` and what `people_of` refuses.
        OutsideError: an outside system failed.
    """
    view = host.pull_request(number)
    try:
        tip = _base(judge, host, view)
        cut = judge.repository.merge_base(tip, view.head)
        base = able_to_judge(judge, tip)
        plan = plan_between(judge, cut, view.head, base)
        refuse_broken_policies(judge, cut, view.head)
    except (BadRequestError, RefusedError, OutsideError) as error:
        host.post_status(view.head, StatusState.FAILURE, CONTEXT, _short(error.code), view.url)
        host.upsert_comment(number, REVIEW_CARD_MARKER, render_problem(error, view.head))
        raise
    request = collect(
        view,
        host.reviews(number),
        host.last_pusher(number),
        people_of(judge, plan, base),
        now,
    )
    decision, facts = decide_on(
        judge, plan, phase=Phase.CHECK, commit=base, request=request, now=now
    )
    decision = _bound(judge, cut, plan, decision)
    comment = host.upsert_comment(
        number, REVIEW_CARD_MARKER, render_card(plan, decision, facts.pull_request)
    )
    host.post_status(view.head, _STATES[decision.outcome], CONTEXT, _words(decision), comment.url)
    return CheckReport(plan, decision, facts, comment.url)


def check_commits(
    judge: Judge, base: str, head: str, login: str | None, now: datetime
) -> CheckReport:
    """Judge what a branch would ask for, before there is a pull request; posts nothing.

    Args:
        judge: repository, policies and engine.
        base: commit whose policies and people judge.
        head: commit to be judged.
        login: GitHub login of the person who would raise it; None for nobody known.
        now: the moment of the decision.

    Raises:
        BadRequestError: what it asks for can't be read.
        RefusedError: ``gate.broken_policies``; what `people_of` refuses.
    """
    cut = judge.repository.merge_base(base, head)
    base = able_to_judge(judge, base)
    plan = plan_between(judge, cut, head, base)
    refuse_broken_policies(judge, cut, head)
    account = Account(login.lower(), AccountKind.USER) if login else None
    author = person(account or Account("", AccountKind.UNKNOWN), people_of(judge, plan, base), now)
    request = PullRequestFacts(
        number=0,
        author=author,
        last_pusher=author,
        head=head,
        base_branch="main",
        from_fork=False,
        draft=False,
        merged=False,
        mergeable=True,
        reviews=(),
    )
    decision, facts = decide_on(
        judge, plan, phase=Phase.CHECK, commit=base, request=request, now=now
    )
    return CheckReport(plan, decision, facts, None)


def _base(judge: Judge, host: CodeHost, view: PullRequestView) -> str:
    """Return the commit that the change would come on top of now.

    GitHub's own ``base.sha`` stays where it was when the branch was pushed; gates, people and
    policies count as they are on main today.
    """
    if view.merge_commit is not None:
        return judge.repository.first_parent(view.merge_commit)
    tip = host.default_branch_tip()
    if view.base_branch != tip.name:
        raise RefusedError(
            "gate.other_branch",
            f"pull request {view.number} goes to {view.base_branch}, only {tip.name} is applied",
            f"change its base to {tip.name}",
        )
    return tip.commit


def _bound(judge: Judge, cut: str, plan: Plan, decision: Decision) -> Decision:
    """Say early what apply would say: approvals given under older policies do not count."""
    if judge.bundles.at(able_to_judge(judge, cut)).digest == plan.policy_digest:
        return decision
    moved = Violation(
        code="gate.policies_moved",
        severity="error",
        message="The policies on main changed after this branch was cut",
        solution="Update the branch; it is then checked under the policies that will judge it",
        target="",
    )
    return replace(decision, outcome=Outcome.DENY, violations=(moved, *decision.violations))


def _words(decision: Decision) -> str:
    if decision.outcome is Outcome.ALLOW:
        return "Allowed"
    if decision.outcome is Outcome.NEEDS_APPROVAL:
        missing = [need for need in decision.distinct_approvals if need.have < need.count]
        return _short(
            "Waiting for " + ", ".join(f"{n.count - n.have} approval by {n.role}" for n in missing)
        )
    return _short("Refused: " + ", ".join(sorted({v.code for v in decision.violations})))


def _short(text: str) -> str:
    """Cut to what GitHub takes as a status description: 140 characters."""
    return text if len(text) <= 140 else text[:139] + "…"  # noqa: PLR2004 - GitHub's limit
