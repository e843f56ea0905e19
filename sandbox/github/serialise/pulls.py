"""Pull requests, reviews, comments, labels and issues as GitHub shows them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.github import rules
from sandbox.github.diff import changes
from sandbox.github.serialise import people, repositories
from sandbox.github.serialise.people import moment, node_id, optional_moment
from sandbox.github.sync import refresh_merge

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json
    from sandbox.github.models import Account, Comment, Label, Pull, Review

LINKS = {
    "self": "pulls/{number}",
    "issue": "issues/{number}",
    "comments": "issues/{number}/comments",
    "review_comments": "pulls/{number}/comments",
    "commits": "pulls/{number}/commits",
    "statuses": "statuses/{sha}",
}


def short(call: Call, item: Pull) -> Json:
    """Return a pull request as lists show it."""
    hub, links = call.hub, call.links
    url = links.repository(hub.name)
    own, issue = f"{url}/pulls/{item.number}", f"{url}/issues/{item.number}"
    page = f"{links.root}/{hub.name}/pull/{item.number}"
    targets = {
        name: {"href": f"{url}/{path.format(number=item.number, sha=item.head_sha)}"}
        for name, path in LINKS.items()
    }
    return {
        "id": item.id,
        "node_id": node_id("PullRequest", item.id),
        "number": item.number,
        "url": own,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "comments_url": f"{issue}/comments",
        "commits_url": f"{own}/commits",
        "review_comments_url": f"{own}/comments",
        "review_comment_url": f"{url}/pulls/comments{{/number}}",
        "statuses_url": f"{url}/statuses/{item.head_sha}",
        "_links": {**targets, "html": {"href": page}},
        "state": item.state,
        "locked": False,
        "active_lock_reason": None,
        "draft": item.draft,
        "title": item.title,
        **_texts(item.body),
        "user": people.user_or_ghost(links, hub.state.visible(item.author)),
        "author_association": association(hub.state.visible(item.author)),
        "labels": [label(call, one) for one in _labels(call, item)],
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "auto_merge": None,
        "requested_reviewers": _people(call, item.reviewers),
        "requested_teams": _teams(call, item.team_reviewers),
        "created_at": moment(item.created_at),
        "updated_at": moment(item.updated_at),
        "closed_at": optional_moment(item.closed_at),
        "merged_at": optional_moment(item.merged_at),
        "merge_commit_sha": item.merge_commit_sha or _test_merge(call, item),
        "head": _end(call, item.head_repository, item.head_ref, item.head_sha),
        "base": _end(call, hub.name, item.base_ref, item.base_sha),
    }


def full(call: Call, item: Pull) -> Json:
    """Return a pull request as GET /pulls/{number} shows it."""
    git, base = call.hub.git(call.hub.name), comparison_base(call, item)
    files = changes(git, base, item.head_sha)
    mergeable = item.state == "open" and _test_merge(call, item) is not None
    comments = [c for c in call.hub.state.comments.all() if c.issue == item.number]
    merged_by = call.hub.state.visible(item.merged_by)
    return {
        **short(call, item),
        "merged": item.merged_at is not None,
        "merged_by": people.user(call.links, merged_by),
        "mergeable": mergeable if item.state == "open" else None,
        "mergeable_state": _mergeable_state(call, item, mergeable=mergeable),
        "rebaseable": mergeable if item.state == "open" else None,
        "comments": len(comments),
        "review_comments": 0,
        "commits": len(git.commits_between(base, item.head_sha)),
        "additions": sum(one.additions for one in files),
        "deletions": sum(one.deletions for one in files),
        "changed_files": len(files),
        "maintainer_can_modify": item.maintainer_can_modify,
    }


def comparison_base(call: Call, item: Pull) -> str:
    """Return the commit a pull request's files are compared with: the merge base."""
    git = call.hub.git(call.hub.name)
    base = item.base_sha
    if item.state == "open":
        base = call.hub.tip(call.hub.name, item.base_ref) or base
    return git.merge_base(base, item.head_sha) or item.base_sha


def review(call: Call, item: Review) -> Json:
    """Return a review; its user is null once the account is deleted."""
    hub = call.hub
    own = f"{call.links.repository(hub.name)}/pulls/{item.pull}"
    page = f"{call.links.root}/{hub.name}/pull/{item.pull}#pullrequestreview-{item.id}"
    account = hub.state.visible(item.author)
    at = {} if item.submitted_at is None else {"submitted_at": moment(item.submitted_at)}
    return {
        "id": item.id,
        "node_id": node_id("Review", item.id),
        "user": people.user(call.links, account),
        **_texts(item.body),
        "state": item.state,
        "html_url": page,
        "pull_request_url": own,
        "author_association": association(account),
        "commit_id": item.commit_id,
        "_links": {"html": {"href": page}, "pull_request": {"href": own}},
        **at,
    }


def comment(call: Call, item: Comment) -> Json:
    """Return a conversation comment; its user is null once the account is deleted."""
    hub = call.hub
    url = f"{call.links.repository(hub.name)}/issues"
    account = hub.state.visible(item.author)
    page = f"{call.links.root}/{hub.name}/pull/{item.issue}#issuecomment-{item.id}"
    return {
        "id": item.id,
        "node_id": node_id("IssueComment", item.id),
        "url": f"{url}/comments/{item.id}",
        "html_url": page,
        "issue_url": f"{url}/{item.issue}",
        **_texts(item.body),
        "user": people.user(call.links, account),
        "author_association": association(account),
        "created_at": moment(item.created_at),
        "updated_at": moment(item.updated_at),
    }


def label(call: Call, item: Label) -> Json:
    """Return a label."""
    return {
        "id": item.id,
        "node_id": node_id("Label", item.id),
        "url": f"{call.links.repository(call.hub.name)}/labels/{quote(item.name)}",
        "name": item.name,
        "color": item.color,
        "description": item.description,
        "default": False,
    }


def issue(call: Call, item: Pull) -> Json:
    """Return a pull request in its other shape, as an issue."""
    seen = full(call, item)
    kept = (
        "id",
        "node_id",
        "number",
        "html_url",
        "state",
        "locked",
        "active_lock_reason",
        "title",
        "body",
        "body_html",
        "body_text",
        "user",
        "author_association",
        "labels",
        "assignee",
        "assignees",
        "milestone",
        "comments",
        "comments_url",
        "created_at",
        "updated_at",
        "closed_at",
    )
    url = seen["issue_url"]
    return {
        **{name: seen[name] for name in kept},
        "url": url,
        "events_url": f"{url}/events",
        "labels_url": f"{url}/labels{{/name}}",
        "repository_url": call.links.repository(call.hub.name),
        "closed_by": seen["merged_by"],
        "pull_request": {"url": seen["url"], "html_url": seen["html_url"]},
    }


def association(account: Account | None) -> str:
    """Return what GitHub says of an author's tie to the repository."""
    if account is None or account.role == "none":
        return "NONE"
    return "MEMBER" if account.type == "User" else "CONTRIBUTOR"


def _texts(body: str | None) -> Json:
    return {"body": body, "body_text": body or "", "body_html": html.escape(body or "")}


def _end(call: Call, name: str, ref: str, sha: str) -> Json:
    owner = name.partition("/")[0]
    return {
        "label": f"{owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": people.user_or_ghost(call.links, call.hub.state.visible(owner)),
        "repo": {
            **repositories.short(call, name),
            "default_branch": call.hub.repository(name).default_branch,
        },
    }


def _test_merge(call: Call, item: Pull) -> str | None:
    return refresh_merge(call.hub, item) if item.state == "open" else None


def _mergeable_state(call: Call, item: Pull, *, mergeable: bool) -> str:
    if item.state == "closed":
        return "unknown"
    if not mergeable:
        return "dirty"
    if item.draft:
        return "draft"
    return "blocked" if rules.unmet(call.hub, item) else "clean"


def _labels(call: Call, item: Pull) -> list[Label]:
    found = (call.hub.state.labels.get(name.lower()) for name in item.labels)
    return [one for one in found if one is not None]


def _people(call: Call, logins: tuple[str, ...]) -> list[Json]:
    shown = (people.user(call.links, call.hub.state.visible(login)) for login in logins)
    return [one for one in shown if one is not None]


def _teams(call: Call, slugs: tuple[str, ...]) -> list[Json]:
    owner = call.hub.state.account(call.hub.owner)
    found = (call.hub.state.teams.get(slug) for slug in slugs)
    return [people.team(call.links, owner, one) for one in found if one is not None and owner]
