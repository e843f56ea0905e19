"""Vercel's routes, behind its contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from sandbox.emulator import Contract, Dialect, Problem, Store, emulator
from sandbox.vercel import aliasing, deployments, env, projects
from sandbox.vercel.call import Router, VercelError, authorize

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.applications import Starlette
    from starlette.requests import Request

CONTRACT = Path(__file__).parent.parent / "contracts" / "vercel.yaml"

CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "rate_limited"}


def create_app(store: Store, *, clock: Callable[[], datetime], sandbox_key: str) -> Starlette:
    """Build the emulator of Vercel's REST API.

    Besides the common sandbox routes it has `POST /_sandbox/jobs {"fail": true}`, which lets the
    next promotion or rollback fail, and `GET /_sandbox/invalidations`.

    Args:
        store: keeps everything; give each emulator its own.
        clock: gives the time, aware.
        sandbox_key: opens `/_sandbox/*`.
    """
    router = Router(store, clock)
    project, deployment = "{project:str}", "{deployment:str}"
    variable = "{id:str}"
    routes = [
        router.route("/v10/projects", get=projects.list_projects),
        router.route("/v11/projects", post=projects.create_project),
        router.route(
            f"/v9/projects/{project}",
            get=projects.get_project,
            patch=projects.update_project,
            delete=projects.delete_project,
        ),
        router.route(
            f"/v10/projects/{project}/env", get=env.list_variables, post=env.create_variables
        ),
        router.route(f"/v1/projects/{project}/env/{variable}", get=env.get_variable),
        router.route(
            f"/v9/projects/{project}/env/{variable}",
            patch=env.edit_variable,
            delete=env.remove_variable,
        ),
        router.route("/v6/deployments", get=deployments.list_deployments),
        router.route("/v7/deployments", get=deployments.list_deployments),
        router.route(f"/v13/deployments/{deployment}", get=deployments.get_deployment),
        router.route(f"/v12/deployments/{deployment}/cancel", patch=deployments.cancel_deployment),
        router.route(
            f"/v2/deployments/{deployment}/aliases",
            get=deployments.list_aliases_of,
            post=deployments.assign_alias,
        ),
        router.route("/v4/aliases", get=deployments.list_aliases),
        router.route(f"/v1/projects/{project}/promote/aliases", get=aliasing.list_promote_aliases),
        router.route(f"/v10/projects/{project}/promote/{deployment}", post=aliasing.promote),
        router.route(f"/v1/projects/{project}/rollback/{deployment}", post=aliasing.rollback),
        router.route("/v1/edge-cache/invalidate-by-tags", post=aliasing.invalidate_by_tags),
    ]
    return emulator(
        routes,
        contract=Contract.load(CONTRACT),
        dialect=_dialect(store),
        sandbox_key=sandbox_key,
        control=aliasing.control(store),
    )


def _dialect(store: Store) -> Dialect:
    def refuse(request: Request, problems: tuple[Problem, ...]) -> Response:
        try:
            authorize(store, request)
        except VercelError as refusal:
            return refusal.response()
        sentences = "; ".join(str(one) for one in problems)
        return VercelError(400, "bad_request", f"Invalid request: {sentences}").response()

    def not_found(_request: Request) -> Response:
        return VercelError(404, "not_found", "The requested resource was not found.").response()

    def failure(status: int) -> Response:
        error = {"code": CODES.get(status, "internal_server_error"), "message": "As asked."}
        return JSONResponse({"error": error}, status)

    return Dialect(not_found=not_found, refuse=refuse, failure=failure)
