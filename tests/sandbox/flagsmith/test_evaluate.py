from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.flagsmith.evaluate import in_segment, percentage, variant_of
from sandbox.flagsmith.model import typed


def segment(kind: str, operator: str, value: str | None, name: str | None = "trait") -> Any:  # noqa: ANN401
    condition = {"operator": operator, "property": name, "value": value}
    inner = {"type": kind, "conditions": [condition]}
    return {"id": 4, "rules": [{"type": "ALL", "rules": [inner], "conditions": []}]}


@pytest.mark.parametrize(
    ("operator", "wanted", "hit", "miss"),
    [
        ("EQUAL", "a", "a", "b"),
        ("EQUAL", "true", True, False),
        ("NOT_EQUAL", "a", "b", "a"),
        ("GREATER_THAN", "3", 4, 3),
        ("GREATER_THAN_INCLUSIVE", "3", 3, 2.9),
        ("LESS_THAN", "3", 2, 3),
        ("LESS_THAN_INCLUSIVE", "3", 3, 4),
        ("CONTAINS", "op", "ops", "dev"),
        ("NOT_CONTAINS", "op", "dev", "ops"),
        ("REGEX", "o.s$", "ops", "oops"),
        ("IN", "a,b", "b", "c"),
        ("MODULO", "2|1", 3, 4),
    ],
)
def test_operators(operator: str, wanted: str, hit: object, miss: object) -> None:
    rule = segment("ANY", operator, wanted)
    assert in_segment(rule, "someone", {"trait": hit})
    assert not in_segment(rule, "someone", {"trait": miss})
    assert not in_segment(rule, "someone", {})


def test_presence_and_rule_types() -> None:
    traits = {"trait": "a"}
    assert in_segment(segment("ANY", "IS_SET", None), "x", traits)
    assert not in_segment(segment("ANY", "IS_SET", None), "x", {})
    assert in_segment(segment("ANY", "IS_NOT_SET", None), "x", {})
    assert not in_segment(segment("NONE", "EQUAL", "a"), "x", traits)
    assert in_segment(segment("ALL", "EQUAL", "a"), "x", traits)
    assert not in_segment({"id": 1, "rules": []}, "x", traits)


def test_a_value_that_is_no_number_is_not_in_a_numeric_segment() -> None:
    assert not in_segment(segment("ANY", "GREATER_THAN", "many"), "x", {"trait": 3})


@given(st.text(), st.integers())
def test_a_percentage_is_stable_and_below_a_hundred(identity: str, number: int) -> None:
    share = percentage(number, identity)
    assert 0 <= share < 100
    assert percentage(number, identity) == share


def test_a_split_takes_about_its_share_and_a_bigger_one_takes_them_all_along() -> None:
    def members(share: str) -> set[int]:
        rule = segment("ANY", "PERCENTAGE_SPLIT", share, None)
        return {one for one in range(2000) if in_segment(rule, f"user{one}", {})}

    twenty, fifty = members("20"), members("50")
    assert 300 < len(twenty) < 500
    assert 900 < len(fifty) < 1100
    assert twenty < fifty
    assert members("100") == set(range(2000))


def test_variants_share_the_identities_and_the_rest_is_control() -> None:
    option = {**typed("b"), "id": 9, "key": None}
    state = {
        "id": 1,
        "value": typed("a"),
        "variants": [{"multivariate_feature_option": 9, "percentage_allocation": 25.0}],
    }
    found = [variant_of(state, [option], f"user{one}") for one in range(2000)]
    assert set(found) == {("b", "9"), ("a", "control")}
    assert 400 < found.count(("b", "9")) < 600
