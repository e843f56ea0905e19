"""Commits with their files, comparisons, and the pull requests a commit came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, not_found
from sandbox.github.serialise import commits, pulls

if TYPE_CHECKING:
    from sandbox.github.call import Call
    from sandbox.github.models import Pull

R = "/repos/{owner}/{repo}"


def resolved(call: Call, name: str) -> str:
    """Return the commit behind a branch, tag or object name.

    Raises:
        ApiError: 422, there is none.
    """
    sha = call.hub.git(call.repository).resolve(name)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {name}")
    return sha


def get_commit(call: Call) -> Reply:
    """Return a commit with its files."""
    return Reply(200, commits.full(call, resolved(call, call.path["ref"])))


def list_commits(call: Call) -> Reply:
    """List commits, newest first, of a branch and where asked of a path."""
    default = call.hub.repository(call.repository).default_branch
    start = resolved(call, call.query.get("sha") or default)
    found = call.hub.git(call.repository).log(start, path=call.query.get("path", ""))
    return call.page(found, lambda sha: commits.short(call, sha))


def compare(call: Call) -> Reply:
    """Compare two commits over their merge base."""
    base_name, dots, head_name = call.path["basehead"].partition("...")
    if not dots:
        raise not_found()
    git = call.hub.git(call.repository)
    base, head = (git.resolve(name) for name in (base_name, head_name))
    merge_base = git.merge_base(base, head) if base and head else None
    if base is None or head is None or merge_base is None:
        raise not_found()
    return Reply(200, commits.comparison(call, base, head, merge_base))


def list_pulls(call: Call) -> Reply:
    """List the merged pull requests that brought a commit, else the open ones that hold it."""
    sha = resolved(call, call.path["ref"])
    found = [pull for pull in call.hub.state.pulls.all() if _brought(call, pull, sha)]
    return call.page(found, lambda pull: pulls.short(call, pull))


def _brought(call: Call, pull: Pull, sha: str) -> bool:
    if pull.merge_commit_sha == sha:
        return True
    return sha in call.hub.git(call.hub.name).commits_between(
        pulls.comparison_base(call, pull), pull.head_sha
    )


ENDPOINTS = (
    Endpoint("GET", f"{R}/compare/{{basehead:path}}", compare, ("contents:read",), forks=True),
    Endpoint("GET", f"{R}/commits", list_commits, ("contents:read",), forks=True),
    Endpoint(
        "GET",
        f"{R}/commits/{{ref:path}}/pulls",
        list_pulls,
        ("pull_requests:read", "contents:read"),
    ),
    # Last, because its path matches those of checks, statuses and pulls as well.
    Endpoint("GET", f"{R}/commits/{{ref:path}}", get_commit, ("contents:read",), forks=True),
)
