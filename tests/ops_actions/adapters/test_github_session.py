"""Limits and failures of GitHub: what is waited for, what is repeated, what never."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.github import GitHubHost
from ops_actions.adapters.github_session import open_session
from ops_actions.errors import BadRequestError
from ops_actions.pull_request.model import StatusState
from sandbox.emulator import FaultKind
from tests.ops_actions.adapters.github_odd import read, refused
from tests.ops_actions.adapters.github_world import CANARY, NAME, QUICK, World, github_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with github_world(tmp_path) as running_world:
        yield running_world


def count(world: World, method: str, ending: str) -> int:
    return sum(m == method and p.endswith(ending) for m, p in world.seen())


def test_a_wrong_token_names_its_variable(world: World) -> None:
    error = refused(world.host("ghp-wrong").me)
    assert (error.code, "COH_GITHUB_TOKEN" in error.next_step) == ("github.unauthorised", True)


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_is_waited_out(world: World, status: int) -> None:
    world.fault(FaultKind.STATUS, "/pulls$", status=status, retry_after=7)
    assert read(world.host(), world.first)() == ()
    assert world.slept == [7.0]


def test_a_limited_write_is_sent_again_since_nothing_was_done(world: World) -> None:
    world.fault(FaultKind.STATUS, "/statuses/", status=403, retry_after=1)
    world.host().post_status(world.first, StatusState.SUCCESS, "c", "d", None)
    assert world.slept == [1.0]
    assert count(world, "POST", f"/statuses/{world.first}") == 2


def test_waiting_is_bounded_in_sum(world: World) -> None:
    world.fault(FaultKind.STATUS, "/pulls$", status=403, retry_after=20, times=None)
    error = refused(read(world.host(), world.first))
    assert error.code == "github.rate_limited"
    assert "20 seconds" in error.fact
    assert world.slept == [20.0]


def test_a_long_wait_is_not_begun(world: World) -> None:
    world.fault(FaultKind.STATUS, "/pulls$", status=403, retry_after=3600)
    assert refused(read(world.host(), world.first)).code == "github.rate_limited"
    assert world.slept == []


def test_429_without_a_time_is_a_limit_too(world: World) -> None:
    world.fault(FaultKind.STATUS, "/pulls$", status=429, times=None)
    assert refused(read(world.host(), world.first)).code == "github.rate_limited"


def test_the_hourly_limit_names_the_wait_until_its_reset(tmp_path: Path) -> None:
    with github_world(tmp_path, rate_limit=3) as world:
        host = world.host()
        for _ in range(3):
            host.me()
        error = refused(host.me)
    assert error.code == "github.rate_limited"
    assert any(f"{seconds} seconds" in error.fact for seconds in range(3500, 3601))
    assert world.slept == []


def test_a_read_is_repeated_after_a_server_failure(world: World) -> None:
    world.fault(FaultKind.STATUS, "/pulls$", status=500)
    world.fault(FaultKind.STATUS, "/pulls$", status=503)
    assert read(world.host(), world.first)() == ()
    assert count(world, "GET", "/pulls") == 3


def test_a_read_is_repeated_after_a_lost_connection(world: World) -> None:
    world.fault(FaultKind.DROP_BEFORE_EFFECT, "/pulls$")
    assert read(world.host(), world.first)() == ()


def test_a_server_that_keeps_failing_is_an_outside_failure(world: World) -> None:
    world.fault(FaultKind.STATUS, "/pulls$", status=502, times=None)
    error = refused(read(world.host(), world.first))
    assert (error.code, "502" in error.fact) == ("github.failed", True)
    assert count(world, "GET", "/pulls") == 1 + QUICK.retries


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (FaultKind.STATUS, 500, "github.failed"),
        (FaultKind.STATUS, 503, "github.failed"),
        (FaultKind.DROP_AFTER_EFFECT, None, "github.unreachable"),
        (FaultKind.HANG, None, "github.unreachable"),
    ],
)
def test_a_write_is_never_repeated(
    world: World, kind: FaultKind, status: int | None, code: str
) -> None:
    world.fault(kind, "/statuses/", status=status)
    host = world.host()
    error = refused(lambda: host.post_status(world.first, StatusState.SUCCESS, "c", "d", None))
    assert error.code == code
    world.app.state.faults.clear()
    host.me()  # the hanging request is written down once it ends, so let one more pass
    assert count(world, "POST", f"/statuses/{world.first}") == 1


def test_a_server_that_hangs_is_given_up(world: World) -> None:
    world.fault(FaultKind.HANG, "/pulls$", times=None)
    assert refused(read(world.host(), world.first)).code == "github.unreachable"


def test_a_server_that_is_not_there() -> None:
    host = GitHubHost("http://127.0.0.1:9/api/v3", NAME, CANARY, patience=QUICK)
    assert refused(host.me).code == "github.unreachable"
    host.close()


def test_nothing_is_logged_that_holds_the_token(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.pull()
    refused(lambda: world.host().pull_request(99), BadRequestError)
    assert caplog.records
    assert CANARY[:12] not in caplog.text


@pytest.mark.parametrize("token", ["", "a b", "abc\n", "abc\r\nX: y", "tökén", "\x7f"])
def test_a_token_that_cannot_be_one_is_refused_unseen(token: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        open_session("https://api.github.com", token)
    assert caught.value.code == "github.token_missing"
    assert not token.strip() or token.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://github.example/api/v3",
        "ftp://127.0.0.1/x",
        "https://user:pw@github.example",
        "https://api.github.com?x=1",
        "api.github.com",
        "",
        "http://127.0.0.1.evil.example/api/v3",
    ],
)
def test_the_token_goes_only_over_a_safe_connection(url: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        open_session(url, CANARY)
    assert caught.value.code == "github.bad_api_url"


def test_github_com_and_enterprise_addresses_are_taken() -> None:
    for url in (
        "https://api.github.com",
        "https://github.example/api/v3/",
        "http://[::1]:1/api/v3",
    ):
        session = open_session(url, CANARY)
        assert session.base_url == url.rstrip("/")
        assert session.headers["X-GitHub-Api-Version"] == "2022-11-28"
