from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.audit.entry import (
    COLUMNS,
    MAX_BODY_BYTES,
    SCHEMA,
    Audience,
    AuditEntry,
    Phase,
    parse_body,
)
from ops_actions.audit.masking import MASK
from ops_actions.canonical import canonical_text
from ops_actions.errors import BadRequestError
from tests.support.audit import entry

printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20
)


def test_a_body_is_canonical_json_with_exactly_the_columns() -> None:
    body = entry(1).body()
    document = json.loads(body)
    assert canonical_text(document) == body
    assert set(document) == {*COLUMNS, "detail", "schema"}
    assert document["schema"] == SCHEMA
    assert document["idempotency_key"] == "key-1"
    assert document["commit_sha"] == "c" * 40


def test_columns_are_sorted_as_the_body_is() -> None:
    assert tuple(sorted(COLUMNS)) == COLUMNS


@given(
    printable,
    st.none() | printable.filter(lambda text: not {'"', "\\"} & set(text)),
    st.sampled_from(Phase),
    st.sampled_from(Audience),
    st.dictionaries(
        st.text(max_size=9),
        st.text() | st.floats() | st.integers() | st.lists(st.floats(), max_size=3) | st.none(),
    ),
)
def test_any_entry_is_canonical_and_reads_back(
    target: str,
    change: str | None,
    phase: Phase,
    audience: Audience,
    detail: dict[str, str | float | list[float] | None],
) -> None:
    made = entry(1, target=target, change_id=change, phase=phase, audience=audience, detail=detail)
    body = made.body()
    assert canonical_text(json.loads(body)) == body
    assert parse_body(body).body() == body


def test_secrets_and_personal_data_are_masked_in_detail_target_and_result() -> None:
    made = entry(
        1,
        target="mara.lind@clarivum.example",
        result="failed: Bearer abcdefghijklmnop",
        detail={"token": "opaque", "note": "call +351 912 345 678"},
    )
    document = json.loads(made.body())
    assert document["target"] == MASK
    assert document["result"] == f"failed: {MASK}"
    assert document["detail"] == {"token": MASK, "note": f"call {MASK}"}


@pytest.mark.parametrize("name", ["actor_sub", "actor_login", "on_behalf_of"])
def test_people_are_not_named_by_e_mail(name: str) -> None:
    with pytest.raises(BadRequestError, match=name) as caught:
        entry(1, **{name: "mara.lind@clarivum.example"})
    assert "mara" not in str(caught.value)


@pytest.mark.parametrize("name", ["environment", "actor_sub", "action", "risk", "key"])
def test_a_required_field_may_not_be_empty(name: str) -> None:
    with pytest.raises(BadRequestError, match=name):
        entry(1, **{name: ""})


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "x" * 1_001, 'a"b', "a\\b"])
def test_a_field_must_be_short_printable_text(value: str) -> None:
    with pytest.raises(BadRequestError, match="change_id"):
        entry(1, change_id=value)


def test_an_odd_target_is_tidied_because_a_refusal_must_be_recorded() -> None:
    document = json.loads(entry(1, target="a\n\x00b" + "x" * 2_000).body())
    assert document["target"].startswith("a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b")
    assert len(document["target"]) == 1_000


def test_a_detail_that_is_too_long_leaves_its_digest() -> None:
    body = entry(1, detail={"log": "ü" * MAX_BODY_BYTES}).body()
    assert len(body.encode()) < 2_000
    detail = json.loads(body)["detail"]
    assert detail["left_out_bytes"] > 2 * MAX_BODY_BYTES
    assert detail["left_out_digest"].startswith("sha256:")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        entry(1).body().replace("coh.audit/1", "coh.audit/2"),
        entry(1).body().replace('"intent"', '"dream"'),
        entry(1).body().replace('"target":', '"aim":'),
        entry(1).body().replace('"guarded"', "7"),
        entry(1).body().replace('"detail":{', '"detail":[{').replace('},"env', '}],"env'),
    ],
)
def test_another_text_is_not_a_body(body: str) -> None:
    with pytest.raises(BadRequestError, match=r"audit\.body"):
        parse_body(body)


def test_an_entry_is_frozen() -> None:
    with pytest.raises(AttributeError):
        entry(1).target = "other"  # type: ignore[misc]


def test_the_same_entry_gives_the_same_text() -> None:
    assert entry(1, detail={"b": 1, "a": 2.5}).body() == entry(1, detail={"a": 2.5, "b": 1}).body()
    assert isinstance(entry(1), AuditEntry)
