from __future__ import annotations

from typing import TYPE_CHECKING

import github3
import pytest

from sandbox.github import delete_user

if TYPE_CHECKING:
    from tests.sandbox.github.support import Untyped, World


def approve(world: World, who: str, event: str = "APPROVE") -> Untyped:
    pull = world.repo(who).pull_request(1)
    return pull.create_review("looks right", event=event)


def test_two_people_review(world: World) -> None:
    pull = world.pull("alice", "one", {"a.txt": b"1\n"})
    approve(world, "bob")
    approve(world, "carol", "REQUEST_CHANGES")
    found = list(world.repo("alice").pull_request(1).reviews())
    assert [(one.user.login, one.state, one.commit_id) for one in found] == [
        ("bob", "APPROVED", pull.head.sha),
        ("carol", "CHANGES_REQUESTED", pull.head.sha),
    ]
    assert found[0].submitted_at < found[1].submitted_at


def test_review_stays_on_the_commit_it_was_given_on(world: World) -> None:
    old = world.pull("alice", "one", {"a.txt": b"1\n"}).head.sha
    approve(world, "bob")
    new = world.commit("alice", "one", {"a.txt": b"2\n"})
    review = next(iter(world.repo("alice").pull_request(1).reviews()))
    assert (review.state, review.commit_id) == ("APPROVED", old)
    assert world.repo("alice").pull_request(1).head.sha == new


@pytest.mark.parametrize("event", ["APPROVE", "REQUEST_CHANGES"])
def test_own_pull_request_can_not_be_judged(world: World, event: str) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        approve(world, "alice", event)
    assert approve(world, "alice", "COMMENT").state == "COMMENTED"


def test_pending_review_is_seen_by_its_author_only(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    review = world.repo("bob").pull_request(1).create_review("draft")
    assert review.state == "PENDING"
    assert list(world.repo("carol").pull_request(1).reviews()) == []
    assert review.submit("done", "APPROVE")
    assert [one.state for one in world.repo("carol").pull_request(1).reviews()] == ["APPROVED"]


def test_dismissal_takes_the_verdict(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    review = approve(world, "bob")
    url = world.at(f"/pulls/1/reviews/{review.id}/dismissals")
    refused = world.session("reader").put(url, json={"message": "no"})
    assert refused.status_code == 403
    answer = world.session("carol").put(url, json={"message": "outdated"})
    assert (answer.status_code, answer.json()["state"]) == (200, "DISMISSED")


def test_deleted_account_is_a_null_user(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    approve(world, "bob")
    delete_user(world.store, "bob")
    shown = world.session("carol").get(world.at("/pulls/1/reviews")).json()
    assert [(one["user"], one["state"]) for one in shown] == [(None, "APPROVED")]
    with pytest.raises(TypeError):
        list(world.repo("carol").pull_request(1).reviews())


def test_deleted_author_is_the_ghost(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    delete_user(world.store, "alice")
    assert world.repo("carol").pull_request(1).user.login == "ghost"


def test_reviews_of_more_than_a_page(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    session = world.session("bob")
    body = {"body": "note", "event": "COMMENT"}
    for _ in range(105):
        assert session.post(world.at("/pulls/1/reviews"), json=body).status_code == 200
    found = [one.id for one in world.repo("bob").pull_request(1).reviews()]
    assert len(found) == len(set(found)) == 105
    page = session.get(world.at("/pulls/1/reviews?per_page=50&page=2"))
    assert {name: link["url"].rpartition("page=")[2] for name, link in page.links.items()} == {
        "prev": "1",
        "first": "1",
        "next": "3",
        "last": "3",
    }


def test_people_and_teams_are_asked(world: World) -> None:
    pull = world.pull("alice", "one", {"a.txt": b"1\n"})
    pull.create_review_requests(reviewers=["bob"], team_reviewers=["reviewers"])
    asked = world.repo("bob").pull_request(1)
    assert [one.login for one in asked.requested_reviewers] == ["bob"]
    assert [one.slug for one in asked.requested_teams] == ["reviewers"]
    approve(world, "bob")
    assert world.repo("bob").pull_request(1).requested_reviewers == []
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        pull.create_review_requests(reviewers=["alice"])
    assert pull.delete_review_requests(team_reviewers=["reviewers"], reviewers=[])
    assert world.repo("bob").pull_request(1).requested_teams == []


def test_commit_of_another_branch_can_not_be_reviewed(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    other = world.commit("alice", "two", {"b.txt": b"1\n"})
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        world.repo("bob").pull_request(1).create_review("x", commit_id=other, event="APPROVE")
