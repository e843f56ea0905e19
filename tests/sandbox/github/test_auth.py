from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import github3
import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.github.support import World


def test_wrong_token(world: World) -> None:
    with pytest.raises(github3.exceptions.AuthenticationFailed):
        world.repo("nobody")
    bare = requests.get(world.at(""), timeout=5)
    assert (bare.status_code, bare.json()["message"]) == (401, "Requires authentication")
    basic = requests.get(world.at(""), auth=("alice", "x"), timeout=5)
    assert basic.status_code == 401


def test_wrong_token_is_said_before_a_bad_request(world: World) -> None:
    answer = world.session("nobody").post(world.at("/git/refs"), json={})
    assert answer.status_code == 401
    assert world.session("alice").post(world.at("/git/refs"), json={}).status_code == 422


def test_missing_scope(world: World) -> None:
    repo = world.repo("weak")
    assert repo.file_contents("README.md").decoded == b"# Ops\n"
    with pytest.raises(github3.exceptions.ForbiddenError) as caught:
        repo.create_ref("refs/heads/x", world.first)
    assert caught.value.response.headers["X-Accepted-GitHub-Permissions"] == "contents=write"
    with pytest.raises(github3.exceptions.ForbiddenError):
        list(repo.pull_requests())
    assert world.repo("alice").branch("main").commit.sha == world.first


def test_reader_can_not_write(world: World) -> None:
    with pytest.raises(github3.exceptions.ForbiddenError):
        world.repo("reader").create_ref("refs/heads/x", world.first)


def test_outsider_sees_nothing(world: World) -> None:
    with pytest.raises(github3.exceptions.NotFoundError):
        world.repo("outsider")


def test_app_token_reads_no_repository(world: World) -> None:
    answer = world.session("app").get(world.at("/contents/README.md"))
    assert answer.status_code == 403


def test_token_past_its_end_is_unknown(world: World) -> None:
    assert world.repo("brief").full_name == "acme/ops"
    world.clock.now += timedelta(days=1)
    with pytest.raises(github3.exceptions.AuthenticationFailed):
        world.repo("brief")


def test_used_up_limit(make_world: Callable[..., World]) -> None:
    world = make_world(rate_limit=3)
    session = world.session("alice")
    assert [session.get(world.at("")).status_code for _ in range(4)] == [200, 200, 200, 403]
    answer = session.get(world.at(""))
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert world.session("bob").get(world.at("")).status_code == 200
    world.clock.now += timedelta(hours=1)
    assert session.get(world.at("")).status_code == 200
