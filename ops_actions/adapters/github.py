"""GitHub as the code host, by github3.py.

Reads that decide something are complete or fail; writes are idempotent by reading first, so that a
command which failed half-way is simply run again.
"""

from __future__ import annotations

import base64
import re
import time
from functools import cached_property
from typing import TYPE_CHECKING

import github3
from github3 import exceptions as github3_errors

from ops_actions.adapters.github_branch import BranchWriter
from ops_actions.adapters.github_comments import MarkedComments
from ops_actions.adapters.github_errors import github_errors, unexpected
from ops_actions.adapters.github_raw import (
    RawApi,
    WireActivity,
    WireFile,
    WirePull,
    WireReview,
    WireUser,
    account_of,
)
from ops_actions.adapters.github_session import open_session
from ops_actions.clock import system_clock
from ops_actions.errors import BadRequestError, RefusedError
from ops_actions.pull_request.model import (
    UNKNOWN_ACCOUNT,
    Account,
    BranchTip,
    Comment,
    PullRequestView,
    StatusState,
    SubmittedReview,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from github3.repos.repo import Repository

    from ops_actions.adapters.github_session import Patience
    from ops_actions.clock import Clock

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_DESCRIPTION_LIMIT = 140  # GitHub's own limit for the text of a status
_FILE_LIMIT = 8 * 1024 * 1024


class GitHubHost:
    """Implements `ops_actions.pull_request.model.CodeHost` for one repository.

    Args:
        api_url: such as ``https://api.github.com`` or ``https://HOST/api/v3``.
        repository: owner and name, such as ``acme/ops``.
        token: of a GitHub App's installation or a person.
        account: login that the token acts for, such as ``coh[bot]``; needed for installation
            tokens, which may not ask GitHub for it.
        read_only: refuse every write before it leaves the process.
        patience: waiting times and repetitions.
        clock: gives the time that rate-limit resets are compared with.
        sleep: waits a number of seconds.

    Raises:
        BadRequestError: address, repository or token are malformed.
    """

    def __init__(  # noqa: PLR0913 - each is one independent setting
        self,
        api_url: str,
        repository: str,
        token: str,
        *,
        account: str | None = None,
        read_only: bool = False,
        patience: Patience | None = None,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not _REPOSITORY.fullmatch(repository):
            raise BadRequestError(
                "github.bad_repository",
                f"{repository!r} is not the name of a repository",
                "write it as OWNER/NAME",
            )
        session = open_session(
            api_url, token, read_only=read_only, patience=patience, clock=clock, sleep=sleep
        )
        self._name = repository
        self._account = account
        self._github = github3.GitHub(session=session)
        self._api = RawApi(session, repository)

    def close(self) -> None:
        """Close the connections; the next call would open new ones."""
        self._github.session.close()

    @cached_property
    def _repository(self) -> Repository:
        with github_errors(f"read repository {self._name}"):
            return self._github.repository(*self._name.split("/"))

    @cached_property
    def _branches(self) -> BranchWriter:
        return BranchWriter(self._repository, self._api)

    @cached_property
    def _comments(self) -> MarkedComments:
        return MarkedComments(self._api, self.me().login)

    def me(self) -> Account:
        """Return the account that the token acts for."""
        if self._account is not None:
            kind = "Bot" if self._account.endswith("[bot]") else "User"
            return account_of(WireUser(login=self._account, type=kind))
        with github_errors("read the token's account (an installation token needs it configured)"):
            found = self._github.me()
            return account_of(WireUser(login=found.login, type=found.type))

    def pull_request(self, number: int) -> PullRequestView:
        """Return one pull request as it is now."""
        doing = f"read pull request {number} of {self._name}"
        found = self._api.get(f"pulls/{number}", doing)
        if found is None:
            raise BadRequestError(
                "github.not_found",
                f"could not {doing}: it does not exist, or the token may not see it",
                "check the number, then the token's access with: coh doctor",
            )
        with github_errors(doing):
            return WirePull.model_validate(found).view()

    def pull_requests_of_commit(self, commit: str) -> tuple[PullRequestView, ...]:
        """Return the pull requests that a commit belongs to, by number."""
        doing = f"find the pull requests of commit {commit}"
        found = self._api.pages(f"commits/{commit}/pulls", doing, WirePull)
        return tuple(sorted((pull.view() for pull in found), key=lambda view: view.number))

    def reviews(self, number: int) -> tuple[SubmittedReview, ...]:
        """Return all submitted reviews in the order GitHub lists them, complete."""
        doing = f"read the reviews of pull request {number}"
        return tuple(
            SubmittedReview(
                account_of(review.user), review.state, review.commit_id or "", review.submitted_at
            )
            for review in self._api.pages(f"pulls/{number}/reviews", doing, WireReview)
            if review.state != "PENDING"  # seen by its author only, and not said yet
        )

    def last_pusher(self, number: int) -> Account:
        """Return who moved the head of a pull request to where it is; unknown when not found.

        Source: the repository's activity, newest first. That of a fork can't be read.
        """
        view = self.pull_request(number)
        if view.from_fork:
            return UNKNOWN_ACCOUNT
        doing = f"find who pushed to {view.head_branch}"
        moves = self._api.pages(
            "activity", doing, WireActivity, ref=f"refs/heads/{view.head_branch}"
        )
        for move in moves:
            if move.after == view.head:
                return account_of(move.actor)
        return UNKNOWN_ACCOUNT

    def post_status(
        self, commit: str, state: StatusState, context: str, description: str, url: str | None
    ) -> None:
        """Put a status on a commit; a newer one of the same context replaces it."""
        text = description
        if len(text) > _DESCRIPTION_LIMIT:
            text = f"{text[: _DESCRIPTION_LIMIT - 1]}…"
        with github_errors(f"post status {context} on {commit}"):
            self._repository.create_status(commit, state.value, url, text, context)

    def comment_by_marker(self, number: int, marker: str) -> Comment | None:
        """Return our own oldest comment that begins with a marker, None when there is none."""
        return self._comments.by_marker(number, marker)

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        """Make our one comment with a marker say a text that begins with that marker."""
        return self._comments.upsert(number, marker, body)

    def create_branch_commit(
        self, base_branch: str, branch: str, files: Mapping[str, bytes | None], message: str
    ) -> str:
        """Create a branch with one commit on top of a base branch and return the commit."""
        return self._branches.commit(base_branch, branch, files, message)

    def open_pull_request(
        self, branch: str, base_branch: str, title: str, body: str
    ) -> PullRequestView:
        """Open a pull request, or return the one that is already open for the branch."""
        present = self._open_pull(branch, base_branch)
        if present is not None:
            return self.pull_request(present)
        with github_errors(f"open a pull request for {branch}"):
            try:
                made = self._repository.create_pull(title, base_branch, branch, body)
                return self.pull_request(int(made.number))
            except github3_errors.UnprocessableEntity as error:
                present = self._open_pull(branch, base_branch)
                if present is None:  # not opened by somebody faster, so refused for another reason
                    raise error from None
        return self.pull_request(present)

    def default_branch_tip(self) -> BranchTip:
        """Return the default branch and its tip."""
        name = str(self._repository.default_branch)
        commit = self._branches.tip(name)
        if commit is None:
            raise BadRequestError(
                "github.branch_missing",
                f"repository {self._name} has no commit on {name} yet",
                f"push the first commit to {name}",
            )
        return BranchTip(name, commit)

    def read_file(self, path: str, ref: str) -> bytes | None:
        """Return a regular file at a branch, tag or commit, None when it is not there.

        Raises:
            BadRequestError: it is larger than 8 MiB.
        """
        doing = f"read {path} at {ref}"
        found = self._api.get(f"contents/{path}", doing, ref=ref)
        if found is None or isinstance(found, list):  # a folder
            return None
        with github_errors(doing):
            file = WireFile.model_validate(found)
            if file.type != "file":
                return None
            if file.size > _FILE_LIMIT:
                raise BadRequestError(
                    "change.file_too_big",
                    f"{path} has {file.size} bytes, the limit is {_FILE_LIMIT}",
                    "keep large files out of this repository",
                )
            if file.encoding != "base64":  # above 1 MB the content must be asked for by name
                blob = self._api.get(f"git/blobs/{file.sha}", doing) or {}
                return base64.b64decode(blob["content"])
            return base64.b64decode(file.content)

    def merge(self, number: int, head: str) -> str:
        """Merge a pull request whose head is still this commit and return the merge commit.

        Merging what is already merged at this head returns its merge commit.
        """
        view = self.pull_request(number)
        if view.head != head:
            raise RefusedError(
                "github.head_moved",
                f"pull request {number} is at {view.head}, not at {head}",
                f"look at the new commits, then run: coh check --pr {number}",
            )
        if not view.merged:
            with github_errors(f"merge pull request {number}"):
                self._repository.pull_request(number).merge(sha=head, merge_method="merge")
            view = self.pull_request(number)
        if view.merge_commit is None:
            raise unexpected(f"merge pull request {number}", "no merge commit")
        return view.merge_commit

    def approve(self, number: int, head: str) -> None:
        """Approve a pull request at a head commit in the name of the token's account."""
        with github_errors(f"approve pull request {number}"):
            self._repository.pull_request(number).create_review("", head, "APPROVE")

    def _open_pull(self, branch: str, base_branch: str) -> int | None:
        owner = self._name.split("/", maxsplit=1)[0]
        found = self._api.pages(
            "pulls",
            f"look for an open pull request of {branch}",
            WirePull,
            state="open",
            head=f"{owner}:{branch}",
            base=base_branch,
        )
        same = (
            pull.number for pull in found if pull.head.ref == branch and not pull.view().from_fork
        )
        return next(same, None)
