from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.characters import hidden_character
from infra.settings.document import read_document
from infra.settings.scalars import Scalar, render_scalar

TEXTS = st.text(max_size=80).filter(lambda text: hidden_character(text, decoded=True) is None)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1),
    st.floats(min_value=-1e15, max_value=1e15).filter(lambda x: x == 0 or abs(x) > 1e-10),
    st.dates(),
    TEXTS.filter(lambda text: "\t" not in text),
    st.sampled_from(
        ["yes", "No", "~", "null", "017", "1e3", "12:30", "2027-02-01", "a: b", "a #b"]
    ),
    st.sampled_from(
        ["=", "<<", "- a", "-", "?", "", " a", "a ", "a:", "[a]", "{a", "...", "---", "@a", "%a"]
    ),
)


@given(SCALARS)
def test_what_is_written_is_read_back(value: Scalar) -> None:
    assert repr(read_document(f"a: {render_scalar(value)}\n".encode(), "f").data) == repr(
        {"a": value}
    )


@given(SCALARS, SCALARS)
def test_what_is_written_in_flow_is_read_back(one: Scalar, two: Scalar) -> None:
    text = f"a: [{render_scalar(one, flow=True)}, {render_scalar(two, flow=True)}]\n"
    assert repr(read_document(text.encode(), "f").data) == repr({"a": [one, two]})


@given(SCALARS.filter(lambda value: isinstance(value, str)))
def test_text_is_text_to_yaml_1_1_too(text: Scalar) -> None:
    line = f"a: {render_scalar(text)}\n"
    read = yaml.load(line, Loader=yaml.CSafeLoader)["a"]
    assert read == text or (isinstance(read, date) and line == f"a: {text}\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Error rate 7 % since 14:02, incident INC-88", None),
        ("caf\u00e9 \u2014 ok", None),
        ("dpl_9f2", None),
        ("it's", None),
        ("Error: x", '"Error: x"'),
        ("20", '"20"'),
        ("true", '"true"'),
        ('say "hi"', None),
        ('"hi"', '"\\"hi\\""'),
        ("two\nlines", '"two\\nlines"'),
    ],
)
def test_quotes_only_when_needed(value: str, text: str | None) -> None:
    assert render_scalar(value) == (text or value)


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), float("inf"), 1e300, 1e-300])
def test_inexact_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="can't be written"):
        render_scalar(value)
