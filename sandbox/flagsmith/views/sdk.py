"""What applications read: flags, flags of an identity, the whole environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sandbox.flagsmith import show
from sandbox.flagsmith.call import reply, secret_key
from sandbox.flagsmith.errors import detail
from sandbox.flagsmith.evaluate import variant_of, winner
from sandbox.flagsmith.model import plain, project_features
from sandbox.flagsmith.versioning import live_states

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.flagsmith.call import Call

KEY_HEADER = "X-Environment-Key"


def flags(call: Call) -> Response:
    """List the default states; archived features stay, hidden ones do not."""
    environment = _environment(call)
    shown = [
        {**show.state_small(state), "feature": show.feature_sdk(feature)}
        for feature in _visible(call, environment)
        for state in live_states(call.store, environment["id"], feature["id"], call.time)
        if state["feature_segment"] is None
    ]
    return reply(sorted(shown, key=lambda one: int(one["id"])))


def identities(call: Call) -> Response:
    """Give an identity's flags and keep its traits."""
    environment = _environment(call)
    identifier = call.body["identifier"]
    given = [_trait(call, environment, identifier, one) for one in call.body.get("traits", [])]
    kept = call.store.get(f"identities/{environment['id']}", identifier) or {"traits": {}}
    traits = {**kept["traits"], **{one["trait_key"]: one["trait_value"] for one in given}}
    call.store.put(f"identities/{environment['id']}", identifier, {"traits": traits})
    # The composite key spreads one identifier differently in each environment.
    identity = f"{environment['api_key']}_{identifier}"
    shown = []
    for feature in _visible(call, environment):
        states = live_states(call.store, environment["id"], feature["id"], call.time)
        state = winner(call.store, states, identity, traits)
        value, variant = plain(state["value"]), None
        if feature["type"] == "MULTIVARIATE":
            value, variant = variant_of(state, feature["multivariate_options"], identity)
        small = {**show.state_small(state), "feature": show.feature_sdk(feature)}
        if state["feature_segment"] is not None:
            override = call.found("feature_segments", state["feature_segment"], "FeatureSegment")
            small["feature_segment"] = override["id"]
        shown.append({**small, "feature_state_value": value, "variant": variant})
    return reply({"identifier": identifier, "traits": given, "flags": shown})


def environment_document(call: Call) -> Response:
    """Give all an SDK needs to evaluate by itself; only a server-side key opens it."""
    key = call.request.headers.get(KEY_HEADER, "")
    known = call.store.get("server_keys", secret_key(key))
    if known is None:
        raise detail(403, "Invalid or missing Environment key")
    environment = call.found("environments", known["environment"], "Environment")
    project = call.found("projects", environment["project"], "Project")
    features = project_features(call.store, project["id"])
    states = [
        (feature, state)
        for feature in features
        for state in live_states(call.store, environment["id"], feature["id"], call.time)
    ]
    kept = (
        "id",
        "api_key",
        "name",
        "allow_client_traits",
        "hide_sensitive_data",
        "hide_disabled_flags",
        "use_identity_composite_key_for_hashing",
        "use_identity_overrides_in_local_eval",
    )
    return reply(
        {
            **{name: environment[name] for name in kept},
            "project": _project_document(call, project, states),
            "feature_states": [
                _state_document(call, feature, state)
                for feature, state in states
                if state["feature_segment"] is None
            ],
            "identity_overrides": [],
            "updated_at": show.offset_form(
                max((state["updated_at"] for _, state in states), default=call.time)
            ),
        }
    )


def _project_document(
    call: Call, project: Document, states: list[tuple[Document, Document]]
) -> Document:
    organisation = call.found("organisations", project["organisation"], "Organisation")
    overrides: dict[int, list[Document]] = {}
    for feature, state in states:
        override = call.store.get("feature_segments", state["feature_segment"] or 0)
        if override is not None:
            shown = _state_document(call, feature, state)
            overrides.setdefault(override["segment"], []).append(shown)
    return {
        "id": project["id"],
        "name": project["name"],
        "organisation": {
            "id": organisation["id"],
            "name": organisation["name"],
            "feature_analytics": False,
            "stop_serving_flags": False,
            "persist_trait_data": organisation["persist_trait_data"],
        },
        "hide_disabled_flags": project["hide_disabled_flags"],
        "segments": [
            {
                "id": segment["id"],
                "name": segment["name"],
                "rules": [_rule_document(one) for one in segment["rules"]],
                "feature_states": overrides.get(segment["id"], []),
            }
            for segment in call.store.all("segments")
            if segment["project"] == project["id"]
        ],
        "enable_realtime_updates": project["enable_realtime_updates"],
        "server_key_only_feature_ids": [
            one["id"]
            for one in project_features(call.store, project["id"])
            if one["is_server_key_only"]
        ],
    }


def _state_document(call: Call, feature: Document, state: Document) -> Document:
    override = call.store.get("feature_segments", state["feature_segment"] or 0)
    options = {one["id"]: one for one in feature["multivariate_options"]}
    return {
        "feature": {name: feature[name] for name in ("id", "name", "type")},
        "enabled": state["enabled"],
        "django_id": state["id"],
        "feature_segment": {"priority": override["priority"]} if override else None,
        "featurestate_uuid": state["uuid"],
        "feature_state_value": plain(state["value"]),
        "multivariate_feature_state_values": [
            {
                "multivariate_feature_option": {
                    "value": plain(options[one["multivariate_feature_option"]]),
                    "id": one["multivariate_feature_option"],
                    "key": options[one["multivariate_feature_option"]]["key"],
                },
                "percentage_allocation": one["percentage_allocation"],
                "id": one["id"],
                "mv_fs_value_uuid": one["uuid"],
            }
            for one in state["variants"]
        ],
    }


def _rule_document(rule: Document) -> Document:
    return {
        "type": rule["type"],
        "rules": [_rule_document(one) for one in rule.get("rules", [])],
        "conditions": [
            {"operator": one["operator"], "value": one["value"], "property_": one["property"]}
            for one in rule["conditions"]
        ],
    }


def _environment(call: Call) -> Document:
    pointer = call.store.get("environment_keys", call.request.headers.get(KEY_HEADER, ""))
    if pointer is None:
        raise detail(403, "Invalid or missing Environment Key")
    return call.found("environments", pointer["id"], "Environment")


def _visible(call: Call, environment: Document) -> list[Document]:
    features = project_features(call.store, environment["project"])
    return [one for one in features if not one["is_server_key_only"]]


def _trait(call: Call, environment: Document, identifier: str, given: Document) -> Document:
    """Number a trait; the number stays the same for the same name of the same identity."""
    collection = f"traits/{environment['id']}/{identifier}"
    known = call.store.get(collection, given["trait_key"])
    number = known["id"] if known else call.store.next_id("traits")
    call.store.put(collection, given["trait_key"], {"id": number})
    return {
        "id": number,
        "trait_key": given["trait_key"],
        "trait_value": given["trait_value"],
        "transient": cast("bool", given.get("transient", False)),
    }
