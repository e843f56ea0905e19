"""What Flagsmith keeps: features, their values, and their states by environment.

States of one feature in one environment lie in their own collection, so that a call costs what
it touches, not what there is.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.emulator import Document, Store


def new_uuid() -> str:
    """Give a random UUID as text."""
    return str(uuid.uuid4())


def typed(value: str | bool | int | None) -> Document:  # noqa: FBT001 - a value of either type
    """Make the typed form of a plain value."""
    kind = {bool: "bool", int: "int"}.get(type(value), "unicode")
    return {
        "type": kind,
        "string_value": value if kind == "unicode" else None,
        "integer_value": value if kind == "int" else None,
        "boolean_value": value if kind == "bool" else None,
    }


def merged(old: Document, given: Document) -> Document:
    """Make the typed form of what an endpoint with typed values was sent."""
    kind = given.get("type") or old["type"]
    field = {"int": "integer_value", "bool": "boolean_value"}.get(kind, "string_value")
    return {
        **typed(None),
        "type": kind,
        field: given.get(field, old[field]),
    }


def plain(value: Document) -> str | bool | int | None:
    """Make the plain form of a typed value."""
    field = {"int": "integer_value", "bool": "boolean_value"}.get(value["type"], "string_value")
    found: str | bool | int | None = value[field]
    return found


def states_of(store: Store, environment: int, feature: int) -> list[Document]:
    """Give all states of a feature in an environment, of every version."""
    return store.all(f"states/{environment}/{feature}")


def state_by_id(store: Store, number: int) -> Document | None:
    """Give one state."""
    where = store.get("states", number)
    return store.get(where["collection"], number) if where else None


def put_state(store: Store, state: Document) -> None:
    """Keep a state."""
    collection = f"states/{state['environment']}/{state['feature']}"
    store.put("states", state["id"], {"collection": collection})
    store.put(collection, state["id"], state)


def delete_state(store: Store, state: Document) -> None:
    """Drop a state and the segment override it belongs to."""
    store.delete(f"states/{state['environment']}/{state['feature']}", state["id"])
    store.delete("states", state["id"])
    if state["feature_segment"] is not None:
        store.delete("feature_segments", state["feature_segment"])


def new_state(  # noqa: PLR0913 - the columns of one row
    store: Store,
    environment: Document,
    feature: Document,
    time: str,
    *,
    enabled: bool,
    value: Document,
    override: int | None = None,
    version: str | None = None,
) -> Document:
    """Make and keep a state; `override` is the number of a feature segment."""
    state: Document = {
        "id": store.next_id("states"),
        "uuid": new_uuid(),
        "feature": feature["id"],
        "environment": environment["id"],
        "enabled": enabled,
        "value": value,
        "feature_segment": override,
        "identity": None,
        "deleted_at": None,
        "created_at": time,
        "updated_at": time,
        "live_from": None if version else time,
        "version": 1,
        "environment_feature_version": version,
        "change_request": None,
        "variants": [],
    }
    put_state(store, state)
    return state


def put_feature(store: Store, feature: Document) -> None:
    """Keep a feature; a project's features lie together, so that listing them is one look."""
    collection = f"project_features/{feature['project']}"
    store.put("features", feature["id"], {"collection": collection})
    store.put(collection, feature["id"], feature)


def feature_by_id(store: Store, number: str | int) -> Document | None:
    """Give one feature."""
    where = store.get("features", number)
    return store.get(where["collection"], number) if where else None


def project_features(store: Store, project: int) -> list[Document]:
    """Give the features of a project, oldest first."""
    return store.all(f"project_features/{project}")


def project_environments(store: Store, project: int) -> list[Document]:
    """Give the environments of a project, oldest first."""
    return [one for one in store.all("environments") if one["project"] == project]
