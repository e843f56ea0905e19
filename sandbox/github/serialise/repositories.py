"""Repositories as GitHub shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.models import ROLES
from sandbox.github.serialise.people import moment, node_id, user_or_ghost

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.github.call import Call, Json
    from sandbox.github.models import Repository

LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
"""Link name to what follows the repository's own address."""


def short(call: Call, name: str) -> Json:
    """Return a repository as it stands inside other answers."""
    item = call.hub.repository(name)
    url, login = call.links.repository(item.full_name), item.full_name.partition("/")[0]
    return {
        "id": item.id,
        "node_id": node_id("Repository", item.id),
        "name": item.full_name.partition("/")[2],
        "full_name": item.full_name,
        "owner": user_or_ghost(call.links, call.hub.state.visible(login)),
        "private": item.private,
        "description": None,
        "fork": item.parent is not None,
        "url": url,
        "html_url": f"{call.links.root}/{item.full_name}",
        **{link: f"{url}{suffix}" for link, suffix in LINKS.items()},
    }


def full(call: Call, item: Repository) -> Json:
    """Return a repository as GET /repos/{owner}/{repo} shows it."""
    account = call.hub.state.account(call.actor.login)
    rank = ROLES.index("none" if account is None else account.role)
    page = f"{call.links.root}/{item.full_name}"
    parent = {} if item.parent is None else {"parent": short(call, item.parent)}
    forks = [r for r in call.hub.state.repositories.all() if r.parent == item.full_name]
    return {
        **short(call, item.full_name),
        **parent,
        "archived": False,
        "disabled": False,
        "visibility": "private" if item.private else "public",
        "default_branch": item.default_branch,
        "permissions": {
            "admin": rank >= ROLES.index("admin"),
            "maintain": rank >= ROLES.index("maintain"),
            "push": rank >= ROLES.index("write"),
            "triage": rank >= ROLES.index("triage"),
            "pull": rank >= ROLES.index("read"),
        },
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": False,
        "clone_url": f"{page}.git",
        "git_url": f"{page}.git",
        "ssh_url": f"{page}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "has_downloads": False,
        "has_issues": True,
        "has_pages": False,
        "has_projects": False,
        "has_wiki": False,
        "forks_count": len(forks),
        "network_count": len(forks),
        "open_issues_count": sum(p.state == "open" for p in call.hub.state.pulls.all()),
        "stargazers_count": 0,
        "subscribers_count": 0,
        "watchers_count": 0,
        "size": 0,
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
        "pushed_at": moment(_pushed_at(call, item)),
    }


def _pushed_at(call: Call, item: Repository) -> datetime:
    moves = [a for a in call.hub.state.activity.all() if a.repository == item.full_name]
    return moves[-1].timestamp if moves else item.created_at
