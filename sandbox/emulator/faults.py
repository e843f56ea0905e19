"""Make an emulator misbehave on purpose, and count what it was really asked to do."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.emulator.contract import CONTROL_PREFIX, Answer, Dialect, read_body, replay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ABORT_EXTENSION = "sandbox.abort"
"""Name of the ASGI extension through which the server lets a connection be cut."""

RECORD_LIMIT = 10_000
TOO_MANY_REQUESTS = 429


class FaultKind(StrEnum):
    """What goes wrong.

    In all kinds but `SLOW` and `DUPLICATE` the client can't tell from the answer alone whether
    the effect happened; here it is fixed: only `DROP_AFTER_EFFECT` lets it happen.
    """

    STATUS = "status"
    SLOW = "slow"
    HANG = "hang"
    DROP_BEFORE_EFFECT = "drop_before_effect"
    DROP_AFTER_EFFECT = "drop_after_effect"
    DUPLICATE = "duplicate"


class Fault(BaseModel):
    """One thing that goes wrong, for the requests it matches.

    Attributes:
        kind: what goes wrong.
        path_regex: searched for in the path.
        method: only this method; any when left out.
        times: how many matching requests it hits; without end when null.
        skip: how many matching requests pass before the first hit.
        status: answer of kind `status`.
        retry_after: seconds, sent as Retry-After with kind `status`.
        seconds: delay of kind `slow`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    path_regex: str = ""
    method: str | None = None
    times: int | None = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, gt=0, le=600)

    @model_validator(mode="after")
    def _complete(self) -> Fault:
        try:
            re.compile(self.path_regex)
        except re.error as error:
            raise ValueError(f"path_regex: {error}") from error
        if (self.kind is FaultKind.STATUS) != (self.status is not None):
            raise ValueError("status belongs to kind status, which needs it")
        if (self.kind is FaultKind.SLOW) != (self.seconds is not None):
            raise ValueError("seconds belongs to kind slow, which needs it")
        return self

    def matches(self, method: str, path: str) -> bool:
        """Tell whether it is meant for this request."""
        right_method = self.method is None or self.method.upper() == method
        return right_method and re.search(self.path_regex, path) is not None


@dataclass(frozen=True)
class Recorded:
    """One request as the emulator saw it; no header and no body, they may hold secrets.

    Attributes:
        method: HTTP method.
        path: without query, secrets masked.
        status: what the client was answered; None when it got no answer.
        handled: how often the request reached the emulator (0, 1 or 2).
        fault: the fault that hit it.
    """

    method: str
    path: str
    status: int | None
    handled: int
    fault: str | None


@dataclass
class _Armed:
    fault: Fault
    to_skip: int
    left: int | None


class FaultSwitch:
    """The faults that are set and the requests that were seen."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._cleared = asyncio.Event()
        self._recorded: deque[Recorded] = deque(maxlen=RECORD_LIMIT)

    def arm(self, fault: Fault) -> None:
        """Set a fault; the one set first is hit first."""
        self._armed.append(_Armed(fault, fault.skip, fault.times))

    def clear(self) -> None:
        """Take all faults away and let hanging requests go."""
        self._armed.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    def armed(self) -> list[Fault]:
        """Give the faults that can still hit."""
        return [one.fault for one in self._armed]

    def hit(self, method: str, path: str) -> Fault | None:
        """Use up and give the fault for this request, if any."""
        for one in self._armed:
            if not one.fault.matches(method, path):
                continue
            if one.to_skip:
                one.to_skip -= 1
                continue
            if one.left is not None:
                one.left -= 1
                if one.left == 0:
                    self._armed.remove(one)
            return one.fault
        return None

    def record(self, entry: Recorded) -> None:
        """Write a request down."""
        self._recorded.append(entry)

    def recorded(self) -> list[Mapping[str, Any]]:
        """Give the requests seen, oldest first, as JSON."""
        seen = self._recorded.copy()  # in one step: the server's thread goes on recording meanwhile
        return [asdict(entry) for entry in seen]

    def forget(self) -> None:
        """Start counting anew."""
        self._recorded.clear()

    async def until_cleared(self) -> None:
        """Wait for the next `clear`."""
        await self._cleared.wait()


class FaultMiddleware:
    """ASGI middleware that plays the faults and records every request.

    Args:
        app: the emulator with its contract.
        switch: shared with the control routes.
        dialect: the service's wording of failures.
    """

    def __init__(self, app: ASGIApp, switch: FaultSwitch, dialect: Dialect) -> None:
        self.app = app
        self.switch = switch
        self.dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, with the fault that is set for it."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await self.app(scope, receive, send)
            return
        fault = self.switch.hit(scope["method"], scope["path"])
        outcome = _Outcome(send)
        try:
            await self._play(fault, scope, receive, outcome)
        finally:
            path = self.dialect.mask(scope["path"])
            kind = fault.kind if fault else None
            entry = Recorded(scope["method"], path, outcome.status, outcome.handled, kind)
            self.switch.record(entry)

    async def _play(
        self, fault: Fault | None, scope: Scope, receive: Receive, outcome: _Outcome
    ) -> None:
        if fault is None:
            await self._handle(scope, receive, outcome, outcome.send)
            return
        body = await read_body(receive)
        again = replay(body, receive)
        match fault.kind:
            case FaultKind.STATUS:
                answer = self.dialect.failure(fault.status or 500)
                if fault.retry_after is not None:
                    answer.headers["Retry-After"] = str(fault.retry_after)
                await answer(scope, again, outcome.send)
            case FaultKind.SLOW:
                await asyncio.sleep(fault.seconds or 0)
                await self._handle(scope, again, outcome, outcome.send)
            case FaultKind.HANG:
                await self._hang(receive)
                await _cut(scope, receive)
            case FaultKind.DROP_BEFORE_EFFECT:
                await _cut(scope, receive)
            case FaultKind.DROP_AFTER_EFFECT:
                await self._handle(scope, again, outcome, Answer().take)
                await _cut(scope, receive)
            case FaultKind.DUPLICATE:
                await self._handle(scope, again, outcome, Answer().take)
                await self._handle(scope, replay(body, receive), outcome, outcome.send)

    async def _handle(self, scope: Scope, receive: Receive, outcome: _Outcome, send: Send) -> None:
        outcome.handled += 1
        # A copy: Starlette writes the matched route into the scope it is given.
        await self.app(dict(scope), receive, send)

    async def _hang(self, receive: Receive) -> None:
        waits = [
            asyncio.ensure_future(self.switch.until_cleared()),
            asyncio.ensure_future(_disconnected(receive)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class _Outcome:
    """What became of a request: counts the handling and notes the status on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.handled = 0
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
        await self._send(message)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer; only a server of `serve` can do it."""
    abort: Callable[[], Awaitable[None] | None] | None = scope.get("extensions", {}).get(
        ABORT_EXTENSION
    )
    if abort is None:
        raise RuntimeError("this server can't cut a connection; run the app by sandbox.emulator")
    abort()
    await _disconnected(receive)
