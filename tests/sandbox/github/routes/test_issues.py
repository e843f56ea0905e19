from __future__ import annotations

from typing import TYPE_CHECKING

import github3
import pytest

from sandbox.github import delete_user

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_sticky_comment_is_written_once_and_changed(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    world.repo("bot").pull_request(1).create_comment("<!-- card --> first")
    found = list(world.repo("bot").pull_request(1).issue_comments())
    assert [(one.user.login, one.body) for one in found] == [
        ("coh-bot[bot]", "<!-- card --> first")
    ]
    assert found[0].edit("<!-- card --> second")
    again = list(world.repo("bob").pull_request(1).issue_comments())
    assert [(one.id, one.body) for one in again] == [(found[0].id, "<!-- card --> second")]
    assert again[0].updated_at > again[0].created_at
    assert again[0].body_html == "&lt;!-- card --&gt; second"


def test_comment_of_another_is_not_a_bots_to_change(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    world.repo("alice").pull_request(1).create_comment("mine")
    by_bot = next(iter(world.repo("bot").pull_request(1).issue_comments()))
    with pytest.raises(github3.exceptions.ForbiddenError):
        by_bot.edit("theirs")
    by_reader = next(iter(world.repo("reader").pull_request(1).issue_comments()))
    with pytest.raises(github3.exceptions.ForbiddenError):
        by_reader.delete()
    assert next(iter(world.repo("bob").pull_request(1).issue_comments())).delete()
    assert list(world.repo("bob").pull_request(1).issue_comments()) == []


def test_blank_comment_is_refused(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    answer = world.session("bob").post(world.at("/issues/1/comments"), json={"body": " "})
    assert answer.status_code == 422


def test_comments_of_more_than_a_page_and_since(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    session = world.session("bob")
    for number in range(103):
        session.post(world.at("/issues/1/comments"), json={"body": f"{number}"})
    found = list(world.repo("bob").pull_request(1).issue_comments())
    assert [one.body for one in found] == [str(number) for number in range(103)]
    since = found[100].created_at.isoformat().replace("+00:00", "Z")
    late = session.get(world.at(f"/issues/1/comments?since={since}")).json()
    assert [one["body"] for one in late] == ["100", "101", "102"]


def test_deleted_account_leaves_its_comment(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    world.repo("bob").pull_request(1).create_comment("bye")
    delete_user(world.store, "bob")
    shown = world.session("carol").get(world.at("/issues/1/comments")).json()
    assert [(one["user"], one["body"]) for one in shown] == [(None, "bye")]


def test_labels(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    world.repo("bob").create_label("Destructive", "b60205", "destroys something")
    issue = world.repo("bob").pull_request(1).issue()
    issue.add_labels("destructive", "new")
    assert [one.name for one in issue.labels()] == ["Destructive", "new"]
    assert issue.remove_label("new") is not None
    shown = world.repo("bob").pull_request(1).as_dict()["labels"]
    assert [(one["name"], one["color"]) for one in shown] == [("Destructive", "b60205")]
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        world.repo("bob").create_label("destructive", "000000")
    assert [one.name for one in world.repo("bob").labels()] == ["Destructive", "new"]


def test_issue_side_of_a_pull_request(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    issue = world.repo("bob").pull_request(1).issue()
    assert (issue.number, issue.user.login, issue.state) == (1, "alice", "open")
    assert issue.pull_request_urls["url"].endswith("/pulls/1")
