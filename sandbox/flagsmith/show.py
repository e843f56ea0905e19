"""How Flagsmith shows what it keeps; each endpoint family has its own shape."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.flagsmith.model import plain, project_environments
from sandbox.flagsmith.versioning import is_live, live_states

if TYPE_CHECKING:
    from sandbox.emulator import Document, Store

VARIANT_FIELDS = ("id", "multivariate_feature_option", "percentage_allocation")


def variants(state: Document) -> list[Document]:
    """Show the shares of a state's variants."""
    return [{name: one[name] for name in VARIANT_FIELDS} for one in state["variants"]]


def state_plain(state: Document) -> Document:
    """Show a state as `/environments/{key}/featurestates/` does: the bare value."""
    shown = {name: value for name, value in state.items() if name not in {"value", "variants"}}
    return {
        **shown,
        "feature_state_value": plain(state["value"]),
        "multivariate_feature_state_values": variants(state),
    }


def state_typed(state: Document) -> Document:
    """Show a state as `/features/featurestates/` does: the value with its type."""
    return {**state_plain(state), "feature_state_value": state["value"]}


def state_of_version(store: Store, state: Document) -> Document:
    """Show a state as overrides and versions do: the typed value and the whole override."""
    override = store.get("feature_segments", state["feature_segment"] or 0)
    if override is not None:
        override = {name: override[name] for name in ("id", "segment", "priority", "uuid")}
    shown = {**state_typed(state), "feature_segment": override}
    return {
        name: value
        for name, value in shown.items()
        if name not in {"version", "environment_feature_version"}
    }


def state_small(state: Document) -> Document:
    """Show a state inside a feature or an SDK answer."""
    return {
        "id": state["id"],
        "feature_state_value": plain(state["value"]),
        "environment": state["environment"],
        "identity": state["identity"],
        "feature_segment": state["feature_segment"],
        "enabled": state["enabled"],
    }


def feature_sdk(feature: Document) -> Document:
    """Show a feature inside an SDK answer."""
    names = ("id", "name", "created_date", "description", "initial_value", "default_enabled")
    return {**{name: feature[name] for name in names}, "type": feature["type"]}


def feature(store: Store, one: Document, time: str, environment: int | None = None) -> Document:
    """Show a feature as its create answer does; with its state where an environment is named."""
    changed = [
        version["live_from"]
        for place in project_environments(store, one["project"])
        for version in store.all(f"versions/{place['id']}/{one['id']}")
        if is_live(version, time)
    ]
    state, overrides = None, 0
    if environment is not None:
        states = live_states(store, environment, one["id"], time)
        overrides = sum(found["feature_segment"] is not None for found in states)
        default = next((found for found in states if found["feature_segment"] is None), None)
        state = state_small(default) if default else None
    return {
        **one,
        "owners": [],
        "group_owners": [],
        "environment_feature_state": state,
        "segment_feature_state": None,
        "num_segment_overrides": overrides,
        "num_identity_overrides": None,
        "is_num_identity_overrides_complete": True,
        "last_modified_in_any_environment": offset_form(max(changed, default=None)),
        "last_modified_in_current_environment": None,
        "metadata": [],
    }


def version(one: Document, time: str) -> Document:
    """Show a version."""
    shown = {name: value for name, value in one.items() if name not in {"environment", "feature"}}
    return {**shown, "is_live": is_live(one, time)}


def segment(one: Document) -> Document:
    """Show a segment."""
    return {**one, "metadata": [], "membership_counts": [], "managed_by": ""}


def override(store: Store, one: Document) -> Document:
    """Show a feature segment in a list."""
    found = store.get("segments", one["segment"]) or {}
    return {
        "id": one["id"],
        "uuid": one["uuid"],
        "segment": one["segment"],
        "priority": one["priority"],
        "environment": one["environment"],
        "segment_name": found.get("name", ""),
        "is_feature_specific": found.get("feature") is not None,
    }


def offset_form(moment: str | None) -> str | None:
    """Write a moment with +00:00, which two fields have instead of Z."""
    return datetime.fromisoformat(moment).isoformat() if moment else None
