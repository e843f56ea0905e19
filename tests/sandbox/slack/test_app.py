from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from sandbox.emulator import Contract, Store
from sandbox.slack import ChannelSeed, WebhookSeed, create_app, seed
from sandbox.slack.app import CONTRACT
from sandbox.slack.seed import TEAM
from tests.sandbox.emulator.served import CONTROL, KEY, serving, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from starlette.applications import Starlette

TOKEN = "xoxb-sandbox"
SECRET = "hook-secret"
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Slack:
    http: httpx.Client
    app: Starlette
    store: Store

    @property
    def client(self) -> WebClient:
        return WebClient(token=TOKEN, base_url=f"{self.http.base_url}/api/")

    def hook(self, secret: str = SECRET, name: str = "B1", team: str = TEAM) -> WebhookClient:
        return WebhookClient(f"{self.http.base_url}/services/{team}/{name}/{secret}")

    def messages(self) -> list[dict[str, Any]]:
        answer = self.http.get("/_sandbox/messages", headers=CONTROL)
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    def texts(self) -> list[str]:
        return [one["message"]["text"] for one in self.messages()]

    def fault(self, **fields: Any) -> None:  # noqa: ANN401 - the fields of a fault
        answer = self.http.post("/_sandbox/faults", json=fields, headers=CONTROL)
        assert answer.status_code == 201


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    store = Store(tmp_path / "slack.sqlite")
    seed(
        store,
        token=TOKEN,
        channels=[
            ChannelSeed("C1", "ops"),
            ChannelSeed("C2", "audit", private=True),
            ChannelSeed("C3", "old", archived=True),
            ChannelSeed("C4", "elsewhere", member=False),
        ],
        webhooks=[WebhookSeed("B1", SECRET, "C1"), WebhookSeed("B3", SECRET, "C3")],
    )
    app = create_app(store, clock=lambda: NOW, sandbox_key=KEY)
    with serving(app) as http:
        yield Slack(http, app, store)
    store.close()


def error_of(call: pytest.ExceptionInfo[SlackApiError]) -> tuple[int, str]:
    response = call.value.response
    return response.status_code, response["error"]


def test_every_operation_of_the_contract_is_served(slack: Slack) -> None:
    assert unserved(slack.app, Contract.load(CONTRACT)) == []


def test_the_official_client_posts_updates_and_asks_who_it_is(slack: Slack) -> None:
    assert slack.client.auth_test()["team_id"] == TEAM
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]
    metadata = {"event_type": "coh", "event_payload": {"key": "k1"}}
    posted = slack.client.chat_postMessage(
        channel="#ops", text="hello", blocks=blocks, metadata=metadata
    )
    assert posted["channel"] == "C1"
    assert slack.messages()[0]["message"]["metadata"] == metadata
    updated = slack.client.chat_update(channel="C1", ts=posted["ts"], text="done")
    assert updated["text"] == "done"
    assert slack.texts() == ["done"]
    reply = slack.client.chat_postMessage(channel="C1", text="more", thread_ts=posted["ts"])
    assert reply["message"]["thread_ts"] == posted["ts"]


def test_posting_twice_makes_two_messages(slack: Slack) -> None:
    first = slack.client.chat_postMessage(channel="C1", text="a")
    second = slack.client.chat_postMessage(channel="C1", text="a")
    assert first["ts"] < second["ts"]
    assert slack.texts() == ["a", "a"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C9", "text": "a"}, "channel_not_found"),
        ({"channel": "C3", "text": "a"}, "is_archived"),
        ({"channel": "C4", "text": "a"}, "not_in_channel"),
        ({"channel": "C1", "text": "a" * 40_001}, "msg_too_long"),
        ({"channel": "C1", "text": "a", "blocks": [{"type": "moon"}]}, "invalid_blocks"),
        ({"channel": "C1", "text": "a", "attachments": [{}] * 101}, "too_many_attachments"),
    ],
)
def test_a_refusal_is_a_200_that_is_not_ok(
    slack: Slack, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackApiError) as call:
        slack.client.chat_postMessage(**arguments)
    assert error_of(call) == (200, error)
    assert slack.messages() == []


@pytest.mark.parametrize(
    ("channel", "ts", "error"),
    [("C1", "1.000001", "message_not_found"), ("ops", "1.000001", "channel_not_found")],
)
def test_an_update_needs_a_message_and_a_channels_number(
    slack: Slack, channel: str, ts: str, error: str
) -> None:
    with pytest.raises(SlackApiError) as call:
        slack.client.chat_update(channel=channel, ts=ts, text="x")
    assert error_of(call) == (200, error)


@pytest.mark.parametrize(("token", "error"), [("wrong", "invalid_auth"), (None, "not_authed")])
def test_a_wrong_token_is_refused_before_anything_else(
    slack: Slack, token: str | None, error: str
) -> None:
    client = WebClient(token=token, base_url=f"{slack.http.base_url}/api/")
    for blocks in ([{"type": "divider"}], [{"type": "moon"}]):
        with pytest.raises(SlackApiError) as call:
            client.chat_postMessage(channel="C1", text="a", blocks=blocks)
        assert error_of(call) == (200, error)


def test_channels_are_listed_by_kind_and_page(slack: Slack) -> None:
    first = slack.client.conversations_list(limit=2)
    assert [one["name"] for one in first["channels"]] == ["ops", "old"]
    cursor = first["response_metadata"]["next_cursor"]
    second = slack.client.conversations_list(limit=2, cursor=cursor)
    assert [one["name"] for one in second["channels"]] == ["elsewhere"]
    assert second["response_metadata"]["next_cursor"] == ""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    by_query = slack.http.get("/api/conversations.list", params={"limit": 2}, headers=headers)
    assert by_query.json()["channels"] == first["channels"]
    private = slack.client.conversations_list(types="private_channel")
    assert [one["name"] for one in private["channels"]] == ["audit"]
    active = slack.client.conversations_list(exclude_archived=True)
    assert [one["name"] for one in active["channels"]] == ["ops", "elsewhere"]
    with pytest.raises(SlackApiError) as call:
        slack.client.conversations_list(cursor="nonsense")
    assert error_of(call) == (200, "invalid_cursor")


def test_a_form_works_as_json_does(slack: Slack) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    good = {"channel": "C1", "text": "a + b", "blocks": '[{"type": "divider"}]'}
    answer = slack.http.post("/api/chat.postMessage", data=good, headers=headers)
    assert answer.json()["message"]["blocks"] == [{"type": "divider"}]
    assert slack.texts() == ["a + b"]
    bad = slack.http.post("/api/chat.postMessage", data={**good, "blocks": "["}, headers=headers)
    assert bad.json() == {"ok": False, "error": "invalid_blocks_format"}


def test_a_message_without_content_is_refused(slack: Slack) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = slack.http.post("/api/chat.postMessage", json={"channel": "C1"}, headers=headers)
    assert answer.json() == {"ok": False, "error": "no_text"}


def test_an_unknown_method_is_named(slack: Slack) -> None:
    with pytest.raises(SlackApiError) as call:
        slack.client.api_call("chat.sing")
    assert error_of(call) == (200, "unknown_method")
    assert [one.path for one in slack.app.state.contract_log.of("unknown")] == ["/api/chat.sing"]


def test_too_many_messages_are_a_429_that_the_official_handler_waits_out(
    tmp_path: Path,
) -> None:
    ticks = iter(range(1_000))
    store = Store(tmp_path / "limited.sqlite")
    seed(store, token=TOKEN, channels=[ChannelSeed("C1", "ops")])
    seconds = [0, 0, 1, 2]

    def clock() -> datetime:
        return NOW.replace(second=seconds[min(next(ticks), 3)])

    app = create_app(store, clock=clock, sandbox_key=KEY, messages_per_second=1)
    with serving(app) as http:
        client = WebClient(token=TOKEN, base_url=f"{http.base_url}/api/")
        client.chat_postMessage(channel="C1", text="one")
        with pytest.raises(SlackApiError) as call:
            client.chat_postMessage(channel="C1", text="two")
        assert error_of(call) == (429, "ratelimited")
        assert call.value.response.headers["retry-after"] == "1"
        client.chat_postMessage(channel="C1", text="three")
    store.close()


def test_the_official_retry_handler_gets_through_a_rate_limit(slack: Slack) -> None:
    slack.fault(kind="status", status=429, retry_after=0)
    client = slack.client
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    client.chat_postMessage(channel="C1", text="late")
    assert slack.texts() == ["late"]


def test_a_retry_after_a_lost_answer_posts_twice(slack: Slack) -> None:
    slack.fault(kind="drop_after_effect")
    slack.client.chat_postMessage(channel="C1", text="a")  # retries connection errors by itself
    assert slack.texts() == ["a", "a"]


def test_a_webhook_posts_without_a_token(slack: Slack) -> None:
    answer = slack.hook().send(text="from outside")
    assert (answer.status_code, answer.body) == (200, "ok")
    assert slack.messages()[0]["channel"] == "C1"


def test_a_webhook_refuses_with_a_word_and_a_status(slack: Slack) -> None:
    tried = [
        slack.hook(secret="wrong").send(text="a"),
        slack.hook(name="B9").send(text="a"),
        slack.hook(team="T9").send(text="a"),
        slack.hook(name="B3").send(text="a"),
        slack.hook().send(text=""),
    ]
    assert [(one.status_code, one.body) for one in tried] == [
        (403, "invalid_token"),
        (404, "no_service"),
        (404, "no_team"),
        (410, "channel_is_archived"),
        (400, "no_text"),
    ]
    broken = slack.http.post(
        f"/services/{TEAM}/B1/{SECRET}", content="{", headers={"Content-Type": "application/json"}
    )
    assert (broken.status_code, broken.text) == (400, "invalid_payload")
    assert slack.messages() == []


def test_a_webhooks_secret_is_not_recorded(slack: Slack) -> None:
    slack.hook().send(text="a")
    slack.http.post(f"/services/{TEAM}/B1/{SECRET}", content=b"{")
    recorded = slack.http.get("/_sandbox/requests", headers=CONTROL).text
    broken = slack.http.get("/_sandbox/contract", headers=CONTROL).text
    assert f"/services/{TEAM}/B1/***" in recorded
    assert SECRET not in recorded + broken


def test_the_messages_need_the_key_and_survive_a_restart(slack: Slack, tmp_path: Path) -> None:
    slack.client.chat_postMessage(channel="C1", text="kept")
    assert slack.http.get("/_sandbox/messages").status_code == 403
    other = Store(tmp_path / "slack.sqlite")
    with serving(create_app(other, clock=lambda: NOW, sandbox_key=KEY)) as http:
        found = http.get("/_sandbox/messages", headers=CONTROL).json()["messages"]
        assert [one["message"]["text"] for one in found] == ["kept"]
    other.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("slack.sqlite*"))
    assert TOKEN.encode() not in content
    assert SECRET.encode() not in content
