"""Statuses, check runs, deployments and environments as GitHub shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.github.errors import not_found
from sandbox.github.serialise import people, repositories
from sandbox.github.serialise.people import moment, node_id, optional_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.github.call import Call, Json
    from sandbox.github.models import (
        CheckRun,
        Deployment,
        DeploymentStatus,
        Environment,
        Status,
    )


def status(call: Call, item: Status) -> Json:
    """Return a commit status."""
    return {
        "id": item.id,
        "node_id": node_id("StatusContext", item.id),
        "url": f"{call.links.repository(call.hub.name)}/statuses/{item.sha}",
        "state": item.state,
        "context": item.context,
        "description": item.description,
        "target_url": item.target_url,
        "creator": people.user(call.links, call.hub.state.visible(item.creator)),
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
    }


def combined(call: Call, sha: str, latest: Sequence[Status], shown: Sequence[Status]) -> Json:
    """Return the combined status of a commit; ``latest`` holds the newest of each context."""
    states = {item.state for item in latest}
    state = "success" if states == {"success"} else "pending"
    if states & {"failure", "error"}:
        state = "failure"
    url = call.links.repository(call.hub.name)
    return {
        "state": state,
        "sha": sha,
        "total_count": len(latest),
        "statuses": [status(call, item) for item in shown],
        "repository": repositories.short(call, call.hub.name),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }


def check_run(call: Call, item: CheckRun) -> Json:
    """Return a check run with the App it belongs to."""
    hub, url = call.hub, call.links.repository(call.hub.name)
    app, owner = hub.state.apps.get(item.app_id), hub.state.account(hub.owner)
    if app is None or owner is None:
        raise not_found()
    return {
        "id": item.id,
        "node_id": node_id("CheckRun", item.id),
        "url": f"{url}/check-runs/{item.id}",
        "html_url": f"{call.links.root}/{hub.name}/runs/{item.id}",
        "details_url": item.details_url,
        "name": item.name,
        "head_sha": item.head_sha,
        "external_id": item.external_id or "",
        "status": item.status,
        "conclusion": item.conclusion,
        "started_at": moment(item.started_at),
        "completed_at": optional_moment(item.completed_at),
        "app": people.app(call.links, owner, app),
        "check_suite": {"id": app.id},
        "pull_requests": [],
        "output": {
            "title": item.title,
            "summary": item.summary,
            "text": item.text,
            "annotations_count": len(item.annotations),
            "annotations_url": f"{url}/check-runs/{item.id}/annotations",
        },
    }


def deployment(call: Call, item: Deployment) -> Json:
    """Return a deployment."""
    url = f"{call.links.repository(call.hub.name)}/deployments/{item.id}"
    return {
        "id": item.id,
        "node_id": node_id("Deployment", item.id),
        "url": url,
        "sha": item.sha,
        "ref": item.ref,
        "task": item.task,
        "payload": item.payload,
        "environment": item.environment,
        "original_environment": item.environment,
        "description": item.description,
        "creator": people.user(call.links, call.hub.state.visible(item.creator)),
        "transient_environment": item.transient_environment,
        "production_environment": item.production_environment,
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": call.links.repository(call.hub.name),
    }


def deployment_status(call: Call, item: DeploymentStatus) -> Json:
    """Return one status of a deployment."""
    url = f"{call.links.repository(call.hub.name)}/deployments/{item.deployment}"
    return {
        "id": item.id,
        "node_id": node_id("DeploymentStatus", item.id),
        "url": f"{url}/statuses/{item.id}",
        "state": item.state,
        "description": item.description,
        "environment": item.environment,
        "environment_url": item.environment_url,
        "log_url": item.log_url,
        "target_url": item.target_url,
        "creator": people.user(call.links, call.hub.state.visible(item.creator)),
        "created_at": moment(item.created_at),
        "updated_at": moment(item.created_at),
        "deployment_url": url,
        "repository_url": call.links.repository(call.hub.name),
    }


def environment(call: Call, item: Environment) -> Json:
    """Return a deployment environment with its protection rules."""
    rules: list[Json] = []
    if item.wait_timer:
        rules.append({"type": "wait_timer", "wait_timer": item.wait_timer})
    if item.reviewers:
        reviewers = [_reviewer(call, one) for one in item.reviewers]
        self_review = {"prevent_self_review": item.prevent_self_review}
        rules.append({"type": "required_reviewers", **self_review, "reviewers": reviewers})
    if item.deployment_branch_policy is not None:
        rules.append({"type": "branch_policy"})
    url = f"{call.links.repository(call.hub.name)}/environments/{quote(item.name, safe='')}"
    return {
        "id": item.id,
        "node_id": node_id("Environment", item.id),
        "name": item.name,
        "url": url,
        "html_url": f"{call.links.root}/{call.hub.name}/deployments/{quote(item.name, safe='')}",
        "protection_rules": [
            {"id": item.id + index, "node_id": node_id("GateRule", item.id + index), **rule}
            for index, rule in enumerate(rules)
        ],
        "deployment_branch_policy": item.deployment_branch_policy,
        "created_at": moment(item.created_at),
        "updated_at": moment(item.updated_at),
    }


def _reviewer(call: Call, wanted: Json) -> Json:
    owner = call.hub.state.account(call.hub.owner)
    if wanted["type"] == "Team":
        teams = [team for team in call.hub.state.teams.all() if team.id == wanted["id"]]
        shown = people.team(call.links, owner, teams[0]) if teams and owner else None
    else:
        users = [user for user in call.hub.state.accounts.all() if user.id == wanted["id"]]
        shown = people.user(call.links, users[0]) if users else None
    return {"type": wanted["type"], "reviewer": shown}
