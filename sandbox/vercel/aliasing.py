"""Promotion and rollback: asked for in one call, done in the background, seen by polling.

A job goes `pending`, `in-progress`, `succeeded` (or `failed`), one step each time the project is
read, so that a test sees every step without waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.vercel.call import VercelError, empty, reply
from sandbox.vercel.deployments import is_rollback_candidate, new_alias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Literal

    from starlette.requests import Request

    from sandbox.emulator import Document, Store
    from sandbox.vercel.call import Call

RUNNING = {"pending", "in-progress"}


class JobPlan(BaseModel):
    """What the next job comes to.

    Attributes:
        fail: whether it ends `failed`, production unchanged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fail: bool


def promote(call: Call) -> Response:
    """Make a staged production deployment the current one."""
    project, deployment = call.project(), call.deployment()
    _check(project, deployment)
    _start(call, project, deployment, "promote")
    return empty(201)


def rollback(call: Call) -> Response:
    """Go back to a deployment that was production before; on the free plan only to the last one."""
    project, deployment = call.project(), call.deployment()
    _check(project, deployment)
    if not is_rollback_candidate(deployment, project):
        raise VercelError(422, "unprocessable_entity", "The deployment can't be rolled back to.")
    if call.store.all("teams")[0]["plan"] == "hobby":
        _check_is_last(call.store, project, deployment)
    description = call.query("description")
    if description is not None:
        project["rollbackDescription"] = {
            "userId": "sandbox",
            "username": "sandbox",
            "description": description,
            "createdAt": call.now,
        }
    _start(call, project, deployment, "rollback")
    return empty(201)


def list_promote_aliases(call: Call) -> Response:
    """List what became of the aliases of the last promotion."""
    project = call.project()
    job = project["lastAliasRequest"] or {"jobStatus": "succeeded"}
    status = {"succeeded": "completed", "failed": "failed"}.get(job["jobStatus"], "pending")
    found = [
        {"status": status, "alias": one["alias"], "id": one["uid"]}
        for one in call.store.all("aliases")
        if one["projectId"] == project["id"]
    ]
    if call.query("failedOnly") == "true" and status != "failed":
        found = []
    pagination = {"count": len(found), "next": None, "prev": None}
    return reply({"aliases": found, "pagination": pagination})


def invalidate_by_tags(call: Call) -> Response:
    """Throw the cached answers of some tags away; kept, so that a test can see it."""
    number = call.store.next_id("invalidations")
    tags = call.body["tags"]
    entry = {
        "project": call.query("projectIdOrName"),
        "tags": [tags] if isinstance(tags, str) else tags,
        "target": call.body.get("target", "production"),
    }
    call.store.put("invalidations", number, entry)
    return empty(200)


def advance(store: Store, project: Document, now: int) -> None:
    """Let a running job go one step further."""
    job = project["lastAliasRequest"]
    if job is None or job["jobStatus"] not in RUNNING:
        return
    if job["jobStatus"] == "pending":
        job["jobStatus"] = "in-progress"
    elif project.pop("job", {}).get("fail"):
        job["jobStatus"] = "failed"
    else:
        job["jobStatus"] = "succeeded"
        _point(store, project, job, now)
    store.put("projects", project["id"], project)


def control(store: Store) -> dict[tuple[str, str], Callable[[Request], Awaitable[Response]]]:
    """Give the sandbox routes that plan the next job and show what was invalidated."""

    async def plan(request: Request) -> Response:
        try:
            wanted = JobPlan.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"errors": error.errors(include_context=False)}, 400)
        store.put("control", "job", wanted.model_dump())
        return JSONResponse(wanted.model_dump(), 201)

    async def invalidations(_request: Request) -> Response:
        return JSONResponse({"invalidations": store.all("invalidations")})

    return {("POST", "jobs"): plan, ("GET", "invalidations"): invalidations}


def _check(project: Document, deployment: Document) -> None:
    if deployment["projectId"] != project["id"]:
        raise VercelError(404, "not_found", "The deployment is not of this project.")
    job = project["lastAliasRequest"]
    if job is not None and job["jobStatus"] in RUNNING:
        raise VercelError(409, "conflict", "Another promotion or rollback is still running.")
    if deployment["id"] == project["production"]:
        raise VercelError(409, "conflict", "The deployment is already the current production.")
    if deployment["readyState"] != "READY":
        raise VercelError(422, "unprocessable_entity", "The deployment is not ready.")
    if deployment["target"] != "production":
        raise VercelError(422, "unprocessable_entity", "The deployment is not for production.")


def _check_is_last(store: Store, project: Document, deployment: Document) -> None:
    candidates = [
        one
        for one in store.all("deployments")
        if one["projectId"] == project["id"] and is_rollback_candidate(one, project)
    ]
    last = max(candidates, key=lambda one: int(one["createdAt"]))
    if last["id"] != deployment["id"]:
        raise VercelError(402, "payment_required", "The plan allows only the last deployment.")


def _start(
    call: Call, project: Document, deployment: Document, kind: Literal["promote", "rollback"]
) -> None:
    project["lastAliasRequest"] = {
        "fromDeploymentId": project["production"],
        "toDeploymentId": deployment["id"],
        "jobStatus": "pending",
        "requestedAt": call.now,
        "type": kind,
    }
    project["job"] = call.store.get("control", "job") or {"fail": False}
    call.store.delete("control", "job")
    call.store.put("projects", project["id"], project)


def _point(store: Store, project: Document, job: Document, now: int) -> None:
    """Make a job's deployment production, with all the project's aliases."""
    deployment = store.get("deployments", job["toDeploymentId"])
    if deployment is None:
        raise VercelError(500, "internal_error", "The deployment is gone.")
    project["production"] = deployment["id"]
    back = job["type"] == "rollback"
    project["autoAssignCustomDomains"] = not back
    project["lastRollbackTarget"] = {"id": deployment["id"]} if back else None
    for alias in store.all("aliases"):
        if alias["projectId"] == project["id"]:
            store.put("aliases", alias["alias"], new_alias(deployment, alias["alias"], now))
