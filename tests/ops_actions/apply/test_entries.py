from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ops_actions.apply.entries import (
    NOBODY,
    REPOSITORY,
    intent,
    outcome,
    refusal,
    refusal_told,
    settlement,
    told,
)
from ops_actions.apply.protocol import LockState
from ops_actions.audit.entry import AuditEntry, Phase
from ops_actions.errors import RefusedError
from ops_actions.plan.model import Kind
from tests.ops_actions.apply.simulator import ATTEMPT, COMMIT, OFF, ON, flag_change, run

if TYPE_CHECKING:
    from ops_actions.canonical import Json

DENIED = RefusedError("flags.owner", "no owner", "write one")


def refused(**other: Any) -> AuditEntry:  # noqa: ANN401 - any argument
    given: dict[str, Any] = {
        "commit": COMMIT,
        "environment": "production",
        "actor": ("tariq-noor", "auth0|tariq"),
        "attempt": ATTEMPT,
        "error": DENIED,
        "digests": ("sha256:1", "sha256:2"),
    }
    return refusal(**{**given, **other})


def test_an_intent_says_who_what_and_how_to_take_it_back() -> None:
    entry = intent(run(flag_change("a")), flag_change("a"), ATTEMPT)
    assert (entry.phase, entry.result, entry.action) == (Phase.INTENT, "intended", "flag.update")
    assert (entry.actor_sub, entry.actor_login) == ("auth0|tariq", "tariq-noor")
    assert (entry.change_id, entry.commit) == (COMMIT, COMMIT)
    assert entry.detail["approvers"] == ["sofia-berg"]
    assert entry.detail["pull_request"] == 7
    assert (entry.detail["expected"], entry.detail["desired"]) == (OFF, ON)
    assert entry.detail["inverse"] == "change a back"


def test_an_entry_about_no_environment_is_about_the_repository() -> None:
    changing = flag_change("docs/x.md", None, None, Kind.DOCUMENT)
    object.__setattr__(changing, "environment", "")
    assert intent(run(changing), changing, ATTEMPT).environment == REPOSITORY


@pytest.mark.parametrize("live", [OFF, None, {"unreadable": "outside.test"}])
def test_keys_repeat_only_when_the_same_thing_was_seen(live: Json) -> None:
    what = run(flag_change("a"), flag_change("b"))
    one, two = what.changes
    first = outcome(what, one, "done", ATTEMPT, ON)
    assert first == outcome(what, one, "done", ATTEMPT, ON)
    keys = {
        first.key,
        outcome(what, one, "done", ATTEMPT, live).key,
        outcome(what, one, "not_done", ATTEMPT, ON).key,
        outcome(what, two, "done", ATTEMPT, ON).key,
        outcome(what, one, "done", f"{COMMIT}#2", ON).key,
        intent(what, one, ATTEMPT).key,
        intent(what, one, f"{COMMIT}#2").key,
    }
    assert len(keys) == 7


def test_a_refusal_for_another_reason_is_another_entry() -> None:
    assert refused() == refused()
    others = [
        refused(error=RefusedError("flags.expiry", "no owner", "write one")),
        refused(error=RefusedError("flags.owner", "another fact", "write one")),
        refused(digests=("sha256:3", "sha256:2")),
        refused(attempt=f"{COMMIT}#2"),
    ]
    assert len({refused().key, *(entry.key for entry in others)}) == 5


def test_a_refusal_without_a_known_author_names_nobody() -> None:
    entry = refused(actor=("", ""), environment="", digests=("", ""))
    assert (entry.actor_sub, entry.actor_login, entry.environment) == (NOBODY, None, REPOSITORY)
    assert (entry.plan_digest, entry.policy_digest) == (None, None)
    assert (entry.result, entry.detail["fact"]) == ("flags.owner", "no owner")


def test_a_settlement_says_who_gave_up_and_why() -> None:
    lock = LockState("production", COMMIT, "worker", "undecidable", "no answer")
    entry = settlement(
        lock, "mara-lind", "Vercel shows the old one", datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert (entry.phase, entry.result, entry.actor_login) == (Phase.SETTLE, "given_up", "mara-lind")
    assert entry.actor_sub == "github|mara-lind"
    assert entry.detail == {
        "reason": "Vercel shows the old one",
        "lock": "undecidable",
        "note": "no answer",
    }


def test_what_people_wrote_is_no_markup_and_no_address_in_a_message() -> None:
    evil = "<!channel> <https://evil.example|click> & jane@example.org"
    refused = refusal_told(ATTEMPT, COMMIT, RefusedError("gate.x", evil, "next")).text
    done = told(run(replace(flag_change("a"), summary=evil)), "applied").text
    for text in (refused, done):
        assert "&lt;!channel&gt;" in text
        assert "<" not in text
        assert "jane@" not in text
    assert COMMIT in refused
