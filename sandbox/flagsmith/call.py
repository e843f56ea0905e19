"""One call of the API: who asks, for what, with which body; and how an endpoint answers it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ops_actions.clock import rfc3339
from sandbox.flagsmith.errors import FlagsmithError, detail, forbidden, missing
from sandbox.flagsmith.model import feature_by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from sandbox.emulator import Document, Store

PAGE_SIZE = 10
MAX_PAGE_SIZE = 999


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        kind: `api_key` for an organisation's key, `token` for a person, `none` for nobody.
        organisation: the key's organisation.
        user: the person's number.
    """

    kind: Literal["api_key", "token", "none"]
    organisation: int | None = None
    user: int | None = None


@dataclass(frozen=True)
class Call:
    """One request, decoded.

    Attributes:
        store: the emulator's state.
        time: when the request came, as RFC 3339 text.
        caller: who asks.
        request: the request itself.
        body: the JSON body, `{}` when there is none.
    """

    store: Store
    time: str
    caller: Caller
    request: Request
    body: Document

    def number(self, name: str) -> int:
        """Give a numeric path parameter."""
        return int(self.request.path_params[name])

    def text(self, name: str) -> str:
        """Give a text path parameter."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        """Give a query value, None when it was not sent."""
        return self.request.query_params.get(name)

    def environment(self) -> Document:
        """Give the environment whose key is in the path; an unknown key is 403, not 404."""
        return environment_by_key(self.store, self.text("api_key"))

    def project(self) -> Document:
        """Give the project whose number is in the path; an unknown one is 403 for nested paths."""
        found = self.store.get("projects", self.number("project_pk"))
        if found is None:
            raise forbidden()
        return found

    def feature(self) -> Document:
        """Give the feature whose number is in the path."""
        return self.feature_by_id(self.number("feature_pk"))

    def feature_by_id(self, number: int) -> Document:
        """Give a feature or answer 404."""
        document = feature_by_id(self.store, number)
        if document is None:
            raise missing("Feature")
        return document

    def found(self, collection: str, key: str | int, model: str) -> Document:
        """Give a document or answer 404."""
        document = self.store.get(collection, key)
        if document is None:
            raise missing(model)
        return document

    def page(
        self,
        items: Sequence[Document],
        show: Callable[[Document], Mapping[str, Any]] = dict,
    ) -> Response:
        """Answer one page of a list; only what is on it is shown, which can be costly."""
        size = _positive(self.query("page_size"), PAGE_SIZE)
        size = min(size, MAX_PAGE_SIZE)
        number = _positive(self.query("page"), 1)
        last = max(1, -(-len(items) // size))
        if number > last:
            raise detail(404, "Invalid page.")
        url = self.request.url
        links = {
            "next": str(url.include_query_params(page=number + 1)) if number < last else None,
            "previous": str(url.include_query_params(page=number - 1)) if number > 1 else None,
        }
        shown = [show(one) for one in items[(number - 1) * size : number * size]]
        return JSONResponse({"count": len(items), **links, "results": shown})


def reply(body: object, status: int = 200) -> Response:
    """Answer JSON."""
    return JSONResponse(body, status)


def empty(status: int = 204) -> Response:
    """Answer without a body."""
    return Response(status_code=status)


def environment_by_key(store: Store, key: str) -> Document:
    """Give an environment by its client-side key, or refuse with 403 as the service does."""
    pointer = store.get("environment_keys", key)
    found = store.get("environments", pointer["id"]) if pointer else None
    if found is None:
        raise forbidden()
    return found


def secret_key(text: str) -> str:
    """Turn a token into the key it is stored under; the token itself is not kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def identify(store: Store, authorization: str) -> Caller:
    """Find out who asks.

    Raises:
        FlagsmithError: 401, the token is wrong.
    """
    scheme, _, secret = authorization.partition(" ")
    if scheme == "Api-Key":
        known = store.get("api_keys", secret_key(secret))
        if known is None:
            raise detail(401, "Valid Master API Key not found.")
        return Caller("api_key", organisation=known["organisation"])
    if scheme == "Token":
        known = store.get("tokens", secret_key(secret))
        if known is None:
            raise detail(401, "Invalid token.")
        return Caller("token", user=known["user"])
    return Caller("none")


def require_caller(store: Store, request: Request) -> Caller:
    """Identify the caller or refuse with 401."""
    caller = identify(store, request.headers.get("authorization", ""))
    if caller.kind == "none":
        raise detail(401, "Authentication credentials were not provided.")
    return caller


class Router:
    """Makes Starlette routes of endpoints: identify, decode, run in one transaction, answer.

    Args:
        store: the emulator's state.
        clock: gives the time, aware.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock

    def admin(self, path: str, **endpoints: Callable[[Call], Response]) -> Route:
        """Serve a path of the admin API; endpoints by method in lower case."""
        return self._route(path, endpoints, lambda request: require_caller(self.store, request))

    def open(self, path: str, **endpoints: Callable[[Call], Response]) -> Route:
        """Serve a path whose endpoints check for themselves who asks."""
        return self._route(path, endpoints, lambda _request: Caller("none"))

    def _route(
        self,
        path: str,
        endpoints: Mapping[str, Callable[[Call], Response]],
        identified: Callable[[Request], Caller],
    ) -> Route:
        async def handle(request: Request) -> Response:
            raw = await request.body()
            try:
                # One transaction per request, so that a refusal undoes what came before it.
                with self.store.transaction():
                    caller = identified(request)
                    body = cast("Document", json.loads(raw)) if raw else {}
                    call = Call(self.store, rfc3339(self.clock()), caller, request, body)
                    return endpoints[request.method.lower()](call)
            except FlagsmithError as refusal:
                return refusal.response()

        return Route(path, handle, methods=[name.upper() for name in endpoints])


def _positive(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() and int(text) > 0 else otherwise
