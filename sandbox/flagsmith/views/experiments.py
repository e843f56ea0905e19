"""One call that sets a flag whatever the versioning; experimental upstream too."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sandbox.flagsmith.call import empty
from sandbox.flagsmith.errors import FlagsmithError, invalid
from sandbox.flagsmith.features import new_override
from sandbox.flagsmith.model import delete_state, feature_by_id, new_state, put_state, typed
from sandbox.flagsmith.versioning import draft_from_live, live_states, publish
from sandbox.flagsmith.views.versions import version_states

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.flagsmith.call import Call


def update_flag_v1(call: Call) -> Response:
    """Set the default state, or one segment's override."""
    segment = call.body.get("segment") or {}
    change = {
        "segment_id": segment.get("id"),
        "priority": segment.get("priority"),
        "enabled": call.body["enabled"],
        "value": call.body["value"],
    }
    _apply(call, [change])
    return empty()


def update_flag_v2(call: Call) -> Response:
    """Set the default state and any segments' overrides."""
    overrides = call.body.get("segment_overrides") or []
    segments = [one["segment_id"] for one in overrides]
    if len(segments) != len(set(segments)):
        raise invalid(segment_overrides="Duplicate segment_id values are not allowed")
    _apply(call, [{"segment_id": None, **call.body["environment_default"]}, *overrides])
    return empty()


def delete_segment_override(call: Call) -> Response:
    """Take a segment's override away."""
    environment, feature = call.environment(), _feature(call)
    for state in _writable(call, environment, feature):
        override = call.store.get("feature_segments", state["feature_segment"] or 0)
        if override is not None and override["segment"] == call.body["segment"]["id"]:
            delete_state(call.store, state)
            return empty()
    raise invalid(segment="No override for this segment.")


def _apply(call: Call, changes: list[Document]) -> None:
    environment, feature = call.environment(), _feature(call)
    # Values are read before anything is written, so that a bad one changes nothing.
    values = [_value(change["value"]) for change in changes]
    states = _writable(call, environment, feature)
    for change, value in zip(changes, values, strict=True):
        _set(call, environment, feature, states, {**change, "value": value})


def _writable(call: Call, environment: Document, feature: Document) -> list[Document]:
    """Give the states to change: those in force, or those of a new version made for it."""
    place = (environment["id"], feature["id"])
    if not environment["use_v2_feature_versioning"]:
        return live_states(call.store, *place, call.time)
    version = draft_from_live(call.store, *place, call.time)
    publish(call.store, version, call.time, call.time)
    return version_states(call.store, version)


def _set(
    call: Call, environment: Document, feature: Document, states: list[Document], change: Document
) -> None:
    for state in states:
        override = call.store.get("feature_segments", state["feature_segment"] or 0)
        if (override["segment"] if override else None) != change["segment_id"]:
            continue
        if override is not None and change.get("priority") is not None:
            override["priority"] = change["priority"]
            call.store.put("feature_segments", override["id"], override)
        new = {"enabled": change["enabled"], "value": change["value"], "updated_at": call.time}
        put_state(call.store, {**state, **new})
        return
    place = (environment["id"], feature["id"])
    override = new_override(
        call.store, place, change["segment_id"], change.get("priority"), call.time
    )
    new_state(
        call.store,
        environment,
        feature,
        call.time,
        enabled=change["enabled"],
        value=change["value"],
        override=override["id"],
        version=states[0]["environment_feature_version"],
    )


def _feature(call: Call) -> Document:
    given = call.body["feature"]
    environment = call.environment()
    if ("name" in given) == ("id" in given):
        text = "Provide either 'name' or 'id', not both"
        if not given:
            text = "Either 'name' or 'id' is required for feature identification"
        raise FlagsmithError(400, {"feature": {"non_field_errors": [text]}})
    feature = feature_by_id(call.store, given.get("id") or _number_of(call, environment, given))
    if feature and feature["project"] == environment["project"]:
        return feature
    raise FlagsmithError(400, {"non_field_errors": [f"Feature '{given}' not found in project"]})


def _number_of(call: Call, environment: Document, given: Document) -> int:
    """Give the number of the feature of exactly this name, or 0, which none has."""
    known = call.store.get(f"feature_names/{environment['project']}", given["name"].lower())
    found = feature_by_id(call.store, known["id"]) if known else None
    return int(found["id"]) if found and found["name"] == given["name"] else 0


def _value(given: Document) -> Document:
    kind, text = given["type"], cast("str", given["value"])
    try:
        match kind:
            case "integer":
                return typed(int(text))
            case "boolean":
                return typed({"true": True, "false": False}[text.lower()])
    except (ValueError, KeyError):
        sentence = f"Not a valid {kind}"
        raise FlagsmithError(400, {"value": {"non_field_errors": [sentence]}}) from None
    return typed(text)
