"""Making and dropping features and segment overrides, with the states that belong to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.flagsmith.errors import invalid
from sandbox.flagsmith.model import (
    delete_state,
    new_state,
    new_uuid,
    project_environments,
    put_feature,
    put_state,
    states_of,
    typed,
)
from sandbox.flagsmith.versioning import live_states, new_version, publish

if TYPE_CHECKING:
    from sandbox.emulator import Document, Store


def new_override(
    store: Store, place: tuple[int, int], segment: int, priority: int | None, time: str
) -> Document:
    """Make and keep a feature segment: the place of a segment among a feature's overrides.

    Args:
        store: the emulator's state.
        place: numbers of the environment and the feature.
        segment: number of the segment.
        priority: 0 wins over 1; the last place when None.
        time: now.

    Raises:
        FlagsmithError: 400, there is no such segment.
    """
    environment, feature = place
    if store.get("segments", segment) is None:
        raise invalid(segment=f'Invalid pk "{segment}" - object does not exist.')
    used = [
        one
        for state in live_states(store, environment, feature, time)
        if (one := store.get("feature_segments", state["feature_segment"] or 0))
    ]
    document: Document = {
        "id": store.next_id("feature_segments"),
        "uuid": new_uuid(),
        "feature": feature,
        "segment": segment,
        "environment": environment,
        "priority": len(used) if priority is None else priority,
    }
    store.put("feature_segments", document["id"], document)
    return document


def create_feature(store: Store, project: Document, time: str, fields: Document) -> Document:
    """Make a feature and its states in every environment of the project.

    Raises:
        FlagsmithError: 400, the name is taken, in whatever case.
    """
    number = store.next_id("features")
    feature: Document = {
        "id": number,
        "uuid": new_uuid(),
        "name": fields["name"],
        "type": fields.get("type") or "STANDARD",
        "default_enabled": fields.get("default_enabled", False),
        "initial_value": fields.get("initial_value"),
        "created_date": time,
        "description": fields.get("description"),
        "tags": fields.get("tags", []),
        "is_archived": fields.get("is_archived", False),
        "is_server_key_only": fields.get("is_server_key_only", False),
        "multivariate_options": [],
        "project": project["id"],
    }
    claim_name(store, project["id"], feature)
    put_feature(store, feature)
    for environment in project_environments(store, project["id"]):
        create_states(store, environment, feature, time)
    return feature


def create_states(store: Store, environment: Document, feature: Document, time: str) -> None:
    """Give a feature its first state in an environment, in a first version where it has those."""
    version = None
    if environment["use_v2_feature_versioning"]:
        version = new_version(store, environment["id"], feature["id"], time)
        publish(store, version, time, time)
    value = typed(feature["initial_value"])
    enabled = feature["default_enabled"]
    state = new_state(store, environment, feature, time, enabled=enabled, value=value)
    if version is not None:
        put_state(store, {**state, "environment_feature_version": version["uuid"]})


def claim_name(store: Store, project: int, feature: Document) -> None:
    """Take a name for a feature, whatever its case, or refuse."""
    key = str(feature["name"]).lower()
    taken = store.get(f"feature_names/{project}", key)
    if taken is not None and taken["id"] != feature["id"]:
        raise invalid(
            name="Feature with that name already exists for this project. "
            "Note that feature names are case insensitive."
        )
    store.put(f"feature_names/{project}", key, {"id": feature["id"]})


def delete_feature(store: Store, feature: Document) -> None:
    """Drop a feature with its states and versions."""
    for environment in project_environments(store, feature["project"]):
        for state in states_of(store, environment["id"], feature["id"]):
            delete_state(store, state)
        for version in store.all(f"versions/{environment['id']}/{feature['id']}"):
            store.delete(f"versions/{environment['id']}/{feature['id']}", version["uuid"])
    store.delete(f"feature_names/{feature['project']}", str(feature["name"]).lower())
    store.delete(f"project_features/{feature['project']}", feature["id"])
    store.delete("features", feature["id"])
