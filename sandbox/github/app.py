"""The emulator as a web application: every request authenticated, authorised, answered in turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.emulator.app import emulator
from sandbox.emulator.contract import Dialect
from sandbox.github import contract, sync
from sandbox.github.call import Call, Links, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.hub import Hooks, Hub
from sandbox.github.routes import (
    apps,
    checks,
    commits,
    contents,
    deployments,
    issues,
    merge,
    objects,
    people,
    protection,
    pulls,
    refs,
    repositories,
    reviews,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.requests import Request

    from sandbox.emulator.contract import Problem
    from sandbox.emulator.store import Store
    from sandbox.github.auth import Token
    from sandbox.github.call import Endpoint

PREFIX = "/api/v3"
UNCOUNTED = "/rate_limit"
HOURLY_LIMIT = 5000
# Protection before branches and checks before commits: the later paths match the earlier ones too.
MODULES = (
    repositories,
    people,
    apps,
    protection,
    refs,
    objects,
    contents,
    checks,
    commits,
    merge,
    reviews,
    pulls,
    issues,
    deployments,
)
ENDPOINTS: tuple[Endpoint, ...] = tuple(one for module in MODULES for one in module.ENDPOINTS)


def create_app(  # noqa: PLR0913 - each argument is one independent part of the emulated GitHub
    store: Store,
    *,
    repository_dir: Path,
    full_name: str,
    clock: Callable[[], datetime],
    tokens: Mapping[str, Token],
    sandbox_key: str,
    hooks: Hooks | None = None,
    rate_limit: int = HOURLY_LIMIT,
) -> Starlette:
    """Return the emulator, to be served at the root of an address; the API is below ``/api/v3``.

    Args:
        store: where documents are kept.
        repository_dir: the bare repository, made when missing; forks go to ``forks/`` beside it.
        full_name: owner and name of the repository.
        clock: gives the current time in UTC.
        tokens: what each token stands for.
        sandbox_key: opens the sandbox's own routes (faults, recorded requests, contract log).
        hooks: told of pushes and pull requests, once a request's effects are in place and before
            its answer leaves. Long work belongs elsewhere: the client is waiting.
        rate_limit: requests per token and hour.
    """
    hub = Hub(
        store=store,
        repository_dir=repository_dir,
        name=full_name,
        clock=clock,
        tokens=tokens,
        hooks=hooks or Hooks(),
        rate_limit=rate_limit,
    )
    app = emulator(
        [Route(f"{PREFIX}{one.path}", _route(hub, one), methods=[one.method]) for one in ENDPOINTS],
        contract=contract.load(),
        dialect=_dialect(hub),
        sandbox_key=sandbox_key,
        prefix=PREFIX,
    )
    app.state.hub = hub
    return app


def _route(hub: Hub, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, hub, endpoint, request, body)

    return answer


def _answer(hub: Hub, endpoint: Endpoint, request: Request, body: bytes) -> Response:
    headers: dict[str, str] = {}
    try:
        with hub.lock:
            reply, headers = _handle(hub, endpoint, request, body)
            events = hub.take_events()
    except ApiError as error:
        return JSONResponse(error.body, error.status, {**_rate(hub, request), **error.headers})
    for event in events:
        event()
    return _response(reply, headers)


def _handle(
    hub: Hub, endpoint: Endpoint, request: Request, body: bytes
) -> tuple[Reply, dict[str, str]]:
    # What a failed request would have announced was undone with it.
    hub.take_events()
    actor = hub.gate.authenticate(request.headers.get("authorization"))
    counted = endpoint.path != UNCOUNTED
    headers = hub.gate.count(actor.key) if counted else hub.gate.headers(actor.key)
    call = Call(
        hub=hub,
        actor=actor,
        path={name: str(value) for name, value in request.path_params.items()},
        query=dict(request.query_params),
        body=_json(body),
        links=Links(str(request.base_url).rstrip("/")),
        accept=request.headers.get("accept", "").partition(";")[0].partition(",")[0].strip(),
        url=str(request.url.replace(query="")),
    )
    hub.gate.authorise(actor, endpoint.needs, _fork_owner(call, endpoint))
    with hub.store.transaction():
        sync.observe(hub)
    with hub.store.transaction():
        return endpoint.handler(call), headers


def _fork_owner(call: Call, endpoint: Endpoint) -> str | None:
    if "repo" not in call.path or call.repository == call.hub.name:
        return None
    if not endpoint.forks:
        raise not_found()
    return call.repository.partition("/")[0]


def _json(body: bytes) -> Any:  # noqa: ANN401 - a JSON value of any type
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None


def _response(reply: Reply, headers: Mapping[str, str]) -> Response:
    merged = {"X-GitHub-Media-Type": "github.v3; format=json", **headers, **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=merged)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, merged)
    return JSONResponse(reply.body, reply.status, merged)


def _rate(hub: Hub, request: Request) -> dict[str, str]:
    try:
        actor = hub.gate.authenticate(request.headers.get("authorization"))
    except ApiError:
        return hub.gate.headers("")
    return hub.gate.headers(actor.key)


def _dialect(hub: Hub) -> Dialect:
    """Word what the frame answers as GitHub would; a bad token is said before anything else."""

    def unauthenticated(request: Request) -> Response | None:
        try:
            hub.gate.authenticate(request.headers.get("authorization"))
        except ApiError as error:
            return JSONResponse(error.body, error.status, _rate(hub, request))
        return None

    def unknown(request: Request) -> Response:
        error = not_found()
        return unauthenticated(request) or JSONResponse(error.body, 404, _rate(hub, request))

    def refuse(request: Request, problems: tuple[Problem, ...]) -> Response:
        error = invalid("; ".join(str(problem) for problem in problems), code="invalid")
        return unauthenticated(request) or JSONResponse(error.body, 422, _rate(hub, request))

    def failure(status: int) -> Response:
        error = ApiError(status, f"Fault {status}, as asked")
        return JSONResponse(error.body, status)

    return Dialect(not_found=unknown, refuse=refuse, failure=failure)
