"""States of features without versions (v1): read, toggle, set a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.flagsmith import show
from sandbox.flagsmith.call import reply
from sandbox.flagsmith.errors import V2_DETAIL, detail, invalid, missing
from sandbox.flagsmith.model import (
    feature_by_id,
    merged,
    project_features,
    put_state,
    state_by_id,
    typed,
)
from sandbox.flagsmith.versioning import live_states

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.flagsmith.call import Call


def list_states(call: Call) -> Response:
    """List the default states of an environment, of one feature where it is named."""
    environment = call.environment()
    number, name = call.query("feature"), call.query("feature_name")
    if number is not None:
        named = feature_by_id(call.store, number)
        features = [named] if named and named["project"] == environment["project"] else []
    else:
        features = project_features(call.store, environment["project"])
    found = [
        state
        for feature in features
        if name in {None, feature["name"]}
        for state in live_states(call.store, environment["id"], feature["id"], call.time)
        if state["feature_segment"] is None
    ]
    return call.page(found, show.state_plain)


def get_state(call: Call) -> Response:
    """Give one state."""
    return reply(show.state_plain(_of_environment(call)))


def patch_state(call: Call) -> Response:
    """Change a state; the answer is only `feature` and `enabled`."""
    state = _write(call, _of_environment(call))
    return reply({"feature": state["feature"], "enabled": state["enabled"]})


def put_whole_state(call: Call) -> Response:
    """Change a state as PATCH does; the answer is the whole state."""
    return reply(show.state_plain(_write(call, _of_environment(call))))


def list_typed_states(call: Call) -> Response:
    """List states of an environment by number, overrides too, with typed values."""
    environment = call.found("environments", call.query("environment") or "", "Environment")
    number, override = call.query("feature"), call.query("feature_segment")
    found = [
        state
        for feature in project_features(call.store, environment["project"])
        if number in {None, str(feature["id"])}
        for state in live_states(call.store, environment["id"], feature["id"], call.time)
        if override in {None, str(state["feature_segment"])}
    ]
    return call.page(found, show.state_typed)


def put_typed_state(call: Call) -> Response:
    """Change a state by its number alone, with a typed value."""
    state = state_by_id(call.store, call.number("id"))
    if state is None:
        raise missing("FeatureState")
    value = merged(state["value"], call.body.get("feature_state_value") or {})
    return reply(show.state_typed(_changed(call, state, value)))


def _write(call: Call, state: Document) -> Document:
    value = state["value"]
    if "feature_state_value" in call.body:
        value = typed(call.body["feature_state_value"])
    return _changed(call, state, value)


def _changed(call: Call, state: Document, value: Document) -> Document:
    if state["environment_feature_version"] is not None:
        raise detail(400, V2_DETAIL)
    for name in ("feature", "environment"):
        if call.body.get(name, state[name]) != state[name]:
            raise invalid(**{name: f"Cannot change the {name} of a feature state"})
    changed = {
        **state,
        "enabled": call.body.get("enabled", state["enabled"]),
        "value": value,
        "updated_at": call.time,
    }
    put_state(call.store, changed)
    return changed


def _of_environment(call: Call) -> Document:
    environment = call.environment()
    state = state_by_id(call.store, call.number("id"))
    if state is None or state["environment"] != environment["id"]:
        raise missing("FeatureState")
    return state
