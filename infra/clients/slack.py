"""Slack: post a message once, find it again, change it. Stands on the official SDK.

`chat.postMessage` has no idempotency key, so each message carries its own key as metadata, and a
message with that key is looked for before and after every doubtful post. The SDK's own repetition
of broken connections is switched off: it would post twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from infra.clients.errors import (
    BadRequestError,
    ClientError,
    InvalidAnswerError,
    NotFoundError,
    RateLimitedError,
    ReadOnlyError,
    UnauthorisedError,
    UnavailableError,
    UnknownOutcomeError,
)
from infra.clients.slack_retry import BoundedRateLimitRetry
from infra.clients.transport import Json, Sleep, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slack_sdk.web.slack_response import SlackResponse

SERVICE = "slack"
EVENT_TYPE = "coh_message"
"""Metadata type that marks the messages of this software."""

PAGE_SIZE = 200
MAX_PAGES = 5
"""How far back a message is looked for, in pages of the channel's history."""

T = TypeVar("T")

_UNAUTHORISED = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "not_in_channel",
        "restricted_action",
    }
)
_NOT_FOUND = frozenset({"channel_not_found", "message_not_found"})
_LIMITED = frozenset({"ratelimited", "rate_limited"})
_FAILING = frozenset({"fatal_error", "internal_error", "service_unavailable"})


@dataclass(frozen=True, slots=True)
class Posted:
    """The address of a message.

    Attributes:
        channel: id of the channel, not its name.
        ts: time stamp that names the message within the channel.
    """

    channel: str
    ts: str


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Metadata(_Shape):
    event_type: str = ""
    event_payload: dict[str, object] = {}


class _Message(_Shape):
    ts: str
    metadata: _Metadata = _Metadata()


class _Cursor(_Shape):
    next_cursor: str = ""


class _History(_Shape):
    messages: list[_Message]
    response_metadata: _Cursor | None = None


class _Address(_Shape):
    channel: str
    ts: str


_HISTORY = TypeAdapter(_History)
_ADDRESS = TypeAdapter(_Address)


class SlackClient:
    """Messages of one workspace. Safe to share between threads.

    Args:
        token: bot token with ``chat:write`` and ``channels:history``.
        base_url: root of the Web API, ends in ``/api/``.
        timeout: seconds.
        read_only: refuse writes before they are sent.
        sleep: waits between two attempts, in seconds.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str = "https://slack.com/api/",
        timeout: float = 10.0,
        read_only: bool = False,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._secrets = (token,)
        self._read_only = read_only
        self._web = WebClient(
            token=token,
            base_url=base_url,
            timeout=timeout,  # type: ignore[arg-type] # declared int, handed to urllib as it is
            retry_handlers=[BoundedRateLimitRetry(sleep=sleep)],
        )

    def post_once(
        self, channel: str, key: str, text: str, blocks: Sequence[Mapping[str, Json]] = ()
    ) -> Posted:
        """Post a message unless one with the same key is in the channel already.

        Args:
            channel: id of the channel.
            key: names the message for ever, such as a digest and an environment.
            text: plain form, always shown in notifications.
            blocks: rich form.

        Raises:
            ReadOnlyError: the client only reads.
            UnknownOutcomeError: sent, no answer, and it can't be found either.
        """
        self._refuse_write("chat.postMessage")
        if (posted := self.find(channel, key)) is not None:
            return posted
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        try:
            answer = self._call(
                "chat.postMessage",
                lambda: self._web.chat_postMessage(
                    channel=channel, text=text, blocks=_list(blocks), metadata=metadata
                ),
                _ADDRESS,
                reads=False,
            )
        except UnknownOutcomeError:
            if (posted := self.find(channel, key)) is None:
                raise
            return posted
        return Posted(answer.channel, answer.ts)

    def find(self, channel: str, key: str) -> Posted | None:
        """Return the message of a key, None when it is not among the latest of the channel."""
        cursor = ""
        for _ in range(MAX_PAGES):
            page = self._call(
                "conversations.history",
                lambda cursor=cursor: self._web.conversations_history(  # type: ignore[misc]
                    channel=channel, include_all_metadata=True, limit=PAGE_SIZE, cursor=cursor
                ),
                _HISTORY,
                reads=True,
            )
            for message in page.messages:
                data = message.metadata
                if data.event_type == EVENT_TYPE and data.event_payload.get("key") == key:
                    return Posted(channel, message.ts)
            cursor = "" if page.response_metadata is None else page.response_metadata.next_cursor
            if not cursor:
                return None
        return None

    def update(
        self, posted: Posted, key: str, text: str, blocks: Sequence[Mapping[str, Json]] = ()
    ) -> None:
        """Replace the content of a message; it keeps its place and its key.

        Raises:
            NotFoundError: the message is gone.
        """
        self._refuse_write("chat.update")
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        self._call(
            "chat.update",
            lambda: self._web.chat_update(
                channel=posted.channel,
                ts=posted.ts,
                text=text,
                blocks=_list(blocks),
                metadata=metadata,
            ),
            _ADDRESS,
            reads=False,
        )

    def _refuse_write(self, operation: str) -> None:
        if self._read_only:
            raise ReadOnlyError(
                SERVICE, operation, "this command only reads; the write was not sent"
            )

    def _call(
        self,
        operation: str,
        send: Callable[[], SlackResponse],
        adapter: TypeAdapter[T],
        *,
        reads: bool,
    ) -> T:
        try:
            return adapter.validate_python(send().data)
        except SlackApiError as error:
            raise self._refused(operation, error, reads=reads) from None
        except ValidationError as error:
            raise InvalidAnswerError(
                SERVICE, operation, f"the answer has another shape: {error.error_count()} errors"
            ) from None
        except (OSError, HTTPException, SlackClientError) as error:
            lost = UnavailableError if reads else UnknownOutcomeError
            message = f"the answer did not come ({type(error).__name__})"
            raise lost(SERVICE, operation, message) from None

    def _refused(self, operation: str, error: SlackApiError, *, reads: bool) -> ClientError:
        response = error.response
        data = response.data if isinstance(response.data, dict) else {}
        code = redact(str(data.get("error", "no reason given")), self._secrets)
        status = int(response.status_code)
        return _kind(code, status, reads=reads)(SERVICE, operation, code, status=status)


def _kind(code: str, status: int, *, reads: bool) -> type[ClientError]:
    """Choose the error; Slack refuses with 200 and a code, and fails with a status."""
    if status == 429 or code in _LIMITED:  # noqa: PLR2004 - Too Many Requests
        return RateLimitedError
    if code in _UNAUTHORISED:
        return UnauthorisedError
    if code in _NOT_FOUND:
        return NotFoundError
    if status >= 500 or code in _FAILING:  # noqa: PLR2004 - server errors start here
        return UnavailableError if reads else UnknownOutcomeError
    return BadRequestError


def _list(blocks: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]] | None:
    return [dict(block) for block in blocks] or None
