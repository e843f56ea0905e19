from __future__ import annotations

from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_who_am_i(world: World) -> None:
    me = world.login("alice").me()
    assert (me.login, me.type, me.email) == ("alice", "User", None)
    with pytest.raises(github3.exceptions.ForbiddenError):
        world.login("bot").me()


def test_users(world: World) -> None:
    assert world.login("alice").user("bob").login == "bob"
    with pytest.raises(github3.exceptions.NotFoundError):
        world.login("alice").user("nobody")


def test_team_membership_by_number_and_slug(world: World) -> None:
    organization = world.login("alice").organization("acme")
    team = organization.team_by_name("reviewers")
    assert team.membership_for("bob") == {
        "url": team.url + "/memberships/bob",
        "role": "maintainer",
        "state": "active",
    }
    with pytest.raises(github3.exceptions.NotFoundError):
        team.membership_for("alice")
    assert [one.login for one in team.members()] == ["bob", "carol"]
    assert [one.login for one in team.members(role="maintainer")] == ["bob"]
    session = world.session("alice")
    by_slug = session.get(world.api("/orgs/acme/teams/reviewers/memberships/carol"))
    assert by_slug.json()["role"] == "member"
    by_number = session.get(world.api(f"/teams/{team.id}/memberships/carol"))
    assert by_number.json() == by_slug.json()
    assert organization.team(team.id).slug == "reviewers"
    assert [one.slug for one in organization.teams()] == ["reviewers"]


def test_membership_changes(world: World) -> None:
    url = world.api("/orgs/acme/teams/reviewers/memberships/alice")
    session = world.session("admin")
    assert session.get(url).status_code == 404
    assert session.put(url, json={"role": "member"}).json()["role"] == "member"
    assert session.get(url).status_code == 200
    assert session.delete(url).status_code == 204
    assert session.get(url).status_code == 404


@pytest.mark.parametrize(
    ("login", "permission"), [("alice", "write"), ("reader", "read"), ("outsider", "none")]
)
def test_permission_on_the_repository(world: World, login: str, permission: str) -> None:
    shown = world.session("bob").get(world.at(f"/collaborators/{login}/permission")).json()
    assert (shown["permission"], shown["user"]["login"]) == (permission, login)


def test_collaborators(world: World) -> None:
    repo = world.repo("bob")
    assert "outsider" not in {one.login for one in repo.collaborators()}
    assert repo.is_collaborator("alice")
    assert not repo.is_collaborator("outsider")


def test_organization_membership(world: World) -> None:
    organization = world.login("alice").organization("acme")
    assert organization.is_member("bob")
    assert not organization.is_member("outsider")
    assert organization.membership_for("admin").role == "admin"
