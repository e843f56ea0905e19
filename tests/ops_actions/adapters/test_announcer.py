from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.clients.slack import SlackClient
from ops_actions.adapters.announcer import SlackAnnouncer
from ops_actions.apply.protocol import Message
from ops_actions.errors import OutsideError
from sandbox.emulator import Fault, FaultSwitch, Store, running
from sandbox.slack.app import create_app
from sandbox.slack.seed import ChannelSeed, seed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANNEL = "C0OPSHUB"
TOKEN = "canary-slack-token"
MESSAGE = Message("c/applied", "*applied* in production")


@dataclass(frozen=True)
class World:
    announcer: SlackAnnouncer
    store: Store
    faults: FaultSwitch

    def texts(self) -> list[str]:
        return [one["message"]["text"] for one in self.store.all(f"messages/{CHANNEL}")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(tmp_path / "slack.sqlite")
    seed(store, token=TOKEN, channels=[ChannelSeed(CHANNEL, "clarivum-ops")])
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key="k")
    with running({"slack": app}) as urls:
        client = SlackClient(TOKEN, base_url=urls["slack"] + "/api/", sleep=lambda _: None)
        yield World(SlackAnnouncer(client, CHANNEL), store, app.state.faults)
        app.state.faults.clear()
    store.close()


def test_a_message_is_posted_once_and_its_place_is_told(world: World) -> None:
    reference = world.announcer.announce(MESSAGE)
    assert reference.startswith(f"{CHANNEL}/")
    assert world.announcer.announce(MESSAGE) == reference
    assert world.texts() == [MESSAGE.text]


def test_an_answer_that_got_lost_is_not_posted_again(world: World) -> None:
    world.faults.arm(Fault.model_validate({"kind": "drop_after_effect", "path_regex": "post"}))
    assert world.announcer.announce(MESSAGE).startswith(f"{CHANNEL}/")
    assert world.texts() == [MESSAGE.text]


def test_what_can_not_be_posted_says_so_without_the_token(world: World) -> None:
    world.faults.arm(Fault.model_validate({"kind": "status", "status": 500, "times": None}))
    with pytest.raises(OutsideError, match=r"outside\.slack") as caught:
        world.announcer.announce(MESSAGE)
    assert "coh reconcile" in caught.value.next_step
    assert TOKEN not in str(caught.value)
    world.faults.clear()
    world.announcer.announce(MESSAGE)
    assert world.texts() == [MESSAGE.text]
