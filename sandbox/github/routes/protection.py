"""Rulesets and classic branch protection: what binds a branch, read and set."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.github import rules
from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, not_found
from sandbox.github.models import Protection, Ruleset
from sandbox.github.serialise.people import moment, node_id

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json

R = "/repos/{owner}/{repo}"
READ = ("administration:read",)
WRITE = ("administration:write",)
INPUT = ("name", "target", "enforcement", "bypass_actors", "conditions", "rules")


def branch_rules(call: Call) -> Reply:
    """List the active rules of a branch, whoever may bypass them."""
    return call.page(rules.active(call.hub, call.path["branch"]), lambda rule: rule)


def list_rulesets(call: Call) -> Reply:
    """List the rulesets, without their rules."""
    return call.page(call.hub.state.rulesets.all(), lambda item: _summary(call, item))


def get_ruleset(call: Call) -> Reply:
    """Return a ruleset; who may bypass it only to those who may change it."""
    return Reply(200, _shown(call, _ruleset(call)))


def create_ruleset(call: Call) -> Reply:
    """Add a ruleset."""
    number, now = call.hub.state.new_id(), call.hub.clock()
    item = Ruleset.model_validate(
        {**_input(call), "id": number, "created_at": now, "updated_at": now}
    )
    return Reply(201, _shown(call, call.hub.state.rulesets.put(item)))


def update_ruleset(call: Call) -> Reply:
    """Change a ruleset."""
    changed = {**_ruleset(call).model_dump(), **_input(call), "updated_at": call.hub.clock()}
    item = call.hub.state.rulesets.put(Ruleset.model_validate(changed))
    return Reply(200, _shown(call, item))


def delete_ruleset(call: Call) -> Reply:
    """Remove a ruleset."""
    call.hub.state.rulesets.delete(_ruleset(call).id)
    return Reply(204)


def get_protection(call: Call) -> Reply:
    """Return the classic protection of a branch."""
    found = call.hub.state.protections.get(call.path["branch"])
    if found is None:
        raise ApiError(404, "Branch not protected")
    return Reply(200, _protection(call, found))


def put_protection(call: Call) -> Reply:
    """Replace the classic protection of a branch."""
    branch = call.path["branch"]
    if call.hub.tip(call.hub.name, branch) is None:
        raise ApiError(404, "Branch not found")
    item = Protection(branch=branch, settings=dict(call.fields))
    return Reply(200, _protection(call, call.hub.state.protections.put(item)))


def delete_protection(call: Call) -> Reply:
    """Remove the classic protection of a branch."""
    if not call.hub.state.protections.delete(call.path["branch"]):
        raise ApiError(404, "Branch not protected")
    return Reply(204)


def _ruleset(call: Call) -> Ruleset:
    found = call.hub.state.rulesets.get(call.number("ruleset_id"))
    if found is None:
        raise not_found()
    return found


def _input(call: Call) -> Json:
    return {name: call.fields[name] for name in INPUT if name in call.fields}


def _summary(call: Call, item: Ruleset) -> Json:
    url = f"{call.links.repository(call.hub.name)}/rulesets/{item.id}"
    return {
        "id": item.id,
        "node_id": node_id("RepositoryRuleset", item.id),
        "name": item.name,
        "target": item.target,
        "source_type": "Repository",
        "source": call.hub.name,
        "enforcement": item.enforcement,
        "created_at": moment(item.created_at),
        "updated_at": moment(item.updated_at),
        "_links": {"self": {"href": url}},
    }


def _shown(call: Call, item: Ruleset) -> Json:
    details = {"conditions": item.conditions, "rules": list(item.rules)}
    if call.actor.may("administration:write"):
        details["bypass_actors"] = list(item.bypass_actors)
    return {**_summary(call, item), **details}


def _protection(call: Call, item: Protection) -> Json:
    url = f"{call.links.repository(call.hub.name)}/branches/{quote(item.branch)}/protection"
    enforced = bool(item.settings.get("enforce_admins"))
    shown: Json = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": enforced},
        "required_linear_history": {"enabled": False},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
    }
    reviews = item.settings.get("required_pull_request_reviews")
    if reviews is not None:
        shown["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": False,
            "require_code_owner_reviews": False,
            "require_last_push_approval": False,
            "required_approving_review_count": 1,
            **reviews,
        }
    checks = item.settings.get("required_status_checks")
    if checks is not None:
        own = f"{url}/required_status_checks"
        shown["required_status_checks"] = {
            "url": own,
            "contexts_url": f"{own}/contexts",
            "strict": False,
            "contexts": [check["context"] for check in checks.get("checks", [])],
            "checks": [{"context": name, "app_id": None} for name in checks.get("contexts", [])],
            **checks,
        }
    return shown


ENDPOINTS = (
    Endpoint("GET", f"{R}/rules/branches/{{branch:path}}", branch_rules, ("metadata:read",)),
    Endpoint("GET", f"{R}/rulesets", list_rulesets, ("metadata:read",)),
    Endpoint("POST", f"{R}/rulesets", create_ruleset, WRITE),
    Endpoint("GET", f"{R}/rulesets/{{ruleset_id}}", get_ruleset, ("metadata:read",)),
    Endpoint("PUT", f"{R}/rulesets/{{ruleset_id}}", update_ruleset, WRITE),
    Endpoint("DELETE", f"{R}/rulesets/{{ruleset_id}}", delete_ruleset, WRITE),
    Endpoint("GET", f"{R}/branches/{{branch:path}}/protection", get_protection, READ),
    Endpoint("PUT", f"{R}/branches/{{branch:path}}/protection", put_protection, WRITE),
    Endpoint("DELETE", f"{R}/branches/{{branch:path}}/protection", delete_protection, WRITE),
)
