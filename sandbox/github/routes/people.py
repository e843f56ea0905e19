"""People, the organisation, its teams, and who may do what on the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.models import ROLES
from sandbox.github.serialise import people

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json
    from sandbox.github.models import Account, Team

ORG = "/orgs/{org}"
TEAM = f"{ORG}/teams/{{team_slug}}"
TEAM_BY_ID = ("/teams/{team_id}", "/organizations/{org_id}/team/{team_id}")
R = "/repos/{owner}/{repo}"
MEMBERS_READ = ("members:read",)
MEMBERS_WRITE = ("members:write",)
OLD_PERMISSION = {"maintain": "write", "triage": "read"}
"""The newer roles in the four words of the permission endpoint."""


def get_me(call: Call) -> Reply:
    """Return the caller; an App's installation has no user of its own."""
    if call.actor.kind != "user":
        raise ApiError(403, "Resource not accessible by integration")
    return Reply(200, people.full_user(call.links, call.account()))


def get_user(call: Call) -> Reply:
    """Return an account by login."""
    return Reply(200, people.full_user(call.links, _visible(call, call.path["username"])))


def get_organization(call: Call) -> Reply:
    """Return the organisation that owns the repository."""
    return Reply(200, people.organization(call.links, _owner(call)))


def list_teams(call: Call) -> Reply:
    """List the teams."""
    owner = _owner(call)
    return call.page(call.hub.state.teams.all(), lambda one: people.team(call.links, owner, one))


def get_team(call: Call) -> Reply:
    """Return a team by slug or number."""
    return Reply(200, people.team(call.links, _owner(call), _team(call)))


def list_members(call: Call) -> Reply:
    """List the members of a team, where asked only those of one role."""
    role = call.query.get("role", "all")
    logins = [login for login, held in _team(call).members.items() if role in {"all", held}]
    found = [call.hub.state.visible(login) for login in logins]
    shown = [account for account in found if account is not None]
    return call.page(shown, lambda one: people.user(call.links, one))


def get_membership(call: Call) -> Reply:
    """Return a person's place in a team; 404 when there is none."""
    team, account = _team(call), _visible(call, call.path["username"])
    role = team.members.get(account.login)
    if role is None:
        raise not_found()
    return Reply(200, _membership(call, team, account.login, role))


def put_membership(call: Call) -> Reply:
    """Put a person into a team, or change the role there."""
    team, account = _team(call), _visible(call, call.path["username"])
    role = call.text("role", "member")
    if role not in {"member", "maintainer"}:
        raise invalid("role is member or maintainer", name="role", code="invalid")
    members = {**team.members, account.login: cast("Literal['member', 'maintainer']", role)}
    call.hub.state.teams.put(team.model_copy(update={"members": members}))
    return Reply(200, _membership(call, team, account.login, role))


def remove_membership(call: Call) -> Reply:
    """Take a person out of a team."""
    team, account = _team(call), _visible(call, call.path["username"])
    members = {login: role for login, role in team.members.items() if login != account.login}
    call.hub.state.teams.put(team.model_copy(update={"members": members}))
    return Reply(204)


def get_organization_membership(call: Call) -> Reply:
    """Return a person's membership of the organisation."""
    owner, account = _owner(call), _visible(call, call.path["username"])
    if account.type != "User" or account.role == "none":
        raise not_found()
    url = f"{call.links.api}/orgs/{owner.login}"
    shown = {
        "url": f"{url}/memberships/{account.login}",
        "state": "active",
        "role": "admin" if account.role == "admin" else "member",
        "organization_url": url,
        "organization": people.organization(call.links, owner),
        "user": people.user(call.links, account),
    }
    return Reply(200, shown)


def check_member(call: Call) -> Reply:
    """Answer 204 for a member of the organisation and 404 for anyone else."""
    get_organization_membership(call)
    return Reply(204)


def list_collaborators(call: Call) -> Reply:
    """List the people with access to the repository."""
    accounts = call.hub.state.accounts.all()
    found = [a for a in accounts if a.type == "User" and a.role != "none" and not a.deleted]
    return call.page(found, lambda one: _collaborator(call, one))


def check_collaborator(call: Call) -> Reply:
    """Answer 204 for someone with access to the repository and 404 for anyone else."""
    if _visible(call, call.path["username"]).role == "none":
        raise not_found()
    return Reply(204)


def get_permission(call: Call) -> Reply:
    """Return someone's role on the repository, also in the older four words."""
    account = _visible(call, call.path["username"])
    shown = {
        "permission": OLD_PERMISSION.get(account.role, account.role),
        "role_name": account.role,
        "user": _collaborator(call, account),
    }
    return Reply(200, shown)


def _collaborator(call: Call, account: Account) -> Json:
    rank = ROLES.index(account.role)
    held = {
        "pull": rank >= ROLES.index("read"),
        "triage": rank >= ROLES.index("triage"),
        "push": rank >= ROLES.index("write"),
        "maintain": rank >= ROLES.index("maintain"),
        "admin": rank >= ROLES.index("admin"),
    }
    shown = people.user(call.links, account) or {}
    return {**shown, "permissions": held, "role_name": account.role}


def _visible(call: Call, login: str) -> Account:
    found = call.hub.state.visible(login)
    if found is None:
        raise not_found()
    return found


def _owner(call: Call) -> Account:
    owner = call.hub.state.account(call.hub.owner)
    if owner is None or call.path.get("org", owner.login).lower() != owner.login.lower():
        raise not_found()
    if call.path.get("org_id", str(owner.id)) != str(owner.id):
        raise not_found()
    return owner


def _team(call: Call) -> Team:
    _owner(call)
    if "team_slug" in call.path:
        found = call.hub.state.teams.get(call.path["team_slug"])
    else:
        number = call.number("team_id")
        found = next((team for team in call.hub.state.teams.all() if team.id == number), None)
    if found is None:
        raise not_found()
    return found


def _membership(call: Call, team: Team, login: str, role: str) -> Json:
    owner = _owner(call)
    url = f"{call.links.api}/organizations/{owner.id}/team/{team.id}/memberships/{login}"
    return {"url": url, "role": role, "state": "active"}


def _team_endpoints(base: str) -> tuple[Endpoint, ...]:
    membership = f"{base}/memberships/{{username}}"
    return (
        Endpoint("GET", base, get_team, MEMBERS_READ),
        Endpoint("GET", f"{base}/members", list_members, MEMBERS_READ),
        Endpoint("GET", membership, get_membership, MEMBERS_READ),
        Endpoint("PUT", membership, put_membership, MEMBERS_WRITE),
        Endpoint("DELETE", membership, remove_membership, MEMBERS_WRITE),
    )


ENDPOINTS = (
    Endpoint("GET", "/user", get_me),
    Endpoint("GET", "/users/{username}", get_user),
    Endpoint("GET", ORG, get_organization),
    Endpoint("GET", f"{ORG}/teams", list_teams, MEMBERS_READ),
    *(endpoint for base in (TEAM, *TEAM_BY_ID) for endpoint in _team_endpoints(base)),
    Endpoint("GET", f"{ORG}/members/{{username}}", check_member, MEMBERS_READ),
    Endpoint("GET", f"{ORG}/memberships/{{username}}", get_organization_membership, MEMBERS_READ),
    Endpoint("GET", f"{R}/collaborators", list_collaborators, ("metadata:read",)),
    Endpoint("GET", f"{R}/collaborators/{{username}}", check_collaborator, ("metadata:read",)),
    Endpoint(
        "GET", f"{R}/collaborators/{{username}}/permission", get_permission, ("metadata:read",)
    ),
)
