"""Deployments: list, read, cancel, aliases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops_actions.clock import rfc3339
from sandbox.vercel.call import VercelError, reply

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.vercel.call import Call

UNFINISHED = {"BUILDING", "INITIALIZING", "QUEUED"}


def list_deployments(call: Call) -> Response:
    """List deployments, newest first."""
    found = [one for one in call.store.all("deployments") if _wanted(call, one)]
    found.sort(key=lambda one: int(one["createdAt"]), reverse=True)
    shown, pagination = call.page(found, lambda one: int(one["createdAt"]))
    items = [_list_item(call, one) for one in shown]
    return reply({"deployments": items, "pagination": pagination})


def get_deployment(call: Call) -> Response:
    """Give one deployment, by number or by URL."""
    return reply(_show(call, call.deployment()))


def cancel_deployment(call: Call) -> Response:
    """Cancel a deployment that is not finished yet."""
    deployment = call.deployment()
    if deployment["readyState"] not in UNFINISHED:
        raise VercelError(400, "bad_request", "The deployment is already finished.")
    deployment["readyState"] = "CANCELED"
    call.store.put("deployments", deployment["id"], deployment)
    return reply(_show(call, deployment))


def list_aliases_of(call: Call) -> Response:
    """List the aliases of one deployment."""
    deployment = call.deployment()
    found = [one for one in call.store.all("aliases") if one["deploymentId"] == deployment["id"]]
    return reply({"aliases": [_small_alias(one) for one in found]})


def list_aliases(call: Call) -> Response:
    """List all aliases, of one project where it is named."""
    project = call.query("projectId")
    found = [one for one in call.store.all("aliases") if project in {None, one["projectId"]}]
    found.sort(key=lambda one: int(one["createdAt"]), reverse=True)
    shown, pagination = call.page(found, lambda one: int(one["createdAt"]))
    return reply({"aliases": shown, "pagination": pagination})


def assign_alias(call: Call) -> Response:
    """Point an alias at a deployment, wherever it pointed before."""
    deployment = call.deployment()
    if deployment["readyState"] != "READY":
        raise VercelError(400, "deployment_not_ready", "The deployment is not ready.")
    name = call.body["alias"]
    old = call.store.get("aliases", name)
    made = new_alias(deployment, name, call.now)
    call.store.put("aliases", name, made)
    return reply({**_small_alias(made), "oldDeploymentId": old["deploymentId"] if old else None})


def new_alias(deployment: Document, name: str, now: int) -> Document:
    """Make an alias of a deployment."""
    return {
        "uid": f"als_{name}",
        "alias": name,
        "created": rfc3339(datetime.fromtimestamp(now / 1000, UTC)),
        "createdAt": now,
        "updatedAt": now,
        "deploymentId": deployment["id"],
        "projectId": deployment["projectId"],
        "deployment": {"id": deployment["id"], "url": deployment["url"]},
        "redirect": None,
    }


def target_of(deployment: Document) -> Document:
    """Show a deployment as a project's target."""
    return {
        "id": deployment["id"],
        "name": deployment["name"],
        "url": deployment["url"],
        "alias": [],
        "aliasAssigned": deployment["createdAt"],
        "createdAt": deployment["createdAt"],
        "deploymentHostname": deployment["url"],
        "readyState": deployment["readyState"],
        "readySubstate": "PROMOTED",
        "target": deployment["target"],
        "meta": deployment["meta"],
    }


def _show(call: Call, deployment: Document) -> Document:
    project = call.store.get("projects", deployment["projectId"]) or {}
    current = project.get("production") == deployment["id"]
    return {
        **deployment,
        "status": deployment["readyState"],
        "aliasAssigned": current,
        "alias": [
            one["alias"]
            for one in call.store.all("aliases")
            if one["deploymentId"] == deployment["id"]
        ],
        "project": {
            "id": deployment["projectId"],
            "name": deployment["name"],
            "framework": project.get("framework"),
        },
        **_substate(deployment, current=current),
    }


def _list_item(call: Call, deployment: Document) -> Document:
    project = call.store.get("projects", deployment["projectId"]) or {}
    current = project.get("production") == deployment["id"]
    kept = {name: value for name, value in deployment.items() if name != "id"}
    return {
        **kept,
        "uid": deployment["id"],
        "created": deployment["createdAt"],
        "state": deployment["readyState"],
        "type": "LAMBDAS",
        "aliasAssigned": deployment["createdAt"] if current else None,
        "aliasError": None,
        "isRollbackCandidate": is_rollback_candidate(deployment, project),
        **_substate(deployment, current=current),
    }


def is_rollback_candidate(deployment: Document, project: Document) -> bool:
    """Tell whether production can go back to a deployment: it was production, and is not now."""
    ready = deployment["readyState"] == "READY" and deployment["target"] == "production"
    return bool(ready and project.get("production") != deployment["id"])


def _substate(deployment: Document, *, current: bool) -> Document:
    if deployment["target"] != "production" or deployment["readyState"] != "READY":
        return {}
    return {"readySubstate": "PROMOTED" if current else "STAGED"}


def _small_alias(alias: Document) -> Document:
    return {name: alias[name] for name in ("uid", "alias", "created", "redirect")}


def _wanted(call: Call, one: Document) -> bool:
    projects = call.request.query_params.getlist("projectIds")
    states = (call.query("state") or "").split(",")
    wanted = {
        "projectId": one["projectId"],
        "app": one["name"],
        "target": one["target"],
        "sha": one["meta"].get("githubCommitSha"),
        "branch": one["meta"].get("githubCommitRef"),
    }
    if any(call.query(name) not in {None, value} for name, value in wanted.items()):
        return False
    if (projects and one["projectId"] not in projects) or (
        call.query("state") and one["readyState"] not in states
    ):
        return False
    candidate = call.query("rollbackCandidate")
    project = call.store.get("projects", one["projectId"]) or {}
    return candidate is None or is_rollback_candidate(one, project) == (candidate == "true")
