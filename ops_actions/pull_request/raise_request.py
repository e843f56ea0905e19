"""From an edit of declared state, or a new action request, to the pull request that asks for it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ops_actions.canonical import digest
from ops_actions.errors import BadRequestError
from ops_actions.pull_request.markdown import code, inert, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops_actions.pull_request.model import PullRequestView

_TITLE_LIMIT = 100
_SLUG_LIMIT = 48
_DIGEST_DIGITS = 10
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,30}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody wants to change, before it is a pull request.

    Attributes:
        environment: such as ``production``.
        summary: what will happen, one line, such as "Turn on ops_module_webhooks".
        reason: why, in the asker's words.
        ticket: ticket or incident, None without one.
        files: new content by path, None to remove the path.
        check: command that shows, after the merge, whether it worked.
    """

    environment: str
    summary: str
    reason: str
    ticket: str | None
    files: Mapping[str, bytes | None]
    check: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The pull request of an edit, ready to be raised; equal edits give equal drafts.

    Attributes:
        branch: ``ops/<environment>/<slug>-<short digest>``.
    """

    branch: str
    title: str
    body: str
    message: str
    files: Mapping[str, bytes | None]


class RequestHost(Protocol):
    """What raising a request needs of the code host."""

    def create_branch_commit(
        self, base_branch: str, branch: str, files: Mapping[str, bytes | None], message: str
    ) -> str:
        """Create a branch with one commit on top of a base branch, or reuse an equal one."""

    def open_pull_request(
        self, branch: str, base_branch: str, title: str, body: str
    ) -> PullRequestView:
        """Open a pull request, or return the one that is already open for the branch."""


def draft(edit: Edit) -> Draft:
    """Return branch, title, texts and files of the pull request for an edit.

    Raises:
        BadRequestError: the edit changes nothing, lacks a summary or reason, names an environment
            that can't be part of a branch, or a text holds an e-mail address.
    """
    _check(edit)
    # The texts take part: the same edit for another reason is another request.
    content: dict[str, str | None] = {
        path: None if data is None else hashlib.sha256(data).hexdigest()
        for path, data in edit.files.items()
    }
    short = digest(
        {"files": content, "summary": edit.summary, "reason": edit.reason, "ticket": edit.ticket}
    ).removeprefix("sha256:")[:_DIGEST_DIGITS]
    title = inert(f"{edit.environment}: {edit.summary}", _TITLE_LIMIT)
    branch = f"ops/{edit.environment}/{_slug(edit.summary)}-{short}"
    return Draft(branch, title, _body(edit), _message(edit, title), dict(edit.files))


def raise_request(host: RequestHost, request: Draft, base_branch: str) -> PullRequestView:
    """Create the branch and open the pull request; doing it again returns the same one.

    Args:
        host: where pull requests live.
        request: the draft.
        base_branch: branch that the pull request goes to.

    Raises:
        RefusedError: the branch exists with another content, or nothing would change.
        OutsideError: the host failed; run it again, finished steps are found and reused.
    """
    host.create_branch_commit(base_branch, request.branch, request.files, request.message)
    return host.open_pull_request(request.branch, base_branch, request.title, request.body)


def _check(edit: Edit) -> None:
    if not edit.files:
        raise BadRequestError("request.no_change", "the edit changes no file", edit.check)
    if not _ENVIRONMENT.fullmatch(edit.environment):
        raise BadRequestError(
            "request.bad_environment",
            f"{edit.environment!r} is not the name of an environment",
            "coh --help",
        )
    texts = {"summary": edit.summary, "reason": edit.reason, "ticket": edit.ticket or "-"}
    for name, text in texts.items():
        if not text.strip():
            raise BadRequestError(
                f"request.{name}_missing",
                f"the request has no {name}",
                f"say it with --{name}",
            )
        if _EMAIL.search(text):
            raise BadRequestError(
                "request.personal_data",
                f"the {name} holds an e-mail address",
                "name people by GitHub login or Auth0 subject, find them with: coh access list",
            )


def _slug(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:_SLUG_LIMIT].strip("-") or "request"


def _body(edit: Edit) -> str:
    files = [
        f"- {code(path)}{' (removed)' if data is None else ''}"
        for path, data in sorted(edit.files.items())
    ]
    ticket = [f"**Ticket:** {code(edit.ticket)}", ""] if edit.ticket else []
    return "\n".join(
        [
            f"{prose(edit.summary)} in {code(edit.environment)}.",
            "",
            f"**Reason:** {prose(edit.reason, 2000)}",
            "",
            *ticket,
            "**Files**",
            "",
            *files,
            "",
            "**How to check**",
            "",
            "- Before the merge: the review card below says what will happen and who must approve.",
            f"- After the merge: {code(edit.check)}",
            "",
        ]
    )


def _message(edit: Edit, title: str) -> str:
    lines = [title, "", f"Reason: {inert(edit.reason, 500)}"]
    if edit.ticket:
        lines.append(f"Ticket: {inert(edit.ticket, 100)}")
    return "\n".join(lines) + "\n"
