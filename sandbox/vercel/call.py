"""One call of the API, its refusals, and how an endpoint answers it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from sandbox.emulator import Document, Store

T = TypeVar("T")
PAGE_SIZE = 20
MAX_PAGE_SIZE = 100


class VercelError(Exception):
    """A refusal; whatever the request changed is undone.

    Args:
        status: HTTP status.
        code: the service's short name of the reason.
        message: one sentence.
        extra: further fields of the error object.
    """

    def __init__(self, status: int, code: str, message: str, **extra: object) -> None:
        super().__init__(code)
        self.status = status
        self.error = {"code": code, "message": message, **extra}

    def response(self) -> Response:
        """Give it as an answer."""
        return JSONResponse({"error": self.error}, self.status)


@dataclass(frozen=True)
class Call:
    """One request, decoded.

    Attributes:
        store: the emulator's state.
        now: when the request came, in milliseconds since 1970.
        request: the request itself.
        body: the JSON body, `{}` when there is none; a list for several environment variables.
    """

    store: Store
    now: int
    request: Request
    body: Any

    def text(self, name: str) -> str:
        """Give a path parameter."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        """Give a query value, None when it was not sent."""
        return self.request.query_params.get(name)

    def project(self, parameter: str = "project") -> Document:
        """Give the project of the path, by number or by name."""
        found = find_project(self.store, self.text(parameter))
        if found is None:
            raise VercelError(404, "not_found", "Project not found.")
        return found

    def deployment(self, parameter: str = "deployment") -> Document:
        """Give the deployment of the path, by number or by URL."""
        wanted = self.text(parameter)
        found = self.store.get("deployments", wanted) or next(
            (one for one in self.store.all("deployments") if one["url"] == wanted), None
        )
        if found is None:
            raise VercelError(404, "not_found", "The deployment could not be found.")
        return found

    def page(self, items: Sequence[T], when: Callable[[T], int]) -> tuple[list[T], Document]:
        """Cut the newest page out of items sorted newest first; give it and `pagination`."""
        until, since = self.query("until"), self.query("since")
        fitting = [
            one
            for one in items
            if (until is None or when(one) < int(until))
            and (since is None or when(one) > int(since))
        ]
        size = min(int(self.query("limit") or PAGE_SIZE), MAX_PAGE_SIZE)
        shown = fitting[:size]
        more = len(fitting) > size
        pagination = {
            "count": len(shown),
            "next": when(shown[-1]) if more else None,
            "prev": when(shown[0]) if until and shown else None,
        }
        return shown, pagination


def find_project(store: Store, wanted: str) -> Document | None:
    """Give a project by number or by name."""
    pointer = store.get("project_names", wanted)
    return store.get("projects", pointer["id"] if pointer else wanted)


def token_key(token: str) -> str:
    """Turn a token into the key it is stored under; the token itself is not kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def authorize(store: Store, request: Request) -> None:
    """Refuse a caller without a good token, or of another team.

    Raises:
        VercelError: 401 without a token, 403 with a wrong one or for another team.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise VercelError(401, "unauthorized", "The request lacks an authentication token.")
    account = store.get("tokens", token_key(token))
    if account is None:
        raise VercelError(403, "forbidden", "Not authorized", invalidToken=True)
    if request.query_params.get("teamId", account["team"]) != account["team"]:
        raise VercelError(403, "forbidden", "Not authorized for this team")


def reply(body: object, status: int = 200) -> Response:
    """Answer JSON."""
    return JSONResponse(body, status)


def empty(status: int) -> Response:
    """Answer without a body."""
    return Response(status_code=status)


class Router:
    """Makes Starlette routes of endpoints: authorise, decode, run in one transaction, answer.

    Args:
        store: the emulator's state.
        clock: gives the time, aware.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock

    def route(self, path: str, **endpoints: Callable[[Call], Response]) -> Route:
        """Serve a path; endpoints by method in lower case."""

        async def handle(request: Request) -> Response:
            raw = await request.body()
            try:
                # One transaction per request, so that a refusal undoes what came before it.
                with self.store.transaction():
                    authorize(self.store, request)
                    now = int(self.clock().timestamp() * 1000)
                    call = Call(self.store, now, request, json.loads(raw) if raw else {})
                    return endpoints[request.method.lower()](call)
            except VercelError as refusal:
                return refusal.response()

        return Route(path, handle, methods=[name.upper() for name in endpoints])
