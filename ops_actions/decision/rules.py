"""The rules in words: what `coh explain` says of a code."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops_actions.canonical import Json


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as its own metadata describes it.

    Attributes:
        solution: what to do about a violation.
    """

    code: str
    title: str
    description: str
    severity: str
    message: str
    solution: str

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "code": self.code,
            "title": self.title,
            "description": self.description,
            "severity": self.severity,
            "message": self.message,
            "solution": self.solution,
        }


def explain(rules: Mapping[str, Rule], code: str) -> Rule:
    """Return a rule by its code.

    Raises:
        BadRequestError: ``rule.unknown``, names the nearest ones.
    """
    if code in rules:
        return rules[code]
    near = ", ".join(get_close_matches(code, rules, n=3) or sorted(rules)[:5])
    raise BadRequestError("rule.unknown", f"there is no rule {code!r}", f"one of: {near}, …")
