from __future__ import annotations

from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_repository(world: World) -> None:
    repo = world.repo("alice")
    assert (repo.full_name, repo.default_branch, repo.private) == ("acme/ops", "main", True)
    assert repo.as_dict()["permissions"]["push"] is True
    assert world.repo("reader").as_dict()["permissions"]["push"] is False
    with pytest.raises(github3.exceptions.NotFoundError):
        world.login("alice").repository("acme", "other")


def test_fork_is_its_owners(world: World) -> None:
    session = world.session("reader")
    assert session.post(world.at("/forks"), json={}).json()["full_name"] == "reader/ops"
    assert session.post(world.at("/forks"), json={}).json()["full_name"] == "reader/ops"
    assert [one.full_name for one in world.repo("alice").forks()] == ["reader/ops"]
    fork = world.login("alice").repository("reader", "ops")
    assert fork.file_contents("README.md").decoded == b"# Ops\n"
    with pytest.raises(github3.exceptions.ForbiddenError):
        fork.create_file("x", "x", b"x")
    answer = session.get(world.api("/repos/reader/ops/pulls"))
    assert answer.status_code == 404


def test_rate_limit_is_told_and_not_counted(world: World) -> None:
    before = world.login("alice").rate_limit()["rate"]["remaining"]
    assert world.login("alice").rate_limit()["rate"]["remaining"] == before
    world.repo("alice")
    answer = world.session("alice").get(world.at(""))
    assert int(answer.headers["X-RateLimit-Remaining"]) == before - 2
    assert int(answer.headers["X-RateLimit-Limit"]) == 5000
