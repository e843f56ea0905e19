"""Messages: what makes one, where it goes, how it is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.seed import BOT, BOT_USER, TEAM

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.emulator import Document, Store

CONTENT = ("text", "blocks", "attachments", "markdown_text")
KEPT = (*CONTENT, "metadata", "thread_ts")
MAX_ATTACHMENTS = 100


class SlackError(Exception):
    """A refusal; the Web API answers it with 200 and `ok: false`.

    Args:
        error: the service's short name of the reason.
    """

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class RateLimitedError(Exception):
    """Too many messages in one second."""


def find_channel(store: Store, wanted: str, *, by_name: bool = True) -> Document:
    """Give a channel by number, or by name with or without #.

    Raises:
        SlackError: there is none.
    """
    found = store.get("channels", wanted)
    if found is None and by_name:
        name = wanted.removeprefix("#")
        found = next((one for one in store.all("channels") if one["name"] == name), None)
    if found is None:
        raise SlackError("channel_not_found")
    return found


def post(
    store: Store, channel: Document, given: Document, now: datetime, limit: int | None
) -> Document:
    """Make a message; asking twice makes two.

    Args:
        store: the emulator's state.
        channel: where it goes.
        given: the fields of the request.
        now: the time.
        limit: messages a channel takes in one second; None for no limit.

    Raises:
        SlackError: the channel takes none, or there is nothing to post.
        RateLimitedError: the channel had its share of this second.
    """
    if channel["is_archived"]:
        raise SlackError("is_archived")
    if not channel["is_member"]:
        raise SlackError("not_in_channel")
    _check_content(given)
    second = int(now.timestamp())
    sent = store.all(f"messages/{channel['id']}")
    recent = sum(one["message"]["ts"].startswith(f"{second}.") for one in sent)
    if limit is not None and recent >= limit:
        raise RateLimitedError
    message: Document = {
        "type": "message",
        "user": BOT_USER,
        "bot_id": BOT,
        "team": TEAM,
        "text": given.get("text") or given.get("markdown_text", ""),
        **{name: given[name] for name in KEPT if name in given and name != "text"},
        "ts": f"{second}.{store.next_id('messages'):06d}",
    }
    entry = {"channel": channel["id"], "message": message}
    store.put(f"messages/{channel['id']}", message["ts"], entry)
    return message


def update(store: Store, channel: Document, given: Document, now: datetime) -> Document:
    """Change a message of the bot.

    Raises:
        SlackError: there is no such message, or nothing to change it to.
    """
    _check_content(given)
    entry = store.get(f"messages/{channel['id']}", given["ts"])
    if entry is None:
        raise SlackError("message_not_found")
    message: Document = entry["message"]
    if message["user"] != BOT_USER:
        raise SlackError("cant_update_message")
    message |= {name: given[name] for name in KEPT if name in given}
    message["edited"] = {"user": BOT_USER, "ts": f"{now.timestamp():.6f}"}
    store.put(f"messages/{channel['id']}", given["ts"], {**entry, "message": message})
    return message


def _check_content(given: Document) -> None:
    if not any(given.get(name) for name in CONTENT):
        raise SlackError("no_text")
    if len(given.get("attachments") or []) > MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments")
