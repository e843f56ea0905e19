"""What applying works with, how a commit ends, and how people are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops_actions.errors import OpsError

if TYPE_CHECKING:
    from ops_actions.apply.protocol import Announcer, Book, Durable, Effects
    from ops_actions.flow.judge import Judge
    from ops_actions.pull_request.model import CodeHost


@dataclass(frozen=True, slots=True)
class ApplyTools:
    """What applying needs besides judging.

    Attributes:
        tool_commit: commit that this running code belongs to; None outside a trusted checkout.
    """

    judge: Judge
    host: CodeHost
    effects: Effects
    book: Book
    durable: Durable
    announcer: Announcer
    tool_commit: str | None = None


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """How one commit ended.

    Attributes:
        status: ``done``, ``nothing_to_do``, ``refused``, ``not_done`` or ``undecidable``.
        code: rule of a refusal or failure, empty otherwise.
        exit_code: exit code this report alone would give.
    """

    commit: str
    status: str
    code: str
    fact: str
    next_step: str
    exit_code: int


def deliver(tools: ApplyTools) -> tuple[str, ...]:
    """Tell people what is waiting in the outbox; returns the keys that could not be told.

    An announcement never decides over an apply: what can't be told now is told by the next run.
    """
    waiting: list[str] = []
    for message in tools.book.unsent():
        try:
            reference = tools.announcer.announce(message)
        except OpsError:
            waiting.append(message.key)
        else:
            tools.book.sent(message.key, reference)
    return tuple(waiting)
