"""Canonical JSON and digests (RFC 8785), the one way this project compares documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import rfc8785

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""A JSON value as Python holds it."""


def canonical_text(value: Json) -> str:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: the value holds something JSON can't carry exactly, such as an integer
            above 2**53 or a float that is not a number.
    """
    return rfc8785.dumps(value).decode("utf-8")


def digest(value: Json) -> str:
    """Return ``sha256:<64 hex digits>`` over the canonical form of a JSON value."""
    return "sha256:" + hashlib.sha256(canonical_text(value).encode("utf-8")).hexdigest()
