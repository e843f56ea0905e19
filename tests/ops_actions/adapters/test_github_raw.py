"""How GitHub's JSON is understood where it is doubtful."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ops_actions.adapters.github_raw import WirePull, WireUser, account_of
from ops_actions.decision.model import AccountKind
from ops_actions.pull_request.model import UNKNOWN_ACCOUNT, Account

PULL: dict[str, Any] = {
    "number": 7,
    "state": "closed",
    "title": "x",
    "html_url": "https://github.com/acme/ops/pull/7",
    "user": {"login": "Mara-Lind", "type": "User"},
    "head": {"ref": "x", "sha": "a" * 40, "repo": {"full_name": "Acme/Ops"}},
    "base": {"ref": "main", "sha": "b" * 40, "repo": {"full_name": "acme/ops"}},
    "merged_at": None,
    "merge_commit_sha": "c" * 40,
}


@pytest.mark.parametrize(
    ("login", "type_", "account"),
    [
        ("Mara-Lind", "User", Account("mara-lind", AccountKind.USER)),
        ("coh[bot]", "Bot", Account("coh[bot]", AccountKind.BOT)),
        ("coh[bot]", "User", Account("coh[bot]", AccountKind.BOT)),
        ("renovate", "Bot", Account("renovate", AccountKind.BOT)),
        ("acme", "Organization", Account("acme", AccountKind.UNKNOWN)),
        ("mona", "Mannequin", Account("mona", AccountKind.UNKNOWN)),
        ("mona", "", Account("mona", AccountKind.UNKNOWN)),
        ("ghost", "User", UNKNOWN_ACCOUNT),
        ("Ghost", "User", UNKNOWN_ACCOUNT),
    ],
)
def test_only_a_plain_user_is_a_user(login: str, type_: str, account: Account) -> None:
    assert account_of(WireUser(login=login, type=type_)) == account


def test_no_user_is_unknown() -> None:
    assert account_of(None) == UNKNOWN_ACCOUNT


def test_the_same_repository_in_another_case_is_no_fork() -> None:
    view = WirePull.model_validate(PULL).view()
    assert (view.from_fork, view.merged, view.merge_commit) == (False, False, None)


@pytest.mark.parametrize("end", ["head", "base"])
def test_a_repository_that_is_gone_counts_as_a_fork(end: str) -> None:
    gone = {**PULL, end: {**PULL[end], "repo": None}}
    assert WirePull.model_validate(gone).view().from_fork


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "seven"},
        {"state": "half-open"},
        {"head": {"ref": "x"}},
        {"merged_at": "2026-11-24T09:00:00"},
        {"mergeable": "perhaps"},
    ],
)
def test_a_field_of_another_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WirePull.model_validate({**PULL, **wrong})


@pytest.mark.parametrize("missing", ["user", "merged_at", "merge_commit_sha", "head"])
def test_a_field_that_is_missing_is_not_guessed(missing: str) -> None:
    with pytest.raises(ValidationError):
        WirePull.model_validate({name: PULL[name] for name in PULL if name != missing})
