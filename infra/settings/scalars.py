"""Plain YAML values, read and written by one small set of rules.

YAML's readers disagree about ``yes``, ``017``, ``12:30`` or ``1e3``. What two readers could read
in two ways is refused here, so that a reviewer, an editor and this program see the same value.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date
from decimal import Decimal

Scalar = None | bool | int | float | str | date
"""What one value of a settings file can be."""

_CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_TRUE_WORDS = frozenset({"true", "yes", "on", "y"})
_FALSE_WORDS = frozenset({"false", "no", "off", "n"})
_WORDS = _TRUE_WORDS | _FALSE_WORDS | {"null", "~"}
_LONGEST_WORD = max(map(len, _WORDS))
_NUMBER_STARTS = frozenset("0123456789-+.")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Anything some YAML 1.1 or 1.2 reader takes for a number.
_NUMBER_LIKE = re.compile(
    r"[-+]?(?:0[xob][0-9a-f_]+"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:e[-+]?[0-9]+)?"
    r"|\.inf|\.nan)",
    re.IGNORECASE,
)
_LARGEST = 2**53 - 1  # the largest integer that JSON carries exactly (RFC 8259, section 6)
_LONGEST_NUMBER = 40  # characters; a bound on the work of int() and float()

# First characters that mean something in YAML; `-`, `?` and `:` mean it only before a space.
_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_FLOW_INDICATORS = frozenset(",[]{}")
_YAML_1_1_WORDS = frozenset({"=", "<<"})  # the default and merge keys of YAML 1.1


class ScalarError(ValueError):
    """A plain value that could be read in more than one way.

    Attributes:
        what: what is wrong with it.
        write: what to write instead.
    """

    def __init__(self, what: str, write: str) -> None:
        super().__init__(what, write)
        self.what = what
        self.write = write


def resolve_plain(text: str) -> Scalar:
    """Return the value of a scalar without quotes.

    Args:
        text: the scalar as it stands in the file, not empty.

    Raises:
        ScalarError: the text is empty, or a boolean, null, number or date in only some readers.
    """
    if not text:
        raise ScalarError("the value is missing", "a value, or `null`, or leave the key out")
    if len(text) <= _LONGEST_WORD:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text.lower() in _WORDS:
            raise _ambiguous_word(text)
    if text[0] in _NUMBER_STARTS:
        return _number_or_text(text)
    return text


def _ambiguous_word(text: str) -> ScalarError:
    lower = text.lower()
    if lower in _TRUE_WORDS:
        meant = "true"
    elif lower in _FALSE_WORDS:
        meant = "false"
    else:
        meant = "null"
    kind = "null" if meant == "null" else "a boolean"
    return ScalarError(
        f"`{text}` is {kind} in some YAML readers and text in others",
        f'{meant}, or "{text}" in quotes when text is meant',
    )


def _number_or_text(text: str) -> Scalar:
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ScalarError(
                "this is not a day of the calendar", "an existing day, such as 2027-02-28"
            ) from None
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text) and abs(int(text)) <= _LARGEST:
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    if _NUMBER_LIKE.fullmatch(text):
        raise ScalarError(
            "this reads as a number in some YAML readers and differently in others",
            "plain decimal digits up to 9007199254740991, or quotes when text is meant",
        )
    return text


def render_scalar(value: Scalar, *, flow: bool = False) -> str:
    """Return a value as it stands in a settings file, in quotes only when YAML needs them.

    Args:
        value: the value; a line break in text is written as an escape.
        flow: whether it will stand inside ``{}`` or ``[]``, where more must be quoted.

    Raises:
        ValueError: an integer or float that a settings file can't carry exactly.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError("an integer beyond 2**53 - 1 can't be written exactly")
        return str(value)
    if isinstance(value, float):
        return _render_float(value)
    return value if _may_be_plain(value, flow=flow) else json.dumps(value, ensure_ascii=False)


def _render_float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("a float that is not a number can't be written")
    text = format(Decimal(repr(value)), "f")
    text = text if "." in text else f"{text}.0"
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a float with so many digits can't be written")
    return text


def _may_be_plain(text: str, *, flow: bool) -> bool:
    if not text or text != text.strip() or text in _YAML_1_1_WORDS:
        return False
    if text[0] in _INDICATORS or text.startswith("..."):
        return False
    if "\n" in text or not text.isprintable() or ": " in text or " #" in text or text[-1] == ":":
        return False
    if flow and (not _FLOW_INDICATORS.isdisjoint(text) or ":" in text):
        return False
    try:
        return resolve_plain(text) == text
    except ScalarError:
        return False
