"""Hold an emulator to its contract: every request and every answer is checked.

A request that breaks the contract never reaches the emulator, the service's own refusal is
answered. An answer that breaks it is an emulator's bug: it becomes a 500 that says so. Both are
written down, so that a test can assert that none happened.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.emulator.operation import Operation, Problem, query_values
from sandbox.emulator.schema import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Contract", "ContractLog", "ContractMiddleware", "Dialect", "Problem", "Violation"]

CONTROL_PREFIX = "/_sandbox/"
"""Routes of the sandbox itself; no contract, no fault and no recording touches them."""

LOG_LIMIT = 1_000


def _not_found(_request: Request) -> Response:
    return JSONResponse({"message": "Not Found"}, 404)


def _refuse(_request: Request, problems: Iterable[Problem]) -> Response:
    errors = [str(problem) for problem in problems]
    return JSONResponse({"message": "The request breaks the contract", "errors": errors}, 400)


def _failure(status: int) -> Response:
    return JSONResponse({"message": f"Fault {status}, as asked"}, status)


@dataclass(frozen=True)
class Dialect:
    """How one service words what the frame has to answer on its behalf.

    Attributes:
        not_found: for a path or method the contract does not know.
        refuse: for a request that breaks the contract; it checks the token first, as the
            service would.
        failure: for a fault of the given status that a test asked for.
        mask: takes what is secret out of a path before it is recorded.
    """

    not_found: Callable[[Request], Response] = _not_found
    refuse: Callable[[Request, tuple[Problem, ...]], Response] = _refuse
    failure: Callable[[int], Response] = _failure
    mask: Callable[[str], str] = str


@dataclass(frozen=True)
class Violation:
    """One request or answer that broke the contract.

    Attributes:
        kind: `request` and `unknown` are the client's doing, `answer` is the emulator's bug.
        method: HTTP method.
        path: without query, secrets masked.
        problems: each in one line.
    """

    kind: Literal["request", "answer", "unknown"]
    method: str
    path: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ContractLog:
    """The latest violations, oldest first."""

    entries: deque[Violation] = field(default_factory=lambda: deque(maxlen=LOG_LIMIT))

    def of(self, *kinds: str) -> list[Violation]:
        """Give the violations of these kinds, of all kinds when none is named."""
        return [entry for entry in self.entries if not kinds or entry.kind in kinds]


class ContractMiddleware:
    """ASGI middleware that checks every request and answer of `app` against `contract`.

    Args:
        app: the emulator.
        contract: what the service promises.
        dialect: the service's wording of refusals.
        log: where violations are written down.
        prefix: part of the path before the contract's paths, such as `/api/v3`.
    """

    def __init__(
        self,
        app: ASGIApp,
        contract: Contract,
        *,
        dialect: Dialect | None = None,
        log: ContractLog | None = None,
        prefix: str = "",
    ) -> None:
        self.app = app
        self.contract = contract
        self.dialect = dialect or Dialect()
        self.log = log or ContractLog()
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, handle, check."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        request = Request(scope, replay(body, receive))
        method, path = scope["method"], scope.get("raw_path", scope["path"].encode()).decode()
        found = None
        if path.startswith(self.prefix):
            found = self.contract.find(method, path.removeprefix(self.prefix))
        if found is None:
            self._note("unknown", request, ["not in the contract"])
            await self.dialect.not_found(request)(scope, receive, send)
            return
        operation, values = found
        answer = Answer()
        problems = self._request_problems(operation, values, request, body)
        if problems:
            self._note("request", request, map(str, problems))
            await self.dialect.refuse(request, problems)(scope, replay(body, receive), answer.take)
        else:
            await self.app(scope, replay(body, receive), answer.take)
        checked = self._checked(operation, request, answer, refused=bool(problems))
        await checked(scope, receive, send)

    def _request_problems(
        self, operation: Operation, values: Mapping[str, str], request: Request, body: bytes
    ) -> tuple[Problem, ...]:
        query = query_values(request.scope["query_string"].decode())
        media_type = request.headers.get("content-type", "")
        return (
            *self.contract.parameter_problems(operation, values, query),
            *self.contract.request_problems(operation, media_type, body),
        )

    def _checked(
        self, operation: Operation, request: Request, answer: Answer, *, refused: bool
    ) -> ASGIApp:
        problems = [
            problem
            for problem in self.contract.answer_problems(
                operation, answer.status, answer.media_type, answer.body
            )
            # Many contracts leave the refusal of nonsense out; where they have it, it is checked.
            if not (refused and problem.rule == "status")
        ]
        if not problems:
            return answer.replay
        lines = [str(problem) for problem in problems]
        self._note("answer", request, lines)
        text = f"The emulator broke its contract in {operation.method} {operation.template}"
        return JSONResponse({"message": text, "status": answer.status, "errors": lines}, 500)

    def _note(
        self,
        kind: Literal["request", "answer", "unknown"],
        request: Request,
        problems: Iterable[str],
    ) -> None:
        path = self.dialect.mask(request.scope["path"])
        self.log.entries.append(Violation(kind, request.method, path, tuple(problems)))


class Answer:
    """An answer held back until it is known to be good."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def take(self, message: Message) -> None:
        """Stand in for ASGI's `send`."""
        self._messages.append(message)

    async def replay(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send what was held back."""
        for message in self._messages:
            await send(message)

    @property
    def status(self) -> int:
        """HTTP status, 0 when the application answered nothing."""
        return int(self._messages[0]["status"]) if self._messages else 0

    @property
    def media_type(self) -> str:
        """Content-Type, empty when there is none."""
        headers = dict(self._messages[0].get("headers", ())) if self._messages else {}
        found: bytes = headers.get(b"content-type", b"")
        return found.decode()

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(message.get("body", b"") for message in self._messages[1:])


async def read_body(receive: Receive) -> bytes:
    """Read a request's body to its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """Make a `receive` that gives a body once more and then what the connection gives."""
    pending = [body]

    async def again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return again
