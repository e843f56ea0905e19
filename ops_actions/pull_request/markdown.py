"""Putting foreign text into GitHub Markdown so that it stays text.

Reasons, targets and titles are written by whoever asks for a change. On a review card they must
neither format, link, mention, close issues, embed HTML nor pretend to be the card itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD_JOINER = "\u2060"  # invisible, no space, and no letter: it breaks a mention or a link
_ELLIPSIS = "…"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ESCAPED = re.compile(r"([\\`*_\[\]{}()#|~$!])")
# What GitHub turns into links by itself: mentions and e-mails, issue numbers, addresses, GH-1.
_LINKING = re.compile(r"(@|#|://|\bwww(?=\.)|\bGH(?=-)|\b(?:mailto|xmpp)(?=:))", re.IGNORECASE)


def one_line(text: str, limit: int) -> str:
    """Return text on one line without unprintable characters, cut to a number of characters.

    Args:
        text: anything.
        limit: most characters of the result, at least 1.
    """
    # Cut first: a text of megabytes is not worth walking through.
    kept = "".join(c if c.isprintable() else " " for c in text[: limit * 4])
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + _ELLIPSIS


def inert(text: str, limit: int) -> str:
    """Return one line in which nothing mentions, links or closes; for titles and commit messages.

    Args:
        text: anything.
        limit: most characters before the invisible joiners are put in.
    """
    return _LINKING.sub(lambda match: match.group() + _WORD_JOINER, one_line(text, limit))


def prose(text: str, limit: int = 300) -> str:
    """Return one line of Markdown that shows the text and does nothing else.

    Args:
        text: anything.
        limit: most characters of the text that are shown.
    """
    escaped = _ESCAPED.sub(r"\\\1", inert(text, limit))
    return re.sub(r"[&<>]", lambda match: _ENTITIES[match.group()], escaped)


def code(text: str, limit: int = 120) -> str:
    """Return a code span that shows the text; GitHub links and formats nothing inside one.

    Args:
        text: anything; backticks become apostrophes, since they would end the span.
        limit: most characters of the text that are shown.
    """
    return f"`{one_line(text, limit).replace('`', chr(39)) or ' '}`"


def fit(blocks: Iterable[str], budget: int) -> list[str]:
    """Return the leading blocks that fit into a number of characters; the rest is never made.

    Args:
        blocks: pieces of text, each of which will be followed by a line feed.
        budget: most characters of the result with its line feeds.
    """
    kept: list[str] = []
    used = 0
    for block in blocks:
        used += len(block) + 1
        if used > budget:
            break
        kept.append(block)
    return kept
