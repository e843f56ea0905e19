"""Property bags survive the engine's wire format."""

from __future__ import annotations

from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from infra.provider.wire import SECRET, SIGNATURE, UNKNOWN, bag, plain, secret_names, unknown_names

NAMES = st.text(min_size=1, max_size=10).filter(lambda name: name != SIGNATURE)
SCALARS = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.sets(NAMES, max_size=3))
def test_values_come_back_as_they_were(properties: dict[str, object], secrets: set[str]) -> None:
    struct = bag(properties, frozenset(secrets))  # type: ignore[arg-type] # generated JSON values
    assert plain(struct) == properties
    assert secret_names(struct) == secrets & set(properties)


def test_none_is_left_out_and_types_are_kept_apart() -> None:
    found = plain(bag({"a": None, "b": True, "c": 1, "d": 1.5, "e": "1"}))
    assert found == {"b": True, "c": 1, "d": 1.5, "e": "1"}
    assert {name: type(value) for name, value in found.items()} == {
        "b": bool,
        "c": int,
        "d": float,
        "e": str,
    }


def test_a_secret_is_in_an_envelope_on_the_wire() -> None:
    wire = bag({"value": "hush"}, frozenset({"value"}))
    assert json_format.MessageToDict(wire) == {"value": {SIGNATURE: SECRET, "value": "hush"}}


def test_unknown_values_are_named() -> None:
    assert unknown_names({"b": UNKNOWN, "a": UNKNOWN, "c": "known"}) == ("a", "b")
