"""Property bags between the engine's wire format and plain Python values.

The engine marks a secret by an envelope, an object with a signature key, and a value it does not
know yet by a fixed text. Numbers travel as doubles. (Pulumi's `sdk/go/common/resource`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

if TYPE_CHECKING:
    from infra.clients.transport import Json

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a text that is known only after another resource exists."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's marker, not a secret

Properties = Mapping[str, "Json"]


def plain(struct: Struct) -> dict[str, Json]:
    """Return the values of a bag, out of their secret envelopes."""
    return {name: _open(value) for name, value in json_format.MessageToDict(struct).items()}


def secret_names(*structs: Struct) -> frozenset[str]:
    """Return the names of properties that are secret in any of the bags."""
    return frozenset(
        name
        for struct in structs
        for name, value in json_format.MessageToDict(struct).items()
        if _is_secret(value)
    )


def bag(properties: Properties, secrets: frozenset[str] = frozenset()) -> Struct:
    """Return a bag of values, the named ones in secret envelopes; None is left out."""
    struct = Struct()
    struct.update(
        {
            name: {SIGNATURE: SECRET, "value": value} if name in secrets else value
            for name, value in properties.items()
            if value is not None
        }
    )
    return struct


def unknown_names(properties: Properties) -> tuple[str, ...]:
    """Return the names of properties that are not known yet, sorted."""
    return tuple(sorted(name for name, value in properties.items() if value == UNKNOWN))


def _is_secret(value: Json) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET


def _open(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_open(one) for one in value]
    if isinstance(value, Mapping):
        if _is_secret(value):
            return _open(value.get("value"))
        return {name: _open(one) for name, one in value.items()}
    return value
