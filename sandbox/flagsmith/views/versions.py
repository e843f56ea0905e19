"""Versions of a feature in an environment (v2): draft, edit, publish, or all in one call."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ops_actions.clock import rfc3339
from sandbox.flagsmith import show
from sandbox.flagsmith.call import empty, reply
from sandbox.flagsmith.errors import detail, invalid, missing
from sandbox.flagsmith.features import new_override
from sandbox.flagsmith.model import delete_state, merged, new_state, put_state, states_of, typed
from sandbox.flagsmith.versioning import draft_from_live, is_live, publish, put_version

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document, Store
    from sandbox.flagsmith.call import Call


def list_versions(call: Call) -> Response:
    """List the versions, newest first; every published one says it is live."""
    environment, feature = _place(call)
    found = call.store.all(f"versions/{environment['id']}/{feature['id']}")
    return call.page([show.version(one, call.time) for one in reversed(found)])


def create_version(call: Call) -> Response:
    """Make a version from the states in force, with changes, published at once if asked."""
    environment, feature = _place(call)
    if not environment["use_v2_feature_versioning"]:
        raise detail(400, "This environment does not use v2 feature versioning.")
    version = draft_from_live(call.store, environment["id"], feature["id"], call.time)
    version = {**version, "description": call.body.get("description")}
    put_version(call.store, version)
    for given in call.body.get("feature_states_to_update") or []:
        segment = (given.get("feature_segment") or {}).get("segment")
        change_state(call, version, segment, given)
    for given in call.body.get("feature_states_to_create") or []:
        _add_state(call, environment, feature, version, given)
    for segment in call.body.get("segment_ids_to_delete_overrides") or []:
        remove_override(call.store, version, segment)
    if call.body.get("publish_immediately"):
        version = publish_now(call, version)
    return reply(show.version(version, call.time), 201)


def publish_version(call: Call) -> Response:
    """Publish a draft, now or from a time on."""
    version = publish_now(call, _version(call, "id"))
    return reply({"live_from": version["live_from"]})


def delete_version(call: Call) -> Response:
    """Drop a draft with its states."""
    version = _version(call, "id")
    if is_live(version, call.time):
        raise detail(400, "Cannot delete a live version.")
    for state in version_states(call.store, version):
        delete_state(call.store, state)
    call.store.delete(f"versions/{version['environment']}/{version['feature']}", version["uuid"])
    return empty()


def list_states(call: Call) -> Response:
    """List a version's states, unpaged."""
    version = _version(call, "version")
    return reply(
        [show.state_of_version(call.store, state) for state in version_states(call.store, version)]
    )


def create_state(call: Call) -> Response:
    """Add a segment override to a draft."""
    environment, feature = _place(call)
    state = _add_state(call, environment, feature, _draft(call), call.body)
    return reply(show.state_of_version(call.store, state), 201)


def update_state(call: Call) -> Response:
    """Change a state of a draft."""
    state = _state(call, _draft(call))
    changed = {
        **state,
        "enabled": call.body.get("enabled", state["enabled"]),
        "value": merged(state["value"], call.body.get("feature_state_value") or {}),
        "updated_at": call.time,
    }
    put_state(call.store, changed)
    return reply(show.state_of_version(call.store, changed))


def remove_state(call: Call) -> Response:
    """Take a segment override out of a draft."""
    state = _state(call, _draft(call))
    if state["feature_segment"] is None:
        raise detail(400, "Cannot delete environment default feature state.")
    delete_state(call.store, state)
    return empty()


def version_states(store: Store, version: Document) -> list[Document]:
    """Give the states of one version."""
    states = states_of(store, version["environment"], version["feature"])
    return [one for one in states if one["environment_feature_version"] == version["uuid"]]


def change_state(call: Call, version: Document, segment: int | None, given: Document) -> None:
    """Change a version's default state, or the override of a segment, to the typed value given."""
    for state in version_states(call.store, version):
        override = call.store.get("feature_segments", state["feature_segment"] or 0)
        if (override["segment"] if override else None) == segment:
            changed = {
                **state,
                "enabled": given.get("enabled", state["enabled"]),
                "value": merged(state["value"], given["feature_state_value"]),
                "updated_at": call.time,
            }
            put_state(call.store, changed)
            return
    raise invalid(feature_states_to_update=f"Segment {segment} has no override to update.")


def remove_override(store: Store, version: Document, segment: int) -> bool:
    """Take the override of a segment out of a version; tell whether there was one."""
    for state in version_states(store, version):
        override = store.get("feature_segments", state["feature_segment"] or 0)
        if override is not None and override["segment"] == segment:
            delete_state(store, state)
            return True
    return False


def publish_now(call: Call, version: Document) -> Document:
    """Publish a version from the time the body names, else from now."""
    wanted = call.body.get("live_from")
    live_from = rfc3339(datetime.fromisoformat(wanted)) if wanted else call.time
    published = publish(call.store, version, call.time, live_from)
    for state in version_states(call.store, version):
        put_state(call.store, {**state, "live_from": live_from})
    return published


def _add_state(
    call: Call, environment: Document, feature: Document, version: Document, given: Document
) -> Document:
    segment = given.get("feature_segment")
    if segment is None:
        raise invalid(feature_segment="This field is required.")
    place = (environment["id"], feature["id"])
    override = new_override(
        call.store, place, segment["segment"], segment.get("priority"), call.time
    )
    return new_state(
        call.store,
        environment,
        feature,
        call.time,
        enabled=given.get("enabled", False),
        value=merged(typed(None), given["feature_state_value"]),
        override=override["id"],
        version=version["uuid"],
    )


def _place(call: Call) -> tuple[Document, Document]:
    feature = call.feature()
    environment = call.found("environments", call.number("environment_pk"), "Environment")
    if environment["project"] != feature["project"]:
        raise missing("Environment")
    return environment, feature


def _version(call: Call, parameter: str) -> Document:
    environment, feature = _place(call)
    collection = f"versions/{environment['id']}/{feature['id']}"
    return call.found(collection, call.text(parameter), "EnvironmentFeatureVersion")


def _draft(call: Call) -> Document:
    version = _version(call, "version")
    if version["published"]:
        raise detail(400, "Cannot modify published version.")
    return version


def _state(call: Call, version: Document) -> Document:
    for state in version_states(call.store, version):
        if state["id"] == call.number("id"):
            return state
    raise missing("FeatureState")
