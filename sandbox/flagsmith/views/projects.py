"""Projects, environments and their keys, tags."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sandbox.flagsmith.call import empty, reply, secret_key
from sandbox.flagsmith.errors import detail, forbidden, invalid
from sandbox.flagsmith.features import create_states
from sandbox.flagsmith.model import new_uuid, project_features, put_state, states_of
from sandbox.flagsmith.versioning import live_states, new_version, publish

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document, Store
    from sandbox.flagsmith.call import Call

EDITABLE = ("name", "description", "hide_disabled_flags")
"""Fields of an environment a PATCH changes; minimum_change_request_approvals, a paid feature,
is accepted and ignored."""


def new_project(store: Store, organisation: int, fields: Document) -> Document:
    """Make a project."""
    number = store.next_id("projects")
    project: Document = {
        "id": number,
        "uuid": new_uuid(),
        "name": fields["name"],
        "organisation": organisation,
        "hide_disabled_flags": fields.get("hide_disabled_flags", False),
        "enable_dynamo_db": False,
        "migration_status": "NOT_APPLICABLE",
        "use_edge_identities": False,
        "prevent_flag_defaults": False,
        "enable_realtime_updates": False,
        "only_allow_lower_case_feature_names": fields.get(
            "only_allow_lower_case_feature_names", True
        ),
        "feature_name_regex": fields.get("feature_name_regex"),
        "show_edge_identity_overrides_for_feature": False,
        "stale_flags_limit_days": 30,
        "edge_v2_migration_status": "NOT_STARTED",
        "minimum_change_request_approvals": None,
        "enforce_feature_owners": False,
    }
    store.put("projects", number, project)
    return project


def create_project(call: Call) -> Response:
    """Make a project; the free plan allows one in an organisation."""
    organisation = call.body["organisation"]
    if any(one["organisation"] == organisation for one in call.store.all("projects")):
        raise forbidden()
    if call.caller.organisation not in {None, organisation}:
        raise forbidden()
    if call.store.get("organisations", organisation) is None:
        raise forbidden()
    return reply(new_project(call.store, organisation, call.body), 201)


def list_projects(call: Call) -> Response:
    """List projects, unpaged."""
    return reply(
        [
            one
            for one in call.store.all("projects")
            if call.caller.organisation in {None, one["organisation"]}
        ]
    )


def get_project(call: Call) -> Response:
    """Give one project."""
    return reply(call.found("projects", call.number("id"), "Project"))


def new_environment(
    store: Store, project: int, name: str, key: str, description: str | None = None
) -> Document:
    """Make an environment, not yet versioned."""
    number = store.next_id("environments")
    environment: Document = {
        "id": number,
        "uuid": new_uuid(),
        "name": name,
        "api_key": key,
        "description": description,
        "project": project,
        "minimum_change_request_approvals": None,
        "allow_client_traits": True,
        "banner_text": None,
        "banner_colour": None,
        "hide_disabled_flags": None,
        "use_mv_v2_evaluation": True,
        "use_identity_composite_key_for_hashing": True,
        "hide_sensitive_data": False,
        "use_v2_feature_versioning": False,
        "use_identity_overrides_in_local_eval": True,
        "is_creating": False,
        "metadata": [],
    }
    store.put("environments", number, environment)
    store.put("environment_keys", key, {"id": number})
    return environment


def create_environment(call: Call) -> Response:
    """Make an environment with a state for every feature of the project."""
    project = call.store.get("projects", call.body["project"])
    if project is None:
        raise invalid(project=f'Invalid pk "{call.body["project"]}" - object does not exist.')
    environment = new_environment(
        call.store,
        project["id"],
        call.body["name"],
        secrets.token_urlsafe(16),
        call.body.get("description"),
    )
    for feature in project_features(call.store, project["id"]):
        create_states(call.store, environment, feature, call.time)
    return reply(environment, 201)


def list_environments(call: Call) -> Response:
    """List environments, of one project where it is named."""
    project = call.query("project")
    found = [
        one for one in call.store.all("environments") if project in {None, str(one["project"])}
    ]
    return call.page(found)


def get_environment(call: Call) -> Response:
    """Give one environment with its number of overrides."""
    environment = call.environment()
    overrides = sum(
        state["feature_segment"] is not None
        for feature in project_features(call.store, environment["project"])
        for state in live_states(call.store, environment["id"], feature["id"], call.time)
    )
    return reply({**environment, "total_segment_overrides": overrides})


def update_environment(call: Call) -> Response:
    """Change an environment."""
    environment = call.environment()
    changed = {name: call.body[name] for name in EDITABLE if name in call.body}
    call.store.put("environments", environment["id"], {**environment, **changed})
    return reply({**environment, **changed})


def enable_versioning(call: Call) -> Response:
    """Turn v2 versioning on, for good; every feature gets a first, live version."""
    environment = call.environment()
    if environment["use_v2_feature_versioning"]:
        raise detail(400, "Environment already using v2 versioning.")
    for feature in project_features(call.store, environment["project"]):
        version = new_version(call.store, environment["id"], feature["id"], call.time)
        for state in states_of(call.store, environment["id"], feature["id"]):
            put_state(call.store, {**state, "environment_feature_version": version["uuid"]})
        publish(call.store, version, call.time, call.time)
    enabled = {**environment, "use_v2_feature_versioning": True}
    call.store.put("environments", environment["id"], enabled)
    return empty(202)


def create_server_key(call: Call) -> Response:
    """Make a server-side key, which opens the environment document."""
    environment = call.environment()
    number = call.store.next_id("server_keys")
    key = f"ser.{secrets.token_urlsafe(16)}"
    call.store.put("server_keys", secret_key(key), {"environment": environment["id"]})
    return reply(
        {
            "id": number,
            "key": key,
            "active": True,
            "created_at": call.time,
            "name": call.body["name"],
            "expires_at": None,
        },
        201,
    )


def list_tags(call: Call) -> Response:
    """List a project's tags."""
    project = call.project()["id"]
    return call.page([one for one in call.store.all("tags") if one["project"] == project])


def create_tag(call: Call) -> Response:
    """Make a tag."""
    project = call.project()["id"]
    label = call.body["label"]
    if any(one["label"] == label and one["project"] == project for one in call.store.all("tags")):
        raise invalid(non_field_errors="The fields label, project must make a unique set.")
    number = call.store.next_id("tags")
    tag = {
        "id": number,
        "uuid": new_uuid(),
        "label": label,
        "color": call.body.get("color", "#000000"),
        "description": call.body.get("description"),
        "project": project,
        "is_permanent": call.body.get("is_permanent", False),
        "is_system_tag": False,
        "type": "NONE",
    }
    call.store.put("tags", number, tag)
    return reply(tag, 201)


def delete_tag(call: Call) -> Response:
    """Drop a tag."""
    call.project()
    call.found("tags", call.number("id"), "Tag")
    call.store.delete("tags", call.number("id"))
    return empty()
