"""Versions of a feature in an environment: drafts, publishing, and which states are in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.flagsmith.model import new_uuid, put_state, states_of

if TYPE_CHECKING:
    from sandbox.emulator import Document, Store


def live_version(store: Store, environment: int, feature: int, time: str) -> Document | None:
    """Give the version in force at a time: the published one that went live last."""
    live = [one for one in store.all(f"versions/{environment}/{feature}") if is_live(one, time)]
    return max(live, key=lambda one: str(one["live_from"]), default=None)


def is_live(version: Document, time: str) -> bool:
    """Tell whether a version is published and its time has come; older ones stay live."""
    return bool(version["published"]) and str(version["live_from"]) <= time


def live_states(store: Store, environment: int, feature: int, time: str) -> list[Document]:
    """Give the states in force: the default one and the segment overrides."""
    version = live_version(store, environment, feature, time)
    wanted = version["uuid"] if version else None
    return [
        state
        for state in states_of(store, environment, feature)
        if state["environment_feature_version"] == wanted
    ]


def new_version(store: Store, environment: int, feature: int, time: str) -> Document:
    """Make an unpublished version without states."""
    version: Document = {
        "created_at": time,
        "updated_at": time,
        "published": False,
        "live_from": None,
        "uuid": new_uuid(),
        "published_by": None,
        "created_by": None,
        "description": None,
        "environment": environment,
        "feature": feature,
    }
    put_version(store, version)
    return version


def put_version(store: Store, version: Document) -> None:
    """Keep a version."""
    collection = f"versions/{version['environment']}/{version['feature']}"
    store.put(collection, version["uuid"], version)


def publish(store: Store, version: Document, time: str, live_from: str) -> Document:
    """Publish a version from a time on."""
    published: Document = {
        **version,
        "published": True,
        "live_from": live_from,
        "updated_at": time,
    }
    put_version(store, published)
    return published


def draft_from_live(store: Store, environment: int, feature: int, time: str) -> Document:
    """Make an unpublished version with copies of the states in force."""
    states = live_states(store, environment, feature, time)
    version = new_version(store, environment, feature, time)
    for state in states:
        copied = copy_override(store, state["feature_segment"])
        put_state(
            store,
            {
                **state,
                "id": store.next_id("states"),
                "uuid": new_uuid(),
                "created_at": time,
                "updated_at": time,
                "live_from": None,
                "feature_segment": copied,
                "environment_feature_version": version["uuid"],
                "variants": [copy_variant(store, one) for one in state["variants"]],
            },
        )
    return version


def copy_override(store: Store, number: int | None) -> int | None:
    """Copy a feature segment for a state of another version."""
    found = store.get("feature_segments", number) if number is not None else None
    if found is None:
        return None
    copied: int = store.next_id("feature_segments")
    store.put("feature_segments", copied, {**found, "id": copied, "uuid": new_uuid()})
    return copied


def copy_variant(store: Store, variant: Document) -> Document:
    """Copy a variant's share for a state of another version."""
    return {**variant, "id": store.next_id("variants"), "uuid": new_uuid()}
