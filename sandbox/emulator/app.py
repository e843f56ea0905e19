"""Build an emulator: its routes, behind its contract, behind the faults."""

from __future__ import annotations

import hmac
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.emulator.contract import CONTROL_PREFIX, ContractLog, ContractMiddleware, Dialect
from sandbox.emulator.faults import Fault, FaultMiddleware, FaultSwitch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.emulator.schema import Contract

    Endpoint = Callable[[Request], Awaitable[Response]]

KEY_HEADER = "X-Sandbox-Key"


def emulator(  # noqa: PLR0913 - each argument is one independent part of an emulator
    routes: Sequence[BaseRoute],
    *,
    contract: Contract,
    dialect: Dialect,
    sandbox_key: str,
    control: Mapping[tuple[str, str], Endpoint] | None = None,
    exception_handlers: Mapping[type[Exception], Callable[..., Response]] | None = None,
    prefix: str = "",
) -> Starlette:
    """Put an emulator together.

    The result answers the service's own routes and, for the holder of the key, `/_sandbox/faults`
    (GET, POST, DELETE), `/_sandbox/requests` (GET, DELETE) and `/_sandbox/contract` (GET).
    `app.state.contract_log` and `app.state.faults` give the same in-process.

    Args:
        routes: the service's routes.
        contract: what every request and answer is checked against.
        dialect: the service's wording of refusals and failures.
        sandbox_key: value of the X-Sandbox-Key header that opens `/_sandbox/*`.
        control: further routes below `/_sandbox/`, by method and name.
        exception_handlers: as of Starlette; run inside the contract.
        prefix: part of the path before the contract's paths.
    """
    switch, log = FaultSwitch(), ContractLog()
    named = {**_control(switch, log), **(control or {})}
    guarded = [
        Route(f"{CONTROL_PREFIX}{name}", _guard(endpoint, sandbox_key), methods=[method])
        for (method, name), endpoint in named.items()
    ]
    app = Starlette(
        routes=[*guarded, *routes],
        middleware=[
            Middleware(FaultMiddleware, switch=switch, dialect=dialect),
            Middleware(
                ContractMiddleware, contract=contract, dialect=dialect, log=log, prefix=prefix
            ),
        ],
        exception_handlers=dict(exception_handlers or {}),
    )
    app.state.contract_log = log
    app.state.faults = switch
    return app


def _control(switch: FaultSwitch, log: ContractLog) -> dict[tuple[str, str], Endpoint]:
    async def list_faults(_request: Request) -> Response:
        return JSONResponse({"faults": [one.model_dump(mode="json") for one in switch.armed()]})

    async def arm(request: Request) -> Response:
        try:
            fault = Fault.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"errors": error.errors(include_context=False)}, 400)
        switch.arm(fault)
        return JSONResponse(fault.model_dump(mode="json"), 201)

    async def clear(_request: Request) -> Response:
        switch.clear()
        return Response(status_code=204)

    async def requests(_request: Request) -> Response:
        return JSONResponse({"requests": switch.recorded()})

    async def forget(_request: Request) -> Response:
        switch.forget()
        return Response(status_code=204)

    async def violations(_request: Request) -> Response:
        return JSONResponse({"violations": [asdict(one) for one in log.of()]})

    return {
        ("GET", "faults"): list_faults,
        ("POST", "faults"): arm,
        ("DELETE", "faults"): clear,
        ("GET", "requests"): requests,
        ("DELETE", "requests"): forget,
        ("GET", "contract"): violations,
    }


def _guard(endpoint: Endpoint, key: str) -> Endpoint:
    async def guarded(request: Request) -> Response:
        shown = request.headers.get(KEY_HEADER, "")
        if not hmac.compare_digest(shown.encode(), key.encode()):
            return JSONResponse({"message": f"{KEY_HEADER} is missing or wrong"}, 403)
        return await endpoint(request)

    return guarded
