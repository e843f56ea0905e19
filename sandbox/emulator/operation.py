"""The parts of a contract that a request is matched with, and what can be wrong with one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

Place = Literal["path", "query", "body", "answer"]


@dataclass(frozen=True)
class Problem:
    """One thing that breaks the contract.

    Attributes:
        place: where it was found.
        field: JSON pointer without the leading slash, empty for the whole value.
        rule: the JSON Schema keyword that failed, or `media-type`, `status`, `json`.
        detail: what the contract wants; never the value that was sent.
    """

    place: Place
    field: str
    rule: str
    detail: str

    def __str__(self) -> str:
        """Say it in one line."""
        where = f"{self.place} {self.field}".strip()
        return f"{where}: {self.rule} {self.detail}".rstrip()


@dataclass(frozen=True)
class Parameter:
    """One path or query parameter.

    Attributes:
        name: as it is spelt in the template or query.
        place: `path` or `query`.
        required: whether the operation can't be called without it.
        pointer: where its schema stands in the document.
        kind: the JSON type its text is read as, before the schema is checked.
        wide: a path parameter that may hold slashes (`x-multi-segment`), such as a git ref.
    """

    name: str
    place: Literal["path", "query"]
    required: bool
    pointer: str
    kind: str
    wide: bool = False

    def read(self, texts: list[str]) -> Any:  # noqa: ANN401 - a JSON value of any type
        """Turn the texts of the address into the value the schema describes."""
        return read_as(self.kind, texts)


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        method: upper case.
        template: the path as the contract writes it.
        pattern: matches the raw path and names its parameters by position.
        pointer: where the operation stands in the document.
        parameters: of the path item and of the operation, in that order.
    """

    method: str
    template: str
    pattern: re.Pattern[str]
    pointer: str
    parameters: tuple[Parameter, ...]


def query_values(text: str) -> dict[str, list[str]]:
    """Split a query or a form into its values by name, empty ones kept."""
    values: dict[str, list[str]] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.replace("+", " ").partition("=")
        values.setdefault(unquote(name), []).append(unquote(value))
    return values


def read_as(kind: str, texts: list[str]) -> str | int | bool | list[str]:
    """Read texts as a JSON type; a text that is not of that type stays text and fails later."""
    if kind == "array":
        return texts
    text = texts[-1]
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text
