"""Calls that github3.py lacks, or can't make safely, through its own session, with typed answers.

github3.py fails on a whole list when one item has a null user, as reviews and comments of deleted
accounts do, and knows nothing of pushes; so lists of people's doings are read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from github3 import exceptions as github3_errors
from pydantic import AwareDatetime, BaseModel, ConfigDict

from ops_actions.adapters.github_errors import github_errors, unexpected
from ops_actions.decision.model import AccountKind
from ops_actions.errors import OutsideError
from ops_actions.pull_request.model import UNKNOWN_ACCOUNT, Account, PullRequestView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import github3.session
    from requests import Response

_PAGE = 100
_MOST_PAGES = 100
_OK = 200
_CREATED = 201
_GONE = 204
_NOT_FOUND = 404


class _Wire(BaseModel):
    """Part of an answer; fields that nobody here needs are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WireUser(_Wire):
    """An account."""

    login: str
    type: str = ""


class WireRepository(_Wire):
    """A repository; of interest is only which."""

    full_name: str


class WireEnd(_Wire):
    """Head or base of a pull request; the repository is null when a fork was deleted."""

    ref: str
    sha: str
    repo: WireRepository | None = None


class WirePull(_Wire):
    """A pull request, from a list (no ``mergeable``) or alone."""

    number: int
    state: Literal["open", "closed"]
    title: str
    html_url: str
    user: WireUser | None
    head: WireEnd
    base: WireEnd
    draft: bool = False
    merged_at: AwareDatetime | None
    merge_commit_sha: str | None
    mergeable: bool | None = None

    def view(self) -> PullRequestView:
        """Return it in the words of the pull request step."""
        merged = self.merged_at is not None
        home, origin = self.base.repo, self.head.repo
        same = (
            home is not None
            and origin is not None
            and home.full_name.lower() == origin.full_name.lower()
        )
        return PullRequestView(
            number=self.number,
            author=account_of(self.user),
            head=self.head.sha,
            head_branch=self.head.ref,
            base_branch=self.base.ref,
            base=self.base.sha,
            from_fork=not same,
            draft=self.draft,
            is_open=self.state == "open",
            merged=merged,
            # Before the merge GitHub shows its test merge there.
            merge_commit=self.merge_commit_sha if merged else None,
            mergeable=self.mergeable,
            title=self.title,
            url=self.html_url,
        )


class WireReview(_Wire):
    """A review."""

    user: WireUser | None
    state: str
    commit_id: str | None = None
    submitted_at: AwareDatetime | None = None


class WireComment(_Wire):
    """A comment."""

    id: int
    html_url: str
    user: WireUser | None
    body: str | None = None


class WireActivity(_Wire):
    """A move of a branch."""

    actor: WireUser | None = None
    after: str


class WireFile(_Wire):
    """A file of the contents API; ``encoding`` is none above 1 MB."""

    type: str
    sha: str
    size: int
    encoding: str = ""
    content: str = ""


W = TypeVar("W", bound=_Wire)


def account_of(user: WireUser | None) -> Account:
    """Return an account; null and GitHub's stand-in for deleted accounts are unknown."""
    if user is None or user.login.lower() == "ghost":
        return UNKNOWN_ACCOUNT
    login = user.login.lower()
    if user.type == "Bot" or login.endswith("[bot]"):
        return Account(login, AccountKind.BOT)
    kind = AccountKind.USER if user.type == "User" else AccountKind.UNKNOWN
    return Account(login, kind)


class RawApi:
    """Typed calls below one repository.

    Args:
        session: github3.py's session, see `github_session.open_session`.
        repository: owner and name, such as ``acme/ops``.
    """

    def __init__(self, session: github3.session.GitHubSession, repository: str) -> None:
        self._session = session
        self._root = f"{session.base_url}/repos/{quote(repository)}"

    def get(self, path: str, doing: str, **params: str) -> Any | None:  # noqa: ANN401 - JSON
        """Return the JSON at a path, None when there is nothing (404).

        Args:
            path: below the repository, not yet quoted.
            doing: what is tried, for the error.
            params: query.

        Raises:
            OpsError: see `github_errors`.
        """
        with github_errors(doing):
            answer: Response = self._session.get(self._url(path), params=params)
            if answer.status_code == _NOT_FOUND:
                return None
            return _checked(answer, doing, _OK).json()

    def pages(self, path: str, doing: str, kind: type[W], **params: str) -> Iterator[W]:
        """Yield all items of a list, page after page, as they are needed.

        Raises:
            OpsError: see `github_errors`; also for a list too long to be read to its end, since
                half a list of reviews is worse than none.
        """
        url, query = self._url(path), {"per_page": str(_PAGE), **params}
        for _ in range(_MOST_PAGES):
            with github_errors(doing):
                answer: Response = self._session.get(url, params=query)
                items = _checked(answer, doing, _OK).json()
                if not isinstance(items, list):
                    raise unexpected(doing, "not a list")
                found = [kind.model_validate(item) for item in items]
            yield from found
            url, query = answer.links.get("next", {}).get("url", ""), {}
            if not url:
                return
        raise OutsideError(
            "github.list_too_long",
            f"could not {doing}: there are more than {_PAGE * _MOST_PAGES} items",
            "close this pull request and raise the change again in a new one",
        )

    def post(self, path: str, doing: str, body: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        """Create something below a path and return its JSON."""
        with github_errors(doing):
            answer: Response = self._session.post(self._url(path), json=dict(body))
            return _checked(answer, doing, _CREATED).json()

    def patch(self, path: str, doing: str, body: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        """Change something at a path and return its JSON."""
        with github_errors(doing):
            answer: Response = self._session.patch(self._url(path), json=dict(body))
            return _checked(answer, doing, _OK).json()

    def delete(self, path: str, doing: str) -> None:
        """Delete something at a path; already gone is as good."""
        with github_errors(doing):
            answer: Response = self._session.delete(self._url(path))
            if answer.status_code != _NOT_FOUND:
                _checked(answer, doing, _GONE)

    def _url(self, path: str) -> str:
        return f"{self._root}/{quote(path)}"


def _checked(answer: Response, doing: str, expected: int) -> Response:
    if answer.status_code >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        raise github3_errors.error_for(answer)
    if answer.status_code != expected:
        raise unexpected(doing, f"status {answer.status_code}")
    return answer
