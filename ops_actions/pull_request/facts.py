"""From what the code host shows to the facts that policies judge. Pure: time is a value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from ops_actions.decision.model import AccountKind, Person, PullRequestFacts, Review

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops_actions.pull_request.model import Account, PullRequestView, SubmittedReview

# A comment is no verdict and a pending review is not submitted: neither replaces what a person
# said before. Every other word, also one that GitHub may invent, does, and only APPROVED counts.
_NO_VERDICT = frozenset({"COMMENTED", "PENDING"})
_FIRST = datetime.min.replace(tzinfo=UTC)


class Known(Protocol):
    """Somebody in the people list."""

    @property
    def sub(self) -> str:
        """The Auth0 subject."""


class People(Protocol):
    """What this step needs of the people list of the base commit; logins match in any case."""

    def person(self, login: str) -> Known | None:
        """Return the entry of a GitHub login, None for a stranger."""

    def roles_at(self, login: str, moment: datetime) -> tuple[str, ...]:
        """Return the roles that a login holds at a moment, sorted; empty for a stranger."""


def collect(
    view: PullRequestView,
    reviews: Iterable[SubmittedReview],
    pusher: Account,
    people: People,
    now: datetime,
) -> PullRequestFacts:
    """Return the facts of a pull request, people matched with the people list.

    Args:
        view: the pull request.
        reviews: all its reviews in the host's order.
        pusher: who moved its head last.
        people: the people list of the base commit.
        now: moment at which roles must be valid.
    """
    return PullRequestFacts(
        number=view.number,
        author=person(view.author, people, now),
        last_pusher=person(pusher, people, now),
        head=view.head,
        base_branch=view.base_branch,
        from_fork=view.from_fork,
        draft=view.draft,
        merged=view.merged,
        # A host stops computing it once the pull request is merged.
        mergeable=True if view.merged else view.mergeable,
        reviews=tuple(
            Review(person(review.account, people, now), review.state, review.commit)
            for review in latest_reviews(reviews)
        ),
    )


def person(account: Account, people: People, now: datetime) -> Person:
    """Match one account with the people list; only a user's account can have sub and roles."""
    login = account.login.lower()
    if account.kind is not AccountKind.USER or not login:
        return Person(login, account.kind if login else AccountKind.UNKNOWN, None, ())
    known = people.person(login)
    if known is None:
        return Person(login, AccountKind.USER, None, ())
    return Person(login, AccountKind.USER, known.sub, tuple(sorted(people.roles_at(login, now))))


def latest_reviews(reviews: Iterable[SubmittedReview]) -> tuple[SubmittedReview, ...]:
    """Return the one review per account that stands, sorted by login.

    The newest verdict by time wins, the later one in the host's order when times are equal. A
    review without a time sorts first. A comment stands only where there is no verdict. Reviews
    of deleted accounts stand one by one, since nobody can tell whose they are.
    """
    ordered = sorted(reviews, key=lambda review: review.submitted_at or _FIRST)
    standing: dict[str, SubmittedReview] = {}
    nameless: list[SubmittedReview] = []
    for review in ordered:
        login = review.account.login.lower()
        if not login:
            nameless.append(review)
            continue
        silent = login not in standing or standing[login].state in _NO_VERDICT
        if silent or review.state not in _NO_VERDICT:
            standing[login] = review
    return (*nameless, *(standing[login] for login in sorted(standing)))
