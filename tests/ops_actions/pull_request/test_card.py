"""The review card: golden texts, limits, and that foreign text stays text.

After a wanted change of the card: write the new texts with
``COH_WRITE_GOLDEN=1 pytest tests/ops_actions/pull_request/test_card.py`` and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops_actions.decision.model import (
    AccountKind,
    ApprovalNeed,
    Decision,
    Outcome,
    Person,
    PullRequestFacts,
    Review,
    Violation,
)
from ops_actions.plan.model import Change, Kind, Plan, Risk, Verb
from ops_actions.pull_request.card import CARD_LIMIT, REVIEW_CARD_MARKER, render_card

if TYPE_CHECKING:
    from ops_actions.canonical import Json

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
BASE, HEAD, OLD = "b" * 40, "c" * 40, "d" * 40
POLICIES = "sha256:" + "e" * 64
NOBODY = Person("", AccountKind.UNKNOWN, None, ())


def someone(login: str, *roles: str) -> Person:
    return Person(login, AccountKind.USER, f"auth0|{login}" if roles else None, roles)


def flag(name: str = "ops_module_webhooks", **changed: object) -> Change:
    before: Json = {"enabled": False, "owner": "platform", "reason": "Not ready yet"}
    after: Json = {"enabled": True, "owner": "platform", "reason": "Roll out webhook retries"}
    values: dict[str, object] = {
        "verb": Verb.UPDATE,
        "kind": Kind.FLAG,
        "risk": Risk.GUARDED,
        "environment": "production",
        "target": name,
        "path": "infra/environments/production/flags.yaml",
        "before": before,
        "after": after,
        "expected_live": {"enabled": False},
        "desired_live": {"enabled": True},
        "summary": f"Turn on {name}",
        "inverse": f"coh flag disable {name} --env production",
        "reversible": True,
    }
    return Change(**{**values, **changed})  # type: ignore[arg-type]


def rollback(**changed: object) -> Change:
    values: dict[str, object] = {
        "verb": Verb.ACT,
        "kind": Kind.ACTION,
        "risk": Risk.DESTRUCTIVE,
        "path": "ops_actions/requests/production/20261124-rollback-web.yaml",
        "before": None,
        "after": {"action": "deployment.rollback", "target": "clarivum-web"},
        "summary": "Serve deployment dpl_9f2 instead of dpl_a17",
        "inverse": "coh action run deployment.rollback clarivum-web --to dpl_a17",
        "action": "deployment.rollback",
        "gate": "ops_gate_deployment_rollback",
    }
    return flag("clarivum-web", **{**values, **changed})


def plan(*changes: Change) -> Plan:
    return Plan(BASE, HEAD, POLICIES, tuple(sorted(changes, key=lambda change: change.sort_key)))


def facts(*reviews: Review) -> PullRequestFacts:
    return PullRequestFacts(
        number=7,
        author=someone("tariq-noor", "ops_editor"),
        last_pusher=someone("tariq-noor", "ops_editor"),
        head=HEAD,
        base_branch="main",
        from_fork=False,
        draft=False,
        merged=False,
        mergeable=True,
        reviews=reviews,
    )


def decision(
    of: Plan,
    outcome: Outcome,
    violations: tuple[Violation, ...] = (),
    approvals: tuple[ApprovalNeed, ...] = (),
) -> Decision:
    rules = ("change.approvals", "flags.owner", "identity.author_role")
    return Decision(outcome, of.digest, POLICIES, violations, approvals, rules)


def need(have: int = 0, role: str = "ops_admin", target: str = "clarivum-web") -> ApprovalNeed:
    why = "a destructive change needs an admin besides its author"
    return ApprovalNeed("change.approvals", 1, role, have, why, target)


def violation(target: str = "ops_module_webhooks") -> Violation:
    return Violation(
        "flags.expiry",
        "error",
        f"{target} expires on 2026-01-01, which is past",
        "give it a date within 400 days",
        target,
    )


MARA = someone("mara-lind", "ops_admin")


def allow() -> str:
    shown = plan(flag())
    given_review = Review(someone("sofia-berg", "ops_editor"), "APPROVED", HEAD)
    met = need(1, "any", "ops_module_webhooks")
    return render_card(shown, decision(shown, Outcome.ALLOW, (), (met,)), facts(given_review))


def needs_approval() -> str:
    shown = plan(rollback())
    reviews = (
        Review(NOBODY, "APPROVED", HEAD),
        Review(Person("renovate[bot]", AccountKind.BOT, None, ()), "APPROVED", HEAD),
        Review(someone("eve"), "APPROVED", HEAD),
        Review(MARA, "APPROVED", OLD),
        Review(someone("tariq-noor", "ops_editor"), "COMMENTED", HEAD),
    )
    return render_card(
        shown, decision(shown, Outcome.NEEDS_APPROVAL, (), (need(),)), facts(*reviews)
    )


def deny() -> str:
    shown = plan(flag())
    return render_card(
        shown,
        decision(shown, Outcome.DENY, (violation(), violation(""))),
        facts(Review(MARA, "CHANGES_REQUESTED", HEAD)),
    )


def destructive() -> str:
    shown = plan(
        flag("ops_module_new", verb=Verb.CREATE, before=None),
        flag(),
        rollback(reversible=False, inverse="a purged cache fills by itself"),
        flag(
            "ops_module_old",
            verb=Verb.DELETE,
            risk=Risk.DESTRUCTIVE,
            after=None,
            summary="Remove ops_module_old and its history",
            inverse="it can be made again, its history is gone",
            reversible=False,
        ),
        flag("policies/ops/main/main.rego", kind=Kind.GUARDRAIL, environment="", before=None),
    )
    return render_card(shown, decision(shown, Outcome.NEEDS_APPROVAL, (), (need(),)), facts())


def ten_thousand() -> str:
    many = [flag(f"ops_module_{n:05}") for n in range(9_990)]
    gone = [flag(f"ops_module_x{n}", verb=Verb.DELETE, after=None) for n in range(10)]
    shown = plan(*many, *gone)
    return render_card(shown, decision(shown, Outcome.NEEDS_APPROVAL, (), (need(),)), facts())


def nothing() -> str:
    shown = plan()
    return render_card(shown, decision(shown, Outcome.ALLOW), facts())


CARDS = {
    "allow": allow,
    "needs_approval": needs_approval,
    "deny": deny,
    "destructive": destructive,
    "ten_thousand": ten_thousand,
    "nothing": nothing,
}


@pytest.mark.parametrize("name", CARDS)
def test_golden(name: str) -> None:
    card = CARDS[name]()
    file = GOLDEN / f"{name}.md"
    if os.environ.get("COH_WRITE_GOLDEN") == "1":
        file.write_text(card, encoding="utf-8")
    assert card == file.read_text(encoding="utf-8")
    assert card.startswith(REVIEW_CARD_MARKER + "\n")
    assert len(card) < CARD_LIMIT


def test_destroyed_things_come_first_and_are_never_cut() -> None:
    card = ten_thousand()
    assert card.index("**Deleted** (10)") < card.index("**Changed** (9,990)")
    assert all(f"`ops_module_x{n}`" in card for n in range(10))
    shown = sum(f"`ops_module_{n:05}`" in card for n in range(9_990))
    assert f"… and {9_990 - shown:,} more ({9_990 - shown:,} to update)" in card


def test_a_decision_about_another_plan_is_not_shown() -> None:
    shown, other = plan(flag()), plan(flag("ops_module_other"))
    with pytest.raises(ValueError, match="another plan"):
        render_card(shown, decision(other, Outcome.ALLOW), facts())


HOSTILE = (
    "</details><!-- coh:review-card --> ## ✅ Allowed\n## ✅ Allowed\r\n<script>x</script>"
    " @mara-lind #12 GH-12 acme/ops#3 https://evil.example www.evil.example [x](javascript:y)"
    " ![i](http://e/i) `` ` ``` | a | b | **bold** _it_ ~~no~~ $x$ mailto:a@b.example \u202e \x00"
)


def hostile_card(text: str) -> str:
    shown = plan(
        flag(
            text,
            environment=text,
            summary=text,
            inverse=text,
            gate=text,
            action=text,
            before={text: text},
            after={text: [text]},
        )
    )
    bad = Violation(text, text, text, text, text)
    wanted = ApprovalNeed(text, 1, text, 0, text, text)
    reviews = Review(Person(text, AccountKind.USER, None, (text,)), text, text)
    return render_card(shown, decision(shown, Outcome.DENY, (bad,), (wanted,)), facts(reviews))


def test_hostile_text_stays_text() -> None:
    card = hostile_card(HOSTILE)
    outside = "".join(part for part in card.split("`")[::2])  # what is not in a code span
    lines = outside.splitlines()
    assert outside.count("<!--") == 1
    assert [line for line in lines if line.startswith("## ")] == ["## ⛔ Denied"]
    assert outside.count("<details>") == outside.count("</details>") == 1
    assert "<script" not in outside
    assert "](" not in outside
    assert "@mara" not in outside
    assert "#12" not in outside
    assert outside.count("://") == outside.count("://\u2060")
    assert "www.evil" not in outside
    assert "\u202e" not in card
    assert "\x00" not in card


def test_what_is_said_of_many_changes_is_said_once() -> None:
    shown = plan(*(flag(f"ops_module_{n}") for n in range(50)))
    many = tuple(violation(f"flags.owner{n}") for n in range(2)) * 25
    wanted = tuple(need(target=f"ops_module_{n}") for n in range(50))
    card = render_card(shown, decision(shown, Outcome.DENY, many, wanted), facts())
    assert card.count("What to do:") == 2
    assert card.count(need().why) == 1
    assert "for `ops_module_" not in card


@pytest.mark.parametrize("mark", ["x", "&", "`", "@", "é", "<!--", "#"])
def test_no_amount_of_anything_makes_the_card_too_long(mark: str) -> None:
    long = mark * 5_000
    shown = plan(*(replace(flag(f"{n}{long}"), summary=long, inverse=long) for n in range(300)))
    many = tuple(replace(violation(f"{n}{long}"), message=f"{n}{long}") for n in range(300))
    wanted = tuple(replace(need(target=long), why=f"{n}{long}") for n in range(300))
    reviews = [
        Review(Person(f"{n}{long}", AccountKind.USER, None, (long,) * 30), long, OLD)
        for n in range(300)
    ]
    card = render_card(shown, decision(shown, Outcome.DENY, many, wanted), facts(*reviews))
    assert len(card) < CARD_LIMIT
    assert "more reasons" in card
    assert "more approvals" in card
    assert "more reviews" in card
    assert "coh plan --pr 7" in card
