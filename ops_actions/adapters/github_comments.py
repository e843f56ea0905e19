"""Sticky comments: one per pull request and marker, written by our own account only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.adapters.github_errors import github_errors
from ops_actions.adapters.github_raw import WireComment, account_of
from ops_actions.errors import OutsideError
from ops_actions.pull_request.model import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.adapters.github_raw import RawApi


class MarkedComments:
    """Finds and writes comments that begin with a marker.

    Comments of other accounts are never read as ours nor touched, whatever they begin with.

    Args:
        api: raw calls of the repository.
        login: our own account, in lower case.
    """

    def __init__(self, api: RawApi, login: str) -> None:
        self._api = api
        self._login = login

    def by_marker(self, number: int, marker: str) -> Comment | None:
        """Return our oldest comment that begins with a marker, None when there is none."""
        found = next(self._marked(number, marker), None)
        return None if found is None else _comment(found)

    def upsert(self, number: int, marker: str, body: str) -> Comment:
        """Make our one comment with a marker say this text, and read it back.

        When two runs made one each at the same time, the older stays and the others go.

        Raises:
            OutsideError: GitHub shows another text or author than what was written.
            ValueError: the text does not begin with the marker, so it would never be found again.
        """
        if not body.startswith(marker):
            raise ValueError("the text of a marked comment must begin with its marker")
        doing = f"comment on pull request {number}"
        present = list(self._marked(number, marker))
        for double in present[1:]:
            self._api.delete(f"issues/comments/{double.id}", doing)
        if not present:
            made = self._api.post(f"issues/{number}/comments", doing, {"body": body})
        elif not _same_text(present[0].body, body):
            made = self._api.patch(f"issues/comments/{present[0].id}", doing, {"body": body})
        else:
            return _comment(present[0])
        with github_errors(doing):
            written = WireComment.model_validate(made)
            shown = self._api.get(f"issues/comments/{written.id}", doing)
            kept = WireComment.model_validate(shown)
        if account_of(kept.user).login != self._login or not _same_text(kept.body, body):
            raise OutsideError(
                "github.not_written",
                f"comment {kept.id} on pull request {number} is not what {self._login} wrote",
                "configure the login that the token acts for, then run the same command again",
            )
        return _comment(kept)

    def _marked(self, number: int, marker: str) -> Iterator[WireComment]:
        doing = f"read the comments of pull request {number}"
        for comment in self._api.pages(f"issues/{number}/comments", doing, WireComment):
            mine = account_of(comment.user).login == self._login != ""
            if mine and (comment.body or "").startswith(marker):
                yield comment


def _comment(comment: WireComment) -> Comment:
    return Comment(comment.id, comment.body or "", comment.html_url)


def _same_text(one: str | None, other: str) -> bool:
    # GitHub may change line ends and drops white space at the end.
    return (one or "").replace("\r\n", "\n").rstrip() == other.replace("\r\n", "\n").rstrip()
