from __future__ import annotations

from ops_actions.errors import BadRequestError
from ops_actions.pull_request.card import REVIEW_CARD_MARKER
from ops_actions.pull_request.problem import render_problem

HEAD = "c" * 40


def test_problem_names_rule_fact_and_what_to_do() -> None:
    error = BadRequestError("declared.invalid", "flags.yaml:7: key twice", "write it once")
    card = render_problem(error, HEAD)
    assert card.startswith(REVIEW_CARD_MARKER)
    assert "`declared.invalid`" in card
    assert "flags.yaml:7: key twice" in card
    assert "write it once" in card
    assert HEAD[:12] in card


def test_problem_text_can_neither_format_nor_mention() -> None:
    error = BadRequestError("declared.invalid", "<img src=x> @mara-lind [a](b)", "**bold** #1")
    card = render_problem(error, HEAD)
    assert "<img" not in card
    assert "@mara-lind" not in card
    assert "[a](b)" not in card
    assert "**bold**" not in card
