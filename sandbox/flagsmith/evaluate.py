"""Which flags an identity gets: segment rules, percentage splits and variants."""

from __future__ import annotations

import hashlib
import operator
import re
from typing import TYPE_CHECKING, Any

from sandbox.flagsmith.model import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.emulator import Document, Store

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_INCLUSIVE": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_INCLUSIVE": operator.le,
}


def percentage(*parts: object, rounds: int = 1) -> float:
    """Give the same number below 100 for the same parts: how the service spreads identities."""
    text = ",".join([str(part) for part in parts] * rounds)
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    value = int(digest, 16) % 9999 / 9998 * 100
    return percentage(*parts, rounds=rounds + 1) if value == 100 else value  # noqa: PLR2004


def in_segment(segment: Document, identity: str, traits: Mapping[str, Any]) -> bool:
    """Tell whether an identity belongs to a segment; one without rules has nobody."""
    rules = segment["rules"]
    return bool(rules) and all(_rule(segment["id"], one, identity, traits) for one in rules)


def variant_of(
    state: Document, options: Sequence[Document], identity: str
) -> tuple[str | bool | int | None, str]:
    """Give the value and the name of the variant an identity gets; `control` is the default."""
    share, reached = percentage(state["id"], identity), 0.0
    for variant in state["variants"]:
        reached += variant["percentage_allocation"]
        if share <= reached:
            wanted = variant["multivariate_feature_option"]
            option = next(one for one in options if one["id"] == wanted)
            return plain(option), str(option["key"] or option["id"])
    return plain(state["value"]), "control"


def winner(
    store: Store, states: Sequence[Document], identity: str, traits: Mapping[str, Any]
) -> Document:
    """Give the state an identity gets: the matching override of lowest priority, or the default."""
    ranked: list[tuple[int, Document]] = []
    for state in states:
        override = store.get("feature_segments", state["feature_segment"] or 0)
        segment = store.get("segments", override["segment"]) if override else None
        if override and segment and in_segment(segment, identity, traits):
            ranked.append((int(override["priority"]), state))
    if ranked:
        return min(ranked, key=operator.itemgetter(0))[1]
    return next(state for state in states if state["feature_segment"] is None)


def _rule(segment: int, rule: Document, identity: str, traits: Mapping[str, Any]) -> bool:
    results = [_condition(segment, one, identity, traits) for one in rule["conditions"]]
    outcomes = {"ALL": all(results), "ANY": any(results), "NONE": not any(results)}
    met = outcomes[str(rule["type"])]
    nested = all(_rule(segment, one, identity, traits) for one in rule.get("rules", []))
    return (met or not results) and nested


def _condition(segment: int, rule: Document, identity: str, traits: Mapping[str, Any]) -> bool:
    kind, wanted = str(rule["operator"]), str(rule["value"] or "")
    name = rule["property"]
    if kind == "PERCENTAGE_SPLIT":
        return percentage(segment, identity) <= float(wanted)
    known = name in traits
    if kind in {"IS_SET", "IS_NOT_SET"}:
        return known is (kind == "IS_SET")
    if not known:
        return False
    actual = traits[name]
    return _text_condition(kind, str(actual), wanted) or _compares(kind, actual, wanted)


def _text_condition(kind: str, actual: str, wanted: str) -> bool:
    match kind:
        case "CONTAINS":
            return wanted in actual
        case "NOT_CONTAINS":
            return wanted not in actual
        case "REGEX":
            return re.match(wanted, actual) is not None
        case "IN":
            return actual in wanted.split(",")
        case "MODULO":
            divisor, _, rest = wanted.partition("|")
            return float(actual) % float(divisor) == float(rest)
    return False


def _compares(kind: str, actual: str | bool | float, wanted: str) -> bool:  # noqa: FBT001 - a trait
    if kind not in COMPARE:
        return False
    try:
        match actual:
            case bool():
                return COMPARE[kind](actual, wanted.lower() == "true")
            case int() | float():
                return COMPARE[kind](actual, float(wanted))
    except ValueError:
        return False
    return COMPARE[kind](actual, wanted)
