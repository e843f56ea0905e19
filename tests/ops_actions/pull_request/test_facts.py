"""Which review of whom stands, and who a person is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.access import parse_access
from ops_actions.decision.model import AccountKind, Person
from ops_actions.pull_request.facts import collect, latest_reviews, person
from ops_actions.pull_request.model import (
    UNKNOWN_ACCOUNT,
    Account,
    PullRequestView,
    SubmittedReview,
)

if TYPE_CHECKING:
    from ops_actions.pull_request.facts import People

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HEAD = "a" * 40
OLD = "b" * 40
ACCESS = b"""\
people:
  - sub: auth0|65f0c1a2b3d4e5f601020304
    github: Mara-Lind
    roles:
      - role: ops_viewer
      - role: ops_admin
        until: 2026-11-24
  - sub: auth0|65f0c1a2b3d4e5f601020305
    github: joao-reis
    roles:
      - role: ops_editor
        until: 2026-11-23
"""


@pytest.fixture
def people() -> People:
    return parse_access(ACCESS, "access.yaml")


def user(login: str) -> Account:
    return Account(login, AccountKind.USER)


def view(**changed: object) -> PullRequestView:
    values: dict[str, object] = {
        "number": 7,
        "author": user("joao-reis"),
        "head": HEAD,
        "head_branch": "ops/x",
        "base_branch": "main",
        "base": OLD,
        "from_fork": False,
        "draft": False,
        "is_open": True,
        "merged": False,
        "merge_commit": None,
        "mergeable": None,
        "title": "x",
        "url": "https://github.com/acme/ops/pull/7",
    }
    return PullRequestView(**{**values, **changed})  # type: ignore[arg-type]


def review(login: str, state: str, minute: int | None = 0, commit: str = HEAD) -> SubmittedReview:
    moment = None if minute is None else NOW + timedelta(minutes=minute)
    account = user(login) if login else UNKNOWN_ACCOUNT
    return SubmittedReview(account, state, commit, moment)


def standing(*reviews: SubmittedReview) -> list[tuple[str, str]]:
    return [(r.account.login, r.state) for r in latest_reviews(reviews)]


def test_facts_of_a_pull_request(people: People) -> None:
    facts = collect(
        view(draft=True, from_fork=True, mergeable=False),
        [review("MARA-LIND", "APPROVED", commit=OLD), review("li-wen", "COMMENTED")],
        user("Mara-Lind"),
        people,
        NOW,
    )
    mara = Person(
        "mara-lind",
        AccountKind.USER,
        "auth0|65f0c1a2b3d4e5f601020304",
        ("ops_admin", "ops_viewer"),
    )
    joao = Person("joao-reis", AccountKind.USER, "auth0|65f0c1a2b3d4e5f601020305", ())
    assert (facts.author, facts.last_pusher) == (joao, mara)
    assert (facts.number, facts.head, facts.base_branch) == (7, HEAD, "main")
    assert (facts.draft, facts.from_fork, facts.merged, facts.mergeable) == (
        True,
        True,
        False,
        False,
    )
    assert [(r.person, r.state, r.commit) for r in facts.reviews] == [
        (Person("li-wen", AccountKind.USER, None, ()), "COMMENTED", HEAD),
        (mara, "APPROVED", OLD),
    ]


def test_a_grant_that_ended_yesterday_gives_no_role(people: People) -> None:
    tomorrow = person(user("mara-lind"), people, NOW + timedelta(days=1))
    assert tomorrow.roles == ("ops_viewer",)


def test_mergeable_is_known_once_merged_and_unknown_stays_unknown(people: People) -> None:
    merged = collect(view(merged=True, mergeable=None), [], UNKNOWN_ACCOUNT, people, NOW)
    opened = collect(view(mergeable=None), [], UNKNOWN_ACCOUNT, people, NOW)
    assert merged.mergeable is True
    assert opened.mergeable is None


@pytest.mark.parametrize("kind", [AccountKind.BOT, AccountKind.UNKNOWN])
def test_only_a_user_account_has_sub_and_roles(people: People, kind: AccountKind) -> None:
    assert person(Account("mara-lind", kind), people, NOW) == Person("mara-lind", kind, None, ())


def test_a_nameless_account_is_unknown_whatever_its_kind(people: People) -> None:
    found = person(Account("", AccountKind.USER), people, NOW)
    assert found == Person("", AccountKind.UNKNOWN, None, ())


@pytest.mark.parametrize(
    ("states", "stands"),
    [
        (["APPROVED", "COMMENTED"], "APPROVED"),
        (["COMMENTED", "APPROVED"], "APPROVED"),
        (["APPROVED", "DISMISSED"], "DISMISSED"),
        (["APPROVED", "CHANGES_REQUESTED"], "CHANGES_REQUESTED"),
        (["CHANGES_REQUESTED", "COMMENTED"], "CHANGES_REQUESTED"),
        (["CHANGES_REQUESTED", "APPROVED"], "APPROVED"),
        (["APPROVED", "DISMISSED", "COMMENTED"], "DISMISSED"),
        (["COMMENTED", "COMMENTED"], "COMMENTED"),
        (["APPROVED", "A_NEW_WORD"], "A_NEW_WORD"),
    ],
)
def test_which_review_stands(states: list[str], stands: str) -> None:
    in_time = [review("mara-lind", state, minute) for minute, state in enumerate(states)]
    at_once = [review("mara-lind", state) for state in states]
    assert standing(*in_time) == [("mara-lind", stands)]
    assert standing(*reversed(in_time)) == [("mara-lind", stands)]
    assert standing(*at_once) == [("mara-lind", stands)]


def test_logins_are_one_in_any_case() -> None:
    assert standing(review("Mara-Lind", "APPROVED", 0), review("mara-lind", "DISMISSED", 1)) == [
        ("mara-lind", "DISMISSED")
    ]


def test_reviews_of_deleted_accounts_are_not_taken_for_one_person() -> None:
    found = standing(review("", "CHANGES_REQUESTED"), review("", "APPROVED", 1))
    assert found == [("", "CHANGES_REQUESTED"), ("", "APPROVED")]


def test_an_approval_without_a_time_does_not_beat_a_dated_refusal() -> None:
    dated = review("mara-lind", "CHANGES_REQUESTED", 0)
    assert standing(dated, review("mara-lind", "APPROVED", None)) == [
        ("mara-lind", "CHANGES_REQUESTED")
    ]


reviews_of_some = st.lists(
    st.builds(
        review,
        st.sampled_from(["ann", "Ann", "bob", ""]),
        st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(reviews_of_some)
def test_at_most_one_review_per_person_stands_and_it_was_really_given(
    given_reviews: list[SubmittedReview],
) -> None:
    found = latest_reviews(given_reviews)
    named = [r.account.login.lower() for r in found if r.account.login]
    assert len(named) == len(set(named))
    assert all(r in given_reviews for r in found)


@given(reviews_of_some, st.sampled_from(["ann", "bob"]))
def test_a_later_dismissal_always_takes_an_approval_away(
    given_reviews: list[SubmittedReview], login: str
) -> None:
    found = latest_reviews([*given_reviews, review(login, "DISMISSED", 9)])
    assert [r.state for r in found if r.account.login.lower() == login] == ["DISMISSED"]


@dataclass
class Strangers:
    """A people list in which nobody is."""

    asked: list[str] = field(default_factory=list)

    def person(self, login: str) -> None:
        self.asked.append(login)

    def roles_at(self, login: str, moment: datetime) -> tuple[str, ...]:
        raise AssertionError(f"a stranger's roles were asked for: {login} {moment}")


def test_a_stranger_has_neither_sub_nor_roles() -> None:
    strangers = Strangers()
    assert person(user("Eve"), strangers, NOW) == Person("eve", AccountKind.USER, None, ())
    assert strangers.asked == ["eve"]
