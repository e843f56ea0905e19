"""Deployments with their statuses, and the environments they go to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.models import Deployment, DeploymentStatus, Environment
from sandbox.github.serialise import checks

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json

R = "/repos/{owner}/{repo}"
READ = ("deployments:read",)
WRITE = ("deployments:write",)
STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}


def list_deployments(call: Call) -> Reply:
    """List deployments, newest first, by commit, ref, task and environment."""
    wanted = {name: call.query.get(name) for name in ("sha", "ref", "task", "environment")}
    found = [
        item
        for item in call.hub.state.deployments.all()
        if all(value in {None, getattr(item, name)} for name, value in wanted.items())
    ]
    return call.page(found[::-1], lambda item: checks.deployment(call, item))


def create_deployment(call: Call) -> Reply:
    """Record a deployment; 409 while a required status context is not successful."""
    ref = call.text("ref")
    sha = call.hub.git(call.hub.name).resolve(ref)
    if sha is None:
        raise ApiError(422, f"No ref found for: {ref}")
    payload = call.fields.get("payload", "")
    if not isinstance(payload, dict | str):
        raise invalid("payload is an object or a text", name="payload", code="invalid")
    _require_contexts(call, sha)
    environment = call.text("environment", "production")
    item = Deployment(
        id=call.hub.state.new_id(),
        sha=sha,
        ref=ref,
        task=call.text("task", "deploy"),
        environment=environment,
        description=call.optional("description"),
        payload=payload,
        creator=call.actor.login,
        transient_environment=call.flag("transient_environment"),
        production_environment=call.flag(
            "production_environment", default=environment == "production"
        ),
        created_at=call.hub.clock(),
    )
    return Reply(201, checks.deployment(call, call.hub.state.deployments.put(item)))


def get_deployment(call: Call) -> Reply:
    """Return one deployment."""
    return Reply(200, checks.deployment(call, _deployment(call)))


def list_statuses(call: Call) -> Reply:
    """List the statuses of a deployment, newest first."""
    found = call.hub.state.deployment_statuses(_deployment(call).id).all()
    return call.page(found[::-1], lambda item: checks.deployment_status(call, item))


def create_status(call: Call) -> Reply:
    """Add a status; a success makes the environment's earlier deployments inactive."""
    deployment, state = _deployment(call), call.text("state")
    if state not in STATES:
        raise invalid("state is not known", resource="DeploymentStatus", name="state")
    status = _status(call, deployment, state)
    if state == "success" and call.flag("auto_inactive", default=True):
        _retire_others(call, deployment)
    return Reply(201, checks.deployment_status(call, status))


def list_environments(call: Call) -> Reply:
    """List the environments."""
    found = call.hub.state.environments.all()
    shown = [checks.environment(call, item) for item in call.slice(found)]
    return Reply(
        200, {"total_count": len(found), "environments": shown}, call.link_header(len(found))
    )


def get_environment(call: Call) -> Reply:
    """Return one environment."""
    return Reply(200, checks.environment(call, _environment(call)))


def put_environment(call: Call) -> Reply:
    """Create an environment or replace its protection."""
    name, now = call.path["name"], call.hub.clock()
    found = call.hub.state.environments.get(name)
    fields: Json = {key: value for key, value in call.fields.items() if value is not None}
    item = Environment.model_validate(
        {
            "id": call.hub.state.new_id() if found is None else found.id,
            "name": name,
            "created_at": now if found is None else found.created_at,
            "updated_at": now,
            **fields,
        }
    )
    return Reply(200, checks.environment(call, call.hub.state.environments.put(item)))


def delete_environment(call: Call) -> Reply:
    """Remove an environment."""
    call.hub.state.environments.delete(_environment(call).name)
    return Reply(204)


def _deployment(call: Call) -> Deployment:
    found = call.hub.state.deployments.get(call.number("deployment_id"))
    if found is None:
        raise not_found()
    return found


def _environment(call: Call) -> Environment:
    found = call.hub.state.environments.get(call.path["name"])
    if found is None:
        raise not_found()
    return found


def _require_contexts(call: Call, sha: str) -> None:
    latest = {status.context: status for status in call.hub.state.statuses(sha).all()}
    wanted = call.texts("required_contexts") or []
    if "required_contexts" not in call.fields:
        wanted = list(latest)
    missing = [name for name in wanted if name not in latest or latest[name].state != "success"]
    if missing:
        raise ApiError(409, f"Conflict: Commit status checks failed for {sha}.")


def _status(call: Call, deployment: Deployment, state: str) -> DeploymentStatus:
    status = DeploymentStatus(
        id=call.hub.state.new_id(),
        deployment=deployment.id,
        state=state,
        description=call.text("description", ""),
        environment=call.text("environment", deployment.environment),
        environment_url=call.text("environment_url", ""),
        log_url=call.text("log_url", ""),
        target_url=call.text("target_url", ""),
        creator=call.actor.login,
        created_at=call.hub.clock(),
    )
    return call.hub.state.deployment_statuses(deployment.id).put(status)


def _retire_others(call: Call, current: Deployment) -> None:
    for other in call.hub.state.deployments.all():
        statuses = call.hub.state.deployment_statuses(other.id)
        latest = statuses.all()[-1:]
        same = other.environment == current.environment and not other.transient_environment
        if same and other.id < current.id and latest and latest[0].state == "success":
            retired = {"id": call.hub.state.new_id(), "state": "inactive"}
            statuses.put(latest[0].model_copy(update=retired))


ENDPOINTS = (
    Endpoint("GET", f"{R}/deployments", list_deployments, READ),
    Endpoint("POST", f"{R}/deployments", create_deployment, WRITE),
    Endpoint("GET", f"{R}/deployments/{{deployment_id}}", get_deployment, READ),
    Endpoint("GET", f"{R}/deployments/{{deployment_id}}/statuses", list_statuses, READ),
    Endpoint("POST", f"{R}/deployments/{{deployment_id}}/statuses", create_status, WRITE),
    Endpoint("GET", f"{R}/environments", list_environments, ("actions:read",)),
    Endpoint("GET", f"{R}/environments/{{name}}", get_environment, ("actions:read",)),
    Endpoint("PUT", f"{R}/environments/{{name}}", put_environment, ("administration:write",)),
    Endpoint("DELETE", f"{R}/environments/{{name}}", delete_environment, ("administration:write",)),
)
