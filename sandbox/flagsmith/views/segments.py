"""Segments and the overrides they give a feature in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.flagsmith import show
from sandbox.flagsmith.call import empty, reply
from sandbox.flagsmith.errors import V2_DETAIL, FlagsmithError, detail, invalid, missing
from sandbox.flagsmith.features import new_override
from sandbox.flagsmith.model import delete_state, merged, new_state, new_uuid, states_of, typed
from sandbox.flagsmith.versioning import live_states

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.flagsmith.call import Call


def list_segments(call: Call) -> Response:
    """List a project's segments; `q` searches names."""
    project = call.project()["id"]
    text = (call.query("q") or "").lower()
    return call.page(
        [
            show.segment(one)
            for one in call.store.all("segments")
            if one["project"] == project and text in one["name"].lower()
        ]
    )


def create_segment(call: Call) -> Response:
    """Make a segment."""
    project = call.project()
    number = call.store.next_id("segments")
    segment: Document = {
        "id": number,
        "uuid": new_uuid(),
        "created_at": call.time,
        "updated_at": call.time,
        "name": call.body["name"],
        "description": call.body.get("description"),
        "project": project["id"],
        "feature": call.body.get("feature"),
        "version_of": number,
        "rules": [_rule(call, one, nested=False) for one in call.body["rules"]],
    }
    call.store.put("segments", number, segment)
    return reply(show.segment(segment), 201)


def get_segment(call: Call) -> Response:
    """Give one segment."""
    return reply(show.segment(_of_project(call)))


def delete_segment(call: Call) -> Response:
    """Drop a segment with its overrides."""
    segment = _of_project(call)
    for override in call.store.all("feature_segments"):
        if override["segment"] == segment["id"]:
            _delete_override(call, override)
    call.store.delete("segments", segment["id"])
    return empty()


def list_overrides(call: Call) -> Response:
    """List the segments that override a feature in an environment."""
    environment = int(call.query("environment") or 0)
    feature = int(call.query("feature") or 0)
    live = {
        state["feature_segment"]
        for state in live_states(call.store, environment, feature, call.time)
    }
    # One that has no state yet belongs to no version and is shown too.
    stateless = _stateless(call, environment, feature)
    found = [one for one in call.store.all("feature_segments") if one["id"] in live | stateless]
    found.sort(key=lambda one: int(one["priority"]))
    return call.page([show.override(call.store, one) for one in found])


def create_override(call: Call) -> Response:
    """Put a segment among a feature's overrides, without a state yet."""
    given = call.body
    call.found("environments", given["environment"], "Environment")
    call.feature_by_id(given["feature"])
    place = (given["environment"], given["feature"])
    one = new_override(call.store, place, given["segment"], given.get("priority"), call.time)
    return reply(one, 201)


def delete_override(call: Call) -> Response:
    """Take a segment out of a feature's overrides."""
    _delete_override(call, call.found("feature_segments", call.number("id"), "FeatureSegment"))
    return empty()


def create_segment_override(call: Call) -> Response:
    """Make an override and its state in one call (v1)."""
    environment, feature = call.environment(), call.feature()
    if environment["use_v2_feature_versioning"]:
        raise detail(400, V2_DETAIL)
    given = call.body.get("feature_segment")
    if given is None:
        raise invalid(feature_segment="This field is required.")
    place = (environment["id"], feature["id"])
    override = new_override(call.store, place, given["segment"], given.get("priority"), call.time)
    state = new_state(
        call.store,
        environment,
        feature,
        call.time,
        enabled=call.body.get("enabled", False),
        value=merged(typed(None), call.body["feature_state_value"]),
        override=override["id"],
    )
    return reply(show.state_of_version(call.store, state), 201)


def _rule(call: Call, rule: Document, *, nested: bool) -> Document:
    shown: Document = {"id": call.store.next_id("segment_rules"), "type": rule["type"]}
    if not nested:
        shown["rules"] = [_rule(call, one, nested=True) for one in rule.get("rules", [])]
    shown["conditions"] = [_condition(call, one) for one in rule.get("conditions", [])]
    return shown


def _condition(call: Call, condition: Document) -> Document:
    if "property" not in condition:
        raise FlagsmithError(500, None)
    if condition["property"] == "":
        raise invalid(property="This field may not be blank.")
    return {
        "id": call.store.next_id("segment_conditions"),
        "operator": condition["operator"],
        "property": condition["property"],
        "value": condition.get("value"),
        "description": None,
    }


def _stateless(call: Call, environment: int, feature: int) -> set[int]:
    used = {state["feature_segment"] for state in states_of(call.store, environment, feature)}
    return {
        one["id"]
        for one in call.store.all("feature_segments")
        if (one["environment"], one["feature"]) == (environment, feature) and one["id"] not in used
    }


def _delete_override(call: Call, override: Document) -> None:
    for state in states_of(call.store, override["environment"], override["feature"]):
        if state["feature_segment"] == override["id"]:
            delete_state(call.store, state)
    call.store.delete("feature_segments", override["id"])


def _of_project(call: Call) -> Document:
    project = call.project()
    segment = call.found("segments", call.number("id"), "Segment")
    if segment["project"] != project["id"]:
        raise missing("Segment")
    return segment
