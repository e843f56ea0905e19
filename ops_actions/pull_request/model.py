"""What this project needs of the place where pull requests live."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ops_actions.decision.model import AccountKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the code host names it, before it is matched with the people list.

    Attributes:
        login: in lower case; empty for an account that is deleted or not known.
        kind: ``unknown`` for anything that is neither a person's account nor a bot.
    """

    login: str
    kind: AccountKind


UNKNOWN_ACCOUNT = Account("", AccountKind.UNKNOWN)
"""Stands for a deleted account and for a pusher that can't be found; it never counts."""


@dataclass(frozen=True, slots=True)
class PullRequestView:
    """A pull request as the code host shows it.

    Attributes:
        head: head commit, 40 hex digits.
        head_branch: name of the branch it comes from, without ``refs/heads/``.
        base_branch: name of the branch it goes to.
        base: tip of the base branch that the host compares with; after a merge the one before it.
        from_fork: True also when the repository of the head is gone.
        merge_commit: commit on the base branch that carries it, None until it is merged.
        mergeable: None when the host has not worked it out.
        title: text written by its author; show it only escaped.
        url: page for people.
    """

    number: int
    author: Account
    head: str
    head_branch: str
    base_branch: str
    base: str
    from_fork: bool
    draft: bool
    is_open: bool
    merged: bool
    merge_commit: str | None
    mergeable: bool | None
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SubmittedReview:
    """One review as it was submitted; the same person may have several.

    Attributes:
        state: APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED.
        commit: the head it was given for, empty when the host no longer knows.
        submitted_at: aware; None when the host does not say.
    """

    account: Account
    state: str
    commit: str
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of our own on a pull request.

    Attributes:
        id: number by which the host knows it.
        url: page for people.
    """

    id: int
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class BranchTip:
    """A branch and the commit it points to."""

    name: str
    commit: str


class StatusState(StrEnum):
    """Verdict of a commit status, in GitHub's words."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


class CodeHost(Protocol):
    """What the flow needs of GitHub; commits are 40 hex digits.

    Every method raises `OutsideError` when the host can't be reached, refuses the token, limits
    the rate or answers nonsense, and `BadRequestError` when what is asked for does not exist.
    A host in read-only mode raises `RefusedError` before any write leaves the process.
    """

    def me(self) -> Account:
        """Return the account that the token acts for."""

    def pull_request(self, number: int) -> PullRequestView:
        """Return one pull request as it is now."""

    def pull_requests_of_commit(self, commit: str) -> tuple[PullRequestView, ...]:
        """Return the pull requests that a commit belongs to, by number."""

    def reviews(self, number: int) -> tuple[SubmittedReview, ...]:
        """Return all submitted reviews in the order the host lists them, complete."""

    def last_pusher(self, number: int) -> Account:
        """Return who moved the head of a pull request to where it is; unknown when not found."""

    def post_status(
        self, commit: str, state: StatusState, context: str, description: str, url: str | None
    ) -> None:
        """Put a status on a commit; a newer one of the same context replaces it."""

    def comment_by_marker(self, number: int, marker: str) -> Comment | None:
        """Return our own comment that begins with a marker, None when there is none."""

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        """Make our one comment with a marker say a text that begins with that marker."""

    def create_branch_commit(
        self, base_branch: str, branch: str, files: Mapping[str, bytes | None], message: str
    ) -> str:
        """Create a branch with one commit on top of a base branch and return the commit.

        Args:
            base_branch: branch whose tip becomes the parent.
            branch: the new branch; one that already says exactly this is returned as it is.
            files: new content by path, None to remove the path.
            message: of the commit.

        Raises:
            RefusedError: the branch exists with another content, or nothing would change.
        """

    def open_pull_request(
        self, branch: str, base_branch: str, title: str, body: str
    ) -> PullRequestView:
        """Open a pull request, or return the one that is already open for the branch."""

    def default_branch_tip(self) -> BranchTip:
        """Return the default branch and its tip."""

    def read_file(self, path: str, ref: str) -> bytes | None:
        """Return a file at a branch, tag or commit, None when it is not there."""

    def merge(self, number: int, head: str) -> str:
        """Merge a pull request whose head is still this commit and return the merge commit.

        Raises:
            RefusedError: the head moved, there is a conflict, or a rule of the branch is not met.
        """

    def approve(self, number: int, head: str) -> None:
        """Approve a pull request at a head commit in the name of the token's account."""
