"""Adds `conversations.history` to the Slack emulator, from the emulator's own messages.

The method is not in the emulator's contract; everything else of a request goes to the emulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from sandbox.emulator.contract import read_body
from sandbox.emulator.operation import query_values

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from sandbox.emulator import Store


class WithHistory:
    """An ASGI application in front of the emulator.

    Args:
        app: the emulator.
        store: the emulator's state.
    """

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/api/conversations.history":
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        given = query_values(body.decode() or scope["query_string"].decode())
        channel = given["channel"][-1]
        if self._store.get("channels", channel) is None:
            await JSONResponse({"ok": False, "error": "channel_not_found"})(scope, receive, send)
            return
        newest_first = [
            entry["message"] for entry in reversed(self._store.all(f"messages/{channel}"))
        ]
        start = int(given.get("cursor", ["0"])[-1] or 0)
        size = int(given["limit"][-1])
        rest = start + size < len(newest_first)
        answer = {
            "ok": True,
            "messages": newest_first[start : start + size],
            "has_more": rest,
            "response_metadata": {"next_cursor": str(start + size) if rest else ""},
        }
        await JSONResponse(answer)(scope, receive, send)
