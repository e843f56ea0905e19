"""Features: find, make, change, archive, drop; variants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.flagsmith import show
from sandbox.flagsmith.call import empty, reply
from sandbox.flagsmith.errors import invalid, missing
from sandbox.flagsmith.features import claim_name, create_feature, delete_feature
from sandbox.flagsmith.model import (
    new_uuid,
    project_environments,
    project_features,
    put_feature,
    put_state,
    states_of,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.flagsmith.call import Call

EDITABLE = ("description", "tags", "is_archived", "is_server_key_only", "type")


def find(call: Call) -> Response:
    """List a project's features, filtered, sorted and paged."""
    project = call.project()
    found = [one for one in project_features(call.store, project["id"]) if _wanted(call, one)]
    field = call.query("sort_field") or "created_date"
    descending = call.query("sort_direction") == "DESC"
    found.sort(key=lambda one: (str(one[field]), int(one["id"])), reverse=descending)
    environment = call.query("environment")
    number = int(environment) if environment else None

    def shown(one: Document) -> Document:
        return {**show.feature(call.store, one, call.time, number), "code_references_counts": []}

    return call.page(found, shown)


def create(call: Call) -> Response:
    """Make a feature."""
    project = call.project()
    pattern = project["feature_name_regex"]
    if pattern and not re.fullmatch(pattern, call.body["name"]):
        raise invalid(name=f"Feature name must match regex: {pattern}")
    feature = create_feature(call.store, project, call.time, call.body)
    return reply(show.feature(call.store, feature, call.time), 201)


def get(call: Call) -> Response:
    """Give one feature."""
    return reply(_shown(call, _of_project(call)))


def update(call: Call) -> Response:
    """Change a feature; a state's value and the name of the first value stay as they are."""
    feature = _of_project(call)
    if "name" in call.body and call.body["name"] != feature["name"]:
        renamed = {**feature, "name": call.body["name"]}
        claim_name(call.store, feature["project"], renamed)
        if renamed["name"].lower() != feature["name"].lower():
            call.store.delete(f"feature_names/{feature['project']}", feature["name"].lower())
        feature = renamed
    feature |= {name: call.body[name] for name in EDITABLE if name in call.body}
    put_feature(call.store, feature)
    return reply(_shown(call, feature))


def delete(call: Call) -> Response:
    """Drop a feature."""
    delete_feature(call.store, _of_project(call))
    return empty()


def create_variant(call: Call) -> Response:
    """Add a variant, which makes the feature MULTIVARIATE and gives every state its share."""
    feature = _of_project(call, "feature_pk")
    share = float(call.body["default_percentage_allocation"])
    option = {
        "id": call.store.next_id("variant_options"),
        "uuid": new_uuid(),
        "type": call.body.get("type", "unicode"),
        "integer_value": call.body.get("integer_value"),
        "string_value": call.body.get("string_value"),
        "boolean_value": call.body.get("boolean_value"),
        "default_percentage_allocation": share,
        "key": None,
    }
    feature["type"] = "MULTIVARIATE"
    feature["multivariate_options"].append(option)
    put_feature(call.store, feature)
    for environment in project_environments(call.store, feature["project"]):
        for state in states_of(call.store, environment["id"], feature["id"]):
            if state["feature_segment"] is None:
                state["variants"].append(
                    {
                        "id": call.store.next_id("variants"),
                        "uuid": new_uuid(),
                        "multivariate_feature_option": option["id"],
                        "percentage_allocation": share,
                    }
                )
                put_state(call.store, state)
    return reply({**option, "feature": feature["id"]}, 201)


def _of_project(call: Call, parameter: str = "id") -> Document:
    project = call.project()
    feature = call.feature_by_id(call.number(parameter))
    if feature["project"] != project["id"]:
        raise missing("Feature")
    return feature


def _shown(call: Call, feature: Document) -> Document:
    shown = show.feature(call.store, feature, call.time)
    del shown["is_num_identity_overrides_complete"]
    return {**shown, "code_references_counts": []}


def _wanted(call: Call, feature: Document) -> bool:
    search = call.query("search")
    if search is not None and search.lower() not in feature["name"].lower():
        return False
    archived = call.query("is_archived")
    if archived is not None and (archived.lower() == "true") != feature["is_archived"]:
        return False
    tags = {int(one) for one in (call.query("tags") or "").split(",") if one.isdigit()}
    if call.query("tag_strategy") == "UNION":
        return not tags or bool(tags & set(feature["tags"]))
    return tags <= set(feature["tags"])
