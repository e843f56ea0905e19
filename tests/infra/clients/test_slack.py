"""The Slack client against the emulator: a message is posted once, whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.clients.errors import (
    BadRequestError,
    ClientError,
    NotFoundError,
    RateLimitedError,
    ReadOnlyError,
    UnauthorisedError,
    UnavailableError,
    UnknownOutcomeError,
)
from infra.clients.slack import Posted, SlackClient
from sandbox.emulator import Fault, FaultSwitch, Store, running
from sandbox.slack.app import create_app
from sandbox.slack.seed import ChannelSeed, seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from infra.clients.transport import Json

TOKEN = "canary-slack-token"
CHANNEL = "C0OPSHUB"


@dataclass(frozen=True)
class World:
    url: str
    client: SlackClient
    faults: FaultSwitch
    store: Store
    waits: list[float]

    def texts(self) -> list[str]:
        return [one["message"]["text"] for one in self.store.all(f"messages/{CHANNEL}")]

    def arm(self, **fault: object) -> None:
        self.faults.arm(Fault.model_validate(fault))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(tmp_path / "slack.sqlite")
    channels = [ChannelSeed(CHANNEL, "clarivum-ops"), ChannelSeed("C0OLD", "old", archived=True)]
    seed(store, token=TOKEN, channels=channels)
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key="k")
    waits: list[float] = []
    with running({"slack": app}) as urls:
        url = urls["slack"] + "/api/"
        client = SlackClient(TOKEN, base_url=url, timeout=5, sleep=waits.append)
        yield World(url, client, app.state.faults, store, waits)
        app.state.faults.clear()
    store.close()
    assert app.state.contract_log.of("answer", "unknown") == []


def test_a_message_is_posted_once_found_and_changed(world: World) -> None:
    posted = world.client.post_once(CHANNEL, "key-1", "Flag on")
    assert world.client.post_once(CHANNEL, "key-1", "Flag on") == posted
    assert world.client.find(CHANNEL, "key-1") == posted
    assert world.client.find(CHANNEL, "key-2") is None
    blocks: list[Mapping[str, Json]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*off*"}}
    ]
    world.client.update(posted, "key-1", "Flag off again", blocks)
    assert world.texts() == ["Flag off again"]
    assert world.client.post_once(CHANNEL, "key-1", "Flag on") == posted
    world.client.post_once(CHANNEL, "key-2", "Other")
    assert len(world.texts()) == 2


def test_a_post_whose_answer_is_lost_is_found_and_not_repeated(world: World) -> None:
    world.arm(kind="drop_after_effect", path_regex="postMessage")
    posted = world.client.post_once(CHANNEL, "key-1", "Once")
    assert world.client.find(CHANNEL, "key-1") == posted
    assert world.texts() == ["Once"]


@pytest.mark.parametrize("kind", ["drop_before_effect", "hang"])
def test_a_post_that_never_arrived_has_an_unknown_outcome(world: World, kind: str) -> None:
    world.arm(kind=kind, path_regex="postMessage", times=None)
    client = SlackClient(TOKEN, base_url=world.url, timeout=1)
    with pytest.raises(UnknownOutcomeError):
        client.post_once(CHANNEL, "key-1", "Never")
    assert world.texts() == []


def test_the_rate_limit_is_waited_for_and_bounded(world: World) -> None:
    world.arm(kind="status", status=429, retry_after=3, path_regex="postMessage")
    world.client.post_once(CHANNEL, "key-1", "Late")
    assert world.waits == [3.0]
    assert world.texts() == ["Late"]
    world.arm(kind="status", status=429, retry_after=3600, path_regex="postMessage")
    with pytest.raises(RateLimitedError):
        world.client.post_once(CHANNEL, "key-2", "Too late")
    assert world.waits == [3.0]


@pytest.mark.parametrize(
    ("channel", "kind"), [("C0NOWHERE", NotFoundError), ("C0OLD", BadRequestError)]
)
def test_refusals_with_status_200_are_errors(
    world: World, channel: str, kind: type[ClientError]
) -> None:
    with pytest.raises(kind) as refused:
        world.client.post_once(channel, "key-1", "No")
    assert refused.value.status == 200


def test_other_failures_are_typed(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.client.update(Posted(CHANNEL, "1.000001"), "key-1", "No")
    stranger = SlackClient("canary-wrong", base_url=world.url)
    with pytest.raises(UnauthorisedError) as refused:
        stranger.update(Posted(CHANNEL, "1.000001"), "key-1", "No")
    assert "canary-wrong" not in str(refused.value)
    world.arm(kind="status", status=500, path_regex="chat.update")
    with pytest.raises(UnknownOutcomeError):
        world.client.update(Posted(CHANNEL, "1.000001"), "key-1", "No")
    nowhere = SlackClient(TOKEN, base_url="http://127.0.0.1:9/api/", timeout=1)
    with pytest.raises(UnavailableError):
        nowhere.find(CHANNEL, "key-1")


def test_a_read_only_client_sends_no_write(world: World) -> None:
    reader = SlackClient(TOKEN, base_url=world.url, read_only=True)
    with pytest.raises(ReadOnlyError):
        reader.post_once(CHANNEL, "key-1", "No")
    with pytest.raises(ReadOnlyError):
        reader.update(Posted(CHANNEL, "1.000001"), "key-1", "No")
    assert world.texts() == []
