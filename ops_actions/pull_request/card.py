"""The review card: one comment from which a reviewer can approve without opening anything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ops_actions.canonical import canonical_text
from ops_actions.decision.model import AccountKind, Outcome
from ops_actions.plan.model import Kind, Risk, Verb
from ops_actions.pull_request.markdown import code, fit, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.canonical import Json
    from ops_actions.decision.model import (
        ApprovalNeed,
        Decision,
        PullRequestFacts,
        Review,
        Violation,
    )
    from ops_actions.plan.model import Change, Plan

REVIEW_CARD_MARKER = "<!-- coh:review-card -->"
"""First line of the card; only a comment of our own account that begins with it is the card."""

CARD_LIMIT = 60_000
"""Most characters of a card; GitHub refuses a comment of more than 65,536."""

# Together with headings and digests these stay below the limit, whatever the plan holds.
_VIOLATIONS_BUDGET = 15_000
_APPROVALS_BUDGET = 7_000
_REVIEWS_BUDGET = 5_000
_CHANGES_BUDGET = 28_000
_FIELDS_SHOWN = 6
_SHORT = 7  # digits of a commit id that people compare

_VERDICT = {
    Outcome.ALLOW: "✅ Allowed",
    Outcome.NEEDS_APPROVAL: "⏳ Needs approval",
    Outcome.DENY: "⛔ Denied",
}
_DESTROYING = (Verb.DELETE, Verb.REPLACE)
_HEADING = {
    Verb.DELETE: "Deleted",
    Verb.REPLACE: "Deleted and made anew",
    Verb.ACT: "Done once",
    Verb.UPDATE: "Changed",
    Verb.CREATE: "Created",
}
_REVIEW_WORDS = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "asked for changes",
    "COMMENTED": "commented",
    "DISMISSED": "had the review dismissed",
}


def render_card(plan: Plan, decision: Decision, facts: PullRequestFacts) -> str:
    """Return the review card in Markdown; equal arguments give equal text.

    Args:
        plan: what will happen.
        decision: the answer on exactly this plan.
        facts: the pull request, people matched with the people list of the base commit.

    Raises:
        ValueError: the decision is about another plan.
    """
    if decision.plan_digest != plan.digest:
        raise ValueError("the decision is about another plan than the one on the card")
    blocks = [
        REVIEW_CARD_MARKER,
        f"## {_VERDICT[decision.outcome]}",
        _overview(plan),
        *_violations(decision),
        *_changes(plan, facts.number),
        *_approvals(decision, facts),
        *_next(decision, facts),
        *_digests(plan, decision, facts),
    ]
    return "\n".join(blocks) + "\n"


def _overview(plan: Plan) -> str:
    if not plan.changes:
        return "\nNothing will change."
    destroying = sum(
        change.verb in _DESTROYING or change.risk is Risk.DESTRUCTIVE for change in plan.changes
    )
    final = sum(not change.reversible for change in plan.changes)
    where = ", ".join(code(name) for name in plan.environments) or "no environment"
    parts = [
        f"**{_count(len(plan.changes), 'change')}** in {where}",
        f"worst risk **{plan.risk.value}**",
        f"**{_number(destroying)} destructive**" if destroying else "nothing destructive",
        f"**{_number(final)} can't be taken back**" if final else "everything can be taken back",
    ]
    return "\n" + " · ".join(parts)


def _violations(decision: Decision) -> list[str]:
    if not decision.violations:
        return []
    blocks = fit(map(_violation, decision.distinct_violations), _VIOLATIONS_BUDGET)
    left = len(decision.distinct_violations) - len(blocks)
    return ["\n### Why not\n", *blocks, *_left_out(left, "reason")]


def _violation(violation: Violation) -> str:
    about = f" ({code(violation.target)})" if violation.target else ""
    return (
        f"- {code(violation.code)}{about} {prose(violation.message)}\n"
        f"  - What to do: {prose(violation.solution)}"
    )


def _approvals(decision: Decision, facts: PullRequestFacts) -> list[str]:
    needs = fit(map(_need, decision.distinct_approvals), _APPROVALS_BUDGET)
    given = fit((_review(item, facts) for item in facts.reviews), _REVIEWS_BUDGET)
    needs_left = len(decision.distinct_approvals) - len(needs)
    given_left = len(facts.reviews) - len(given)
    if not decision.approvals:
        needs = ["- Nobody: no rule asks for an approval."]
        if decision.outcome is Outcome.DENY:
            needs = ["- Not worked out: the request is denied as it is."]
    return [
        "\n### Who must approve\n",
        *needs,
        *_left_out(needs_left, "approval"),
        "\n### Who reviewed\n",
        *(given if facts.reviews else ["- Nobody yet."]),
        *_left_out(given_left, "review"),
    ]


def _need(need: ApprovalNeed) -> str:
    who = "any role" if need.role == "any" else code(need.role)
    missing = max(need.count - need.have, 0)
    state = f"**{_number(missing)} missing**" if missing else "met"
    about = f" for {code(need.target)}" if need.target else ""
    return (
        f"- {_number(need.have)} of {_number(need.count)} with {who}{about}, {state}: "
        f"{prose(need.why)} ({code(need.code)})"
    )


def _review(review: Review, facts: PullRequestFacts) -> str:
    person = review.person
    who = code(person.login) if person.login else "A deleted account"
    words = _REVIEW_WORDS.get(review.state, f"answered {code(review.state, 30)}")
    notes = []
    if review.commit != facts.head:
        notes.append(f"for the earlier commit {code(review.commit[:_SHORT] or 'unknown')}")
    if person.login and person.login == facts.author.login:
        notes.append("is the author")
    if person.login and person.login == facts.last_pusher.login:
        notes.append("pushed last")
    if person.kind is AccountKind.BOT:
        notes.append("is a bot")
    elif person.kind is AccountKind.UNKNOWN:
        notes.append("can't be identified")
    elif person.sub is None:
        notes.append("is not in the people list")
    roles = ", ".join(code(role) for role in person.roles)
    if roles:
        notes.append(f"holds {roles}")
    return f"- {who} {words}" + (f"; {'; '.join(notes)}" if notes else "")


def _changes(plan: Plan, number: int) -> list[str]:
    if not plan.changes:
        return []
    shown = fit(_change_blocks(plan), _CHANGES_BUDGET)
    left = len(plan.changes) - len(shown)
    more = []
    if left:
        rest = Counter(change.verb for change in plan.changes[len(shown) :])
        words = ", ".join(f"{_number(rest[verb])} to {verb.value}" for verb in Verb if rest[verb])
        more = [f"\n… and {_number(left)} more ({words}). See all: `coh plan --pr {number}`"]
    return ["\n### What will happen", *shown, *more]


def _change_blocks(plan: Plan) -> Iterator[str]:
    totals = Counter(change.verb for change in plan.changes)
    before: Verb | None = None
    for change in plan.changes:
        heading = f"\n**{_HEADING[change.verb]}** ({_number(totals[change.verb])})\n\n"
        yield (heading if change.verb is not before else "") + _change(change)
        before = change.verb


def _change(change: Change) -> str:
    where = f" in {code(change.environment)}" if change.environment else ""
    what = change.kind.value if change.action is None else code(change.action)
    back = "Take back" if change.reversible else "**Can't be taken back**"
    lines = [
        f"- {what} {code(change.target)}{where} · risk **{change.risk.value}**",
        f"  - {prose(change.summary)}",
        *_reason(change),
        *_fields(change),
        f"  - {back}: {_command_or_prose(change.inverse)}",
    ]
    if change.gate is not None:
        lines.append(f"  - Needs the gate {code(change.gate)} to be on")
    return "\n".join(lines)


def _command_or_prose(text: str) -> str:
    # A command is there to be copied, so it must not hold the escapes of prose.
    return code(text, 300) if text.startswith(("coh ", "scripts/coh ")) else prose(text)


def _reason(change: Change) -> list[str]:
    """Show why it is asked for, where the moved fields don't show it already."""
    if isinstance(change.before, Mapping) or not isinstance(change.after, Mapping):
        return []
    reason, incident = change.after.get("reason"), change.after.get("incident")
    if not isinstance(reason, str):
        return []
    about = f" ({code(incident)})" if isinstance(incident, str) else ""
    return [f"  - Why: {prose(reason)}{about}"]


def _fields(change: Change) -> list[str]:
    if not isinstance(change.before, Mapping) or not isinstance(change.after, Mapping):
        return []
    names = sorted(change.before.keys() | change.after.keys())
    moved = [n for n in names if change.before.get(n) != change.after.get(n)]
    lines = [
        f"  - {code(name, 40)}: {_value(change.before, name)} → {_value(change.after, name)}"
        for name in moved[:_FIELDS_SHOWN]
    ]
    return lines + [f"  {line}" for line in _left_out(len(moved) - len(lines), "field")]


def _value(document: Mapping[str, Json], name: str) -> str:
    return code(canonical_text(document[name])) if name in document else "nothing"


def _next(decision: Decision, facts: PullRequestFacts) -> list[str]:
    check = f"`coh check --pr {facts.number}`"
    if decision.outcome is Outcome.DENY:
        step = "Push a correction"
        if decision.violations:
            rule = code(f"coh explain {decision.violations[0].code}")
            step = f"Read the rule with {rule}, push a correction"
        text = f"{step}, then run {check}."
    elif decision.outcome is Outcome.NEEDS_APPROVAL:
        head = code(facts.head[:_SHORT])
        text = f"Approve this pull request at {head}, then run {check}. A new push voids approvals."
    else:
        text = "Merge this pull request; the merged commit is checked again and then applied."
    return ["\n### Next\n", text]


def _digests(plan: Plan, decision: Decision, facts: PullRequestFacts) -> list[str]:
    lines = [
        f"- plan {code(decision.plan_digest)}",
        f"- policies {code(decision.policy_digest)}, {_count(len(decision.rules), 'rule')}",
        f"- head {code(facts.head)}",
        f"- base {code(plan.base)}",
    ]
    kinds = {change.kind for change in plan.changes}
    if Kind.GUARDRAIL in kinds:
        lines.append("- judged by the policies and people of the base commit, not by the new ones")
    return ["\n<details><summary>What the approval covers</summary>\n", *lines, "\n</details>"]


def _left_out(left: int, noun: str) -> list[str]:
    return [f"- … and {_count(left, f'more {noun}')}"] if left > 0 else []


def _count(number: int, noun: str) -> str:
    return f"{_number(number)} {noun}" + ("" if number == 1 else "s")


def _number(number: int) -> str:
    return f"{number:,}"
