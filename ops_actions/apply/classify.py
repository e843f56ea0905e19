"""What the outside state says about a change: the one question asked before, after and in doubt."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ops_actions.canonical import Json, canonical_text

if TYPE_CHECKING:
    from ops_actions.plan.model import Change


class Standing(StrEnum):
    """Where the outside stands with regard to a change."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNDECIDABLE = "undecidable"


def classify(change: Change, live: Json) -> Standing:
    """Compare what is there with what must be there before and after.

    A state that is neither is ``undecidable``: somebody else moved it, or a call is half done.
    """
    if canonical_text(live) == canonical_text(change.desired_live):
        return Standing.DONE
    if canonical_text(live) == canonical_text(change.expected_live):
        return Standing.NOT_DONE
    return Standing.UNDECIDABLE
