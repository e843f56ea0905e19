"""The card of a pull request that can't even be planned: what is wrong, where, what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.pull_request.card import REVIEW_CARD_MARKER
from ops_actions.pull_request.markdown import code, prose

if TYPE_CHECKING:
    from ops_actions.errors import OpsError


def render_problem(error: OpsError, head: str) -> str:
    """Return the card; it takes the place of the review card until the problem is gone.

    Args:
        error: what stopped the plan.
        head: head commit it was found at, 40 hex digits.
    """
    return "\n".join(
        [
            REVIEW_CARD_MARKER,
            "## ❌ This change can't be read",
            "",
            f"**{code(error.code)}** {prose(error.fact, 2000)}",
            "",
            f"**What to do:** {prose(error.next_step, 2000)}",
            "",
            f"Nothing was planned and nothing will be applied. Seen at {code(head[:12])}.",
            "",
        ]
    )
