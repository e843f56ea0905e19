"""Checks a document against a model and says where and how to mend it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from infra.settings.characters import shown_key
from infra.settings.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from infra.settings.document import Document
    from infra.settings.reader import Path, Value

Model = TypeVar("Model", bound=BaseModel)

# Pydantic's words for these name Python types.
_MESSAGES = {
    "dict_type": "should hold keys and values",
    "model_type": "should hold keys and values",
    "tuple_type": "should be a list",
}


def validate(model: type[Model], document: Document, at: Path = ()) -> Model:
    """Check a document, or the part of it at one path, against a model.

    Args:
        model: what it must look like.
        document: the file.
        at: path of the part to check; it must exist.

    Raises:
        SettingsError: the first thing that is wrong, by line; `others` holds the rest.
    """
    value: Value = document.data
    for step in at:
        value = value[step]  # type: ignore[index]
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _settings_error(model, document, at, error) from None


def _settings_error(
    model: type[BaseModel], document: Document, at: Path, error: ValidationError
) -> SettingsError:
    schema = model.model_json_schema()
    details = error.errors(include_url=False, include_input=False)
    found = sorted(
        (
            _explain(schema, document, at, detail)
            for detail in details
            if not _follows_from_another(detail, details)
        ),
        key=lambda each: each.line,
    )
    first = found[0]
    return SettingsError(first.source, first.line, first.what, first.write, tuple(found[1:]))


def _follows_from_another(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Tell a list that is only too short because what is in it is wrong."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in details
    )


def _explain(
    schema: Mapping[str, Any], document: Document, at: Path, detail: ErrorDetails
) -> SettingsError:
    context = detail.get("ctx", {})
    loc = tuple(context.get("at", detail["loc"]))
    path = _real_path(document, at, loc, missing=detail["type"] == "missing")
    line = document.line(path)
    name, parent = shown_path(path), shown_path(path[:-1]) or "the file"
    inside = path[len(at) :]
    if detail["type"] == "missing":
        what = f"`{shown_path(path[-1:])}` is missing in {parent}"
        write = _example(schema, inside)
    elif detail["type"] == "extra_forbidden":
        what = f"unknown key `{shown_path(path[-1:])}` in {parent}"
        write = known_names(str(path[-1]), sorted(_node(schema, inside[:-1]).get("properties", {})))
    elif "write" in context:
        what, write = f"{name or parent}: {detail['msg']}", str(context["write"])
    elif detail["loc"][-1:] == ("[key]",):
        what = f"the name in {name} {detail['msg'].removeprefix('String ')}"
        names = _node(schema, inside[:-1]).get("propertyNames", {})
        write = str(names.get("description", "a name as in the file's schema")).rstrip(".")
    else:
        message = _MESSAGES.get(detail["type"]) or detail["msg"].removeprefix("Input ")
        what = f"{name or parent}: {message[:1].lower()}{message[1:]}"
        write = _example(schema, inside)
    return SettingsError(document.source, line, what, write)


def _real_path(document: Document, at: Path, loc: Path, *, missing: bool) -> Path:
    """Leave out what pydantic adds to a location: names of union members, ``[key]``."""
    path = (*at, *loc)
    if missing:
        return path
    while path and path not in document.values:
        path = path[:-1]
    return path


def shown_path(path: Path) -> str:
    """Return a path as people write it, such as ``people[0].sub``."""
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        else:
            shown += f".{shown_key(step)}" if shown else shown_key(step)
    return shown


def known_names(wrong: str, known: list[str]) -> str:
    """Say which name was probably meant, or else which names there are."""
    near = difflib.get_close_matches(wrong[:100], known, n=1)
    rest = len(known) - _LISTED
    listed = ", ".join(known[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
    if near:
        return f"`{near[0]}` (known: {listed})"
    return f"one of: {listed}" if known else "nothing here"


_LISTED = 12  # known names in a message


def _node(schema: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Find the part of a JSON Schema that speaks about one path."""
    node = _resolved(schema, schema)
    for step in path:
        if isinstance(step, int):
            child = node.get("items", {})
        else:
            child = node.get("properties", {}).get(step)
            if child is None:
                child = next(iter(node.get("patternProperties", {}).values()), {})
        node = _resolved(schema, child)
    return node


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, or the first member of an optional one, keeping its annotations."""
    for member in node.get("anyOf", ()):
        if member.get("type") != "null":
            return {**_resolved(schema, member), **node}
    reference = str(node.get("$ref", ""))
    if reference.startswith("#/$defs/"):
        return {**schema["$defs"][reference.removeprefix("#/$defs/")], **node}
    return node


def _example(schema: Mapping[str, Any], path: Path) -> str:
    """Say what to write at a path, from the examples, choices and words of the model."""
    node = _node(schema, path)
    name = f"{shown_path(path[-1:])}: " if path and isinstance(path[-1], str) else ""
    if node.get("examples"):
        return f"{name}{node['examples'][0]}"
    if node.get("enum"):
        return f"{name}{node['enum'][0]}"
    if node.get("required"):
        return f"{name}lines below it for {', '.join(node['required'])}"
    if node.get("type") == "boolean":
        return f"{name}true (or false)"
    return str(node.get("description", "a value as in the file's schema")).rstrip(".")
