"""Commit statuses, which anyone with the scope may post, and check runs, which only Apps may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.models import CheckRun, Status
from sandbox.github.routes.commits import resolved
from sandbox.github.serialise import checks

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json

R = "/repos/{owner}/{repo}"
STATES = {"error", "failure", "pending", "success"}
CONCLUSIONS = {
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "stale",
    "timed_out",
}


def create_status(call: Call) -> Reply:
    """Post a status on a commit; earlier ones of the same context stay in the list."""
    sha, state = call.path["sha"], call.text("state")
    if call.hub.git(call.hub.name).object_type(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    if state not in STATES:
        raise invalid("state is not known", resource="Status", name="state", code="invalid")
    status = Status(
        id=call.hub.state.new_id(),
        sha=sha,
        state=cast("Literal['error', 'failure', 'pending', 'success']", state),
        context=call.text("context", "default"),
        description=call.optional("description"),
        target_url=call.optional("target_url"),
        creator=call.actor.login,
        created_at=call.hub.clock(),
    )
    call.hub.state.statuses(sha).put(status)
    return Reply(201, checks.status(call, status))


def list_statuses(call: Call) -> Reply:
    """List every status of a commit, newest first."""
    sha = resolved(call, call.path["ref"])
    found = call.hub.state.statuses(sha).all()[::-1]
    return call.page(found, lambda item: checks.status(call, item))


def combined_status(call: Call) -> Reply:
    """Return the newest status of each context and what they come to."""
    sha = resolved(call, call.path["ref"])
    latest = list({item.context: item for item in call.hub.state.statuses(sha).all()}.values())
    shown = checks.combined(call, sha, latest, call.slice(latest))
    return Reply(200, shown, call.link_header(len(latest)))


def create_check_run(call: Call) -> Reply:
    """Start a check run on a commit, as the App of the token."""
    app_id = call.actor.app_id
    if call.actor.kind != "bot" or app_id is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    sha = call.text("head_sha")
    if call.hub.git(call.hub.name).object_type(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    run = CheckRun(
        id=call.hub.state.new_id(),
        name=call.text("name"),
        head_sha=sha,
        status="queued",
        started_at=call.hub.clock(),
        app_id=app_id,
    )
    run = _changed(call, run)
    return Reply(201, checks.check_run(call, call.hub.state.check_runs.put(run)))


def get_check_run(call: Call) -> Reply:
    """Return one check run."""
    return Reply(200, checks.check_run(call, _run(call)))


def update_check_run(call: Call) -> Reply:
    """Change a check run; only its own App may."""
    run = _run(call)
    if call.actor.kind != "bot" or call.actor.app_id != run.app_id:
        raise ApiError(403, "Invalid app_id: a check run is changed only by its own App.")
    run = call.hub.state.check_runs.put(_changed(call, run))
    return Reply(200, checks.check_run(call, run))


def list_check_runs(call: Call) -> Reply:
    """List the check runs of a commit; of each App and name only the newest, unless all."""
    sha = resolved(call, call.path["ref"])
    wanted = {name: call.query.get(name) for name in ("check_name", "status", "app_id")}
    found = [
        run
        for run in call.hub.state.check_runs.all()
        if run.head_sha == sha
        and wanted["check_name"] in {None, run.name}
        and wanted["status"] in {None, run.status}
        and wanted["app_id"] in {None, str(run.app_id)}
    ]
    if call.query.get("filter", "latest") == "latest":
        found = list({(run.app_id, run.name): run for run in found}.values())
    found.reverse()
    shown = [checks.check_run(call, run) for run in call.slice(found)]
    body = {"total_count": len(found), "check_runs": shown}
    return Reply(200, body, call.link_header(len(found)))


def list_annotations(call: Call) -> Reply:
    """List the annotations of a check run."""
    optional = ("start_column", "end_column", "title", "raw_details")
    empty = dict.fromkeys(optional)
    return call.page(_run(call).annotations, lambda item: {**empty, **item})


def _run(call: Call) -> CheckRun:
    found = call.hub.state.check_runs.get(call.number("check_run_id"))
    if found is None:
        raise not_found()
    return found


def _changed(call: Call, run: CheckRun) -> CheckRun:
    changed: Json = {
        name: call.text(name)
        for name in ("name", "details_url", "external_id", "status", "conclusion")
        if call.fields.get(name) is not None
    }
    for name in ("started_at", "completed_at"):
        if call.fields.get(name) is not None:
            changed[name] = _moment(call, name)
    if changed.get("conclusion") is not None:
        if changed["conclusion"] not in CONCLUSIONS:
            raise invalid("conclusion is not known", resource="CheckRun", name="conclusion")
        # As on GitHub, a conclusion completes the run.
        changed["status"] = "completed"
        changed.setdefault("completed_at", call.hub.clock())
    elif changed.get("status") == "completed" and run.conclusion is None:
        raise invalid("a completed run needs a conclusion", resource="CheckRun", name="conclusion")
    output = call.fields.get("output")
    if isinstance(output, dict):
        changed |= {name: output[name] for name in ("title", "summary", "text") if name in output}
        changed["annotations"] = (*run.annotations, *output.get("annotations", ()))
    return CheckRun.model_validate({**run.model_dump(), **changed})


def _moment(call: Call, name: str) -> datetime:
    try:
        when = datetime.fromisoformat(call.text(name))
    except ValueError:
        raise invalid(f"{name} is not a date-time", resource="CheckRun", name=name) from None
    return when.replace(tzinfo=when.tzinfo or UTC)


ENDPOINTS = (
    Endpoint("POST", f"{R}/statuses/{{sha}}", create_status, ("statuses:write",)),
    Endpoint("GET", f"{R}/commits/{{ref:path}}/statuses", list_statuses, ("statuses:read",)),
    Endpoint("GET", f"{R}/commits/{{ref:path}}/status", combined_status, ("statuses:read",)),
    Endpoint("POST", f"{R}/check-runs", create_check_run, ("checks:write",)),
    Endpoint("GET", f"{R}/check-runs/{{check_run_id}}", get_check_run, ("checks:read",)),
    Endpoint("PATCH", f"{R}/check-runs/{{check_run_id}}", update_check_run, ("checks:write",)),
    Endpoint(
        "GET", f"{R}/check-runs/{{check_run_id}}/annotations", list_annotations, ("checks:read",)
    ),
    Endpoint("GET", f"{R}/commits/{{ref:path}}/check-runs", list_check_runs, ("checks:read",)),
)
