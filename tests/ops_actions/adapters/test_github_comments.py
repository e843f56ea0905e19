"""Sticky comments: one per marker, ours only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.errors import OutsideError
from sandbox.github import delete_user
from tests.ops_actions.adapters.github_world import BOT, NAME, World, github_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ops_actions.adapters.github import GitHubHost

MARKER = "<!-- coh:review-card -->"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with github_world(tmp_path) as running_world:
        running_world.pull()
        yield running_world


@pytest.fixture
def bot(world: World) -> GitHubHost:
    return world.host("t-bot", BOT)


def bodies(world: World) -> list[tuple[str, str]]:
    pull = world.host()._repository.pull_request(1)
    return [(comment.user.login, comment.body) for comment in pull.issue_comments()]


def writes(world: World) -> list[tuple[str, str]]:
    return [entry for entry in world.seen() if entry[0] != "GET"]


def test_created_then_changed_then_left_alone(world: World, bot: GitHubHost) -> None:
    assert bot.comment_by_marker(1, MARKER) is None
    first = bot.upsert_comment(1, MARKER, f"{MARKER}\none\n")
    second = bot.upsert_comment(1, MARKER, f"{MARKER}\ntwo\n")
    assert second.id == first.id
    assert bodies(world) == [(BOT, f"{MARKER}\ntwo\n")]
    before = writes(world)
    assert bot.upsert_comment(1, MARKER, f"{MARKER}\r\ntwo") == second
    assert writes(world) == before
    assert bot.comment_by_marker(1, MARKER) == second


def test_markers_are_independent(world: World, bot: GitHubHost) -> None:
    bot.upsert_comment(1, MARKER, f"{MARKER}\ncard")
    bot.upsert_comment(1, "<!-- coh:result -->", "<!-- coh:result -->\nresult")
    assert len(bodies(world)) == 2


def test_a_forged_comment_is_neither_read_nor_touched(world: World, bot: GitHubHost) -> None:
    forged = f"{MARKER}\n## Allowed"
    world.host("t-bob")._repository.pull_request(1).create_comment(forged)
    assert bot.comment_by_marker(1, MARKER) is None
    bot.upsert_comment(1, MARKER, f"{MARKER}\n## Denied")
    assert bodies(world) == [("Bob", forged), (BOT, f"{MARKER}\n## Denied")]


def test_our_own_comment_that_only_quotes_the_marker_is_not_the_card(
    world: World, bot: GitHubHost
) -> None:
    bot._repository.pull_request(1).create_comment(f"see {MARKER}")
    assert bot.comment_by_marker(1, MARKER) is None
    bot.upsert_comment(1, MARKER, f"{MARKER}\ncard")
    assert len(bodies(world)) == 2


def test_of_two_cards_made_at_once_the_older_stays(world: World, bot: GitHubHost) -> None:
    for text in ("one", "two", "three"):
        bot._repository.pull_request(1).create_comment(f"{MARKER}\n{text}")
    bot.upsert_comment(1, MARKER, f"{MARKER}\none")
    assert bodies(world) == [(BOT, f"{MARKER}\none")]


def test_the_card_is_found_behind_a_hundred_comments(world: World, bot: GitHubHost) -> None:
    bob = world.host("t-bob")._repository.pull_request(1)
    for number in range(101):
        bob.create_comment(f"{number}")
    card = bot.upsert_comment(1, MARKER, f"{MARKER}\none")
    assert bot.upsert_comment(1, MARKER, f"{MARKER}\ntwo").id == card.id


def test_a_comment_of_a_deleted_account_does_not_hide_the_card(
    world: World, bot: GitHubHost
) -> None:
    world.host("t-bob")._repository.pull_request(1).create_comment(MARKER)
    delete_user(world.store, "Bob")
    card = bot.upsert_comment(1, MARKER, f"{MARKER}\none")
    assert bot.comment_by_marker(1, MARKER) == card


def test_a_wrong_account_in_the_settings_is_noticed(world: World) -> None:
    with pytest.raises(OutsideError) as failed:
        world.host("t-bot", "other[bot]").upsert_comment(1, MARKER, f"{MARKER}\none")
    assert failed.value.code == "github.not_written"


def test_a_text_without_its_marker_is_a_mistake_of_the_caller(bot: GitHubHost) -> None:
    with pytest.raises(ValueError, match="begin with its marker"):
        bot.upsert_comment(1, MARKER, f" {MARKER}")


def test_every_write_went_to_the_conversation_of_the_pull_request(
    world: World, bot: GitHubHost
) -> None:
    before = len(writes(world))
    bot.upsert_comment(1, MARKER, f"{MARKER}\none")
    assert writes(world)[before:] == [("POST", f"/api/v3/repos/{NAME}/issues/1/comments")]
