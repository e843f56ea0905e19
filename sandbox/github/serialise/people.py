"""Users, organisations, teams and Apps as GitHub shows them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from sandbox.github.models import GHOST

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.github.call import Json, Links
    from sandbox.github.models import Account, App, Team

GHOST_ID = 10137
USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def moment(when: datetime) -> str:
    """Return a moment as GitHub writes it: UTC, whole seconds."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def optional_moment(when: datetime | None) -> str | None:
    """Return a moment, or None for none."""
    return None if when is None else moment(when)


def node_id(kind: str, number: int) -> str:
    """Return an opaque global identifier."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def user(links: Links, account: Account | None) -> Json | None:
    """Return the short form of an account; None stays None, as for a deleted account."""
    return None if account is None else _named(links, account.login, account.id, account.type)


def user_or_ghost(links: Links, account: Account | None) -> Json:
    """Return the short form of an account, GitHub's ghost for a deleted one."""
    return user(links, account) or _named(links, GHOST, GHOST_ID, "User")


def full_user(links: Links, account: Account) -> Json:
    """Return what GET /user and GET /users/{login} show; personal fields are always null."""
    return {
        **_named(links, account.login, account.id, account.type),
        "name": None,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": moment(account.created_at),
        "updated_at": moment(account.created_at),
    }


def organization(links: Links, account: Account) -> Json:
    """Return an organisation."""
    url = f"{links.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("Organization", account.id),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{links.root}/avatars/{account.id}",
        "description": "",
        "name": account.login,
        "html_url": f"{links.root}/{account.login}",
        "followers": 0,
        "following": 0,
        "public_repos": 0,
        "created_at": moment(account.created_at),
        "updated_at": moment(account.created_at),
        "type": "Organization",
    }


def team(links: Links, owner: Account, item: Team) -> Json:
    """Return a team in its full form."""
    url = f"{links.api}/organizations/{owner.id}/team/{item.id}"
    return {
        "id": item.id,
        "node_id": node_id("Team", item.id),
        "url": url,
        "html_url": f"{links.root}/orgs/{owner.login}/teams/{item.slug}",
        "name": item.name,
        "slug": item.slug,
        "description": "",
        "privacy": "closed",
        "permission": item.permission,
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
        "members_count": len(item.members),
        "repos_count": 1,
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
        "organization": organization(links, owner),
    }


def app(links: Links, owner: Account, item: App) -> Json:
    """Return a GitHub App."""
    return {
        "id": item.id,
        "slug": item.slug,
        "node_id": node_id("App", item.id),
        "name": item.slug,
        "owner": user(links, owner),
        "description": "",
        "external_url": f"{links.root}/apps/{item.slug}",
        "html_url": f"{links.root}/apps/{item.slug}",
        "permissions": item.permissions,
        "events": [],
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
    }


def installation(links: Links, owner: Account, item: App) -> Json:
    """Return the installation of an App on the organisation."""
    number = item.installation_id
    return {
        "id": number,
        "account": user(links, owner),
        "app_id": item.id,
        "app_slug": item.slug,
        "target_id": owner.id,
        "target_type": "Organization",
        "permissions": item.permissions,
        "events": [],
        "repository_selection": "all",
        "single_file_name": None,
        "access_tokens_url": f"{links.api}/app/installations/{number}/access_tokens",
        "repositories_url": f"{links.api}/installation/repositories",
        "html_url": f"{links.root}/organizations/{owner.login}/settings/installations/{number}",
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
    }


def _named(links: Links, login: str, number: int, kind: str) -> Json:
    url = f"{links.api}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id(kind, number),
        "avatar_url": f"{links.root}/avatars/{number}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{links.root}/{login}",
        **{name: f"{url}{suffix}" for name, suffix in USER_LINKS.items()},
        "type": kind,
        "site_admin": False,
    }
