"""Slack's routes, behind its contract."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.emulator import Contract, Dialect, Problem, Store, emulator
from sandbox.emulator.operation import query_values
from sandbox.slack.messages import RateLimitedError, SlackError, find_channel, post, update
from sandbox.slack.seed import BOT, BOT_USER, TEAM, digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.applications import Starlette
    from starlette.requests import Request

    from sandbox.emulator import Document

CONTRACT = Path(__file__).parent.parent / "contracts" / "slack.yaml"

JSON_FIELDS = ("blocks", "attachments", "metadata")
"""Fields that are JSON inside a form."""

WEBHOOK_STATUS = {
    "no_text": 400,
    "invalid_blocks_format": 400,
    "too_many_attachments": 400,
    "no_team": 404,
    "no_service": 404,
    "invalid_token": 403,
    "channel_not_found": 404,
    "is_archived": 410,
    "not_in_channel": 403,
}
WEBHOOK_WORD = {
    "invalid_blocks_format": "invalid_payload",
    "is_archived": "channel_is_archived",
    "not_in_channel": "action_prohibited",
}


def create_app(
    store: Store,
    *,
    clock: Callable[[], datetime],
    sandbox_key: str,
    messages_per_second: int | None = None,
) -> Starlette:
    """Build the emulator of Slack's Web API (`/api/`) and incoming webhooks (`/services/`).

    Besides the common sandbox routes it has `GET /_sandbox/messages`: all messages in the order
    they were posted.

    Args:
        store: keeps everything; give each emulator its own.
        clock: gives the time, aware.
        sandbox_key: opens `/_sandbox/*`.
        messages_per_second: what a channel takes in one second; None for no limit.
    """
    slack = _Slack(store, clock, messages_per_second)
    routes = [
        Route("/api/auth.test", slack.api(slack.auth_test), methods=["POST"]),
        Route("/api/chat.postMessage", slack.api(slack.post_message), methods=["POST"]),
        Route("/api/chat.update", slack.api(slack.update_message), methods=["POST"]),
        Route("/api/conversations.list", slack.api(slack.list_channels), methods=["GET", "POST"]),
        Route("/api/conversations.history", slack.api(slack.history), methods=["POST"]),
        Route("/services/{team:str}/{hook:str}/{secret:str}", slack.incoming, methods=["POST"]),
    ]
    return emulator(
        routes,
        contract=Contract.load(CONTRACT),
        dialect=_dialect(slack),
        sandbox_key=sandbox_key,
        control={("GET", "messages"): slack.all_messages},
    )


class _Slack:
    """The endpoints and what they share."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], messages_per_second: int | None
    ) -> None:
        self.store = store
        self.clock = clock
        self.limit = messages_per_second

    def api(self, endpoint: Callable[[Document], Document]) -> Callable[[Request], object]:
        """Serve a Web API method: check the token, decode, answer `ok`."""

        async def handle(request: Request) -> Response:
            try:
                self.authorize(request)
                given = await _fields(request)
                with self.store.transaction():
                    return JSONResponse({"ok": True, **endpoint(given)})
            except SlackError as refusal:
                return JSONResponse({"ok": False, "error": refusal.error})
            except RateLimitedError:
                return too_many()

        return handle

    def authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise SlackError("not_authed")
        if self.store.get("tokens", digest(token)) is None:
            raise SlackError("invalid_auth")

    def auth_test(self, _given: Document) -> Document:
        return {
            "url": "https://sandbox.slack.com/",
            "team": "Sandbox",
            "user": "ops",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def post_message(self, given: Document) -> Document:
        channel = find_channel(self.store, given["channel"])
        message = post(self.store, channel, given, self.clock(), self.limit)
        return {"channel": channel["id"], "ts": message["ts"], "message": message}

    def update_message(self, given: Document) -> Document:
        # Unlike a post, an update needs the channel's number.
        channel = find_channel(self.store, given["channel"], by_name=False)
        message = update(self.store, channel, given, self.clock())
        shown = {"channel": channel["id"], "ts": message["ts"], "text": message["text"]}
        return {**shown, "message": message}

    def list_channels(self, given: Document) -> Document:
        kinds = set(str(given.get("types", "public_channel")).split(","))
        found = [
            one
            for one in self.store.all("channels")
            if ("private_channel" if one["is_private"] else "public_channel") in kinds
            and not (one["is_archived"] and given.get("exclude_archived") in {"true", "1"})
        ]
        shown, following = _page(found, given)
        return {"channels": shown, "response_metadata": {"next_cursor": following}}

    def history(self, given: Document) -> Document:
        channel = find_channel(self.store, given["channel"], by_name=False)
        if not channel["is_member"]:
            raise SlackError("not_in_channel")
        entries = self.store.all(f"messages/{channel['id']}")
        newest_first = [entry["message"] for entry in reversed(entries)]
        shown, following = _page(newest_first, given)
        if str(given.get("include_all_metadata", "")).lower() not in {"true", "1"}:
            shown = [{k: v for k, v in one.items() if k != "metadata"} for one in shown]
        answer: Document = {"messages": shown, "has_more": bool(following)}
        if following:
            answer["response_metadata"] = {"next_cursor": following}
        return answer

    async def incoming(self, request: Request) -> Response:
        try:
            given = await _fields(request)
            with self.store.transaction():
                channel = self._channel_of(**request.path_params)
                post(self.store, channel, given, self.clock(), self.limit)
        except SlackError as refusal:
            word = WEBHOOK_WORD.get(refusal.error, refusal.error)
            return PlainTextResponse(word, WEBHOOK_STATUS[refusal.error])
        except RateLimitedError:
            return too_many()
        return PlainTextResponse("ok")

    def _channel_of(self, team: str, hook: str, secret: str) -> Document:
        if team != TEAM:
            raise SlackError("no_team")
        known = self.store.get("webhooks", hook)
        if known is None:
            raise SlackError("no_service")
        if not hmac.compare_digest(known["secret"], digest(secret)):
            raise SlackError("invalid_token")
        return find_channel(self.store, known["channel"])

    async def all_messages(self, _request: Request) -> Response:
        found = [
            entry
            for channel in self.store.all("channels")
            for entry in self.store.all(f"messages/{channel['id']}")
        ]
        found.sort(key=lambda entry: int(entry["message"]["ts"].partition(".")[2]))
        return JSONResponse({"messages": found})


def _page(found: list[Document], given: Document) -> tuple[list[Document], str]:
    """Cut a list; gives the page and the cursor of the next one, empty at the end."""
    size, cursor = int(given.get("limit", 100)), str(given.get("cursor", ""))
    if cursor and not cursor.isdigit():
        raise SlackError("invalid_cursor")
    start = int(cursor or 0)
    return found[start : start + size], str(start + size) if start + size < len(found) else ""


def too_many(seconds: int = 1) -> Response:
    """Answer 429, the only refusal of the Web API that is not a 200."""
    answer = JSONResponse({"ok": False, "error": "ratelimited"}, 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


async def _fields(request: Request) -> Document:
    """Read the fields of a JSON body, a form or a query.

    Raises:
        SlackError: a form's JSON field does not parse.
    """
    if request.method == "GET":
        return dict(request.query_params)
    raw = await request.body()
    if not raw:
        return {}
    if request.headers.get("content-type", "").startswith("application/json"):
        fields: Document = json.loads(raw)
        return fields
    form: Document = {name: texts[-1] for name, texts in query_values(raw.decode()).items()}
    try:
        return {
            name: json.loads(value) if name in JSON_FIELDS else value
            for name, value in form.items()
        }
    except json.JSONDecodeError:
        raise SlackError("invalid_blocks_format") from None


def _dialect(slack: _Slack) -> Dialect:
    def refuse(request: Request, problems: tuple[Problem, ...]) -> Response:
        if request.url.path.startswith("/services/"):
            return PlainTextResponse("invalid_payload", 400)
        try:
            slack.authorize(request)
        except SlackError as refusal:
            return JSONResponse({"ok": False, "error": refusal.error})
        lines = [f"[ERROR] {problem}" for problem in problems]
        body = {"ok": False, "error": _word(problems[0])}
        return JSONResponse({**body, "response_metadata": {"messages": lines}})

    def failure(status: int) -> Response:
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            return too_many()
        return PlainTextResponse("As asked by a fault.", status)

    def mask(path: str) -> str:
        parts = path.split("/")
        return "/".join([*parts[:-1], "***"]) if parts[1:2] == ["services"] else path

    def not_found(_request: Request) -> Response:
        return JSONResponse({"ok": False, "error": "unknown_method"})

    return Dialect(not_found=not_found, refuse=refuse, failure=failure, mask=mask)


def _word(problem: Problem) -> str:
    field = problem.field.partition("/")[0]
    if field == "channel":
        return "channel_not_found"
    if field == "blocks":
        return "invalid_blocks"
    if (field, problem.rule) == ("text", "maxLength"):
        return "msg_too_long"
    return "invalid_arguments"
