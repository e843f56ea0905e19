"""The ways a command can end other than well, each with its exit code.

Every error explains itself: which rule, which fact, and the next command to run.
"""

from __future__ import annotations

from typing import ClassVar


class OpsError(Exception):
    """Base of every error this software raises on purpose.

    Attributes:
        code: dotted, stable name of the rule, such as ``gate.live_moved``; `coh explain` knows it.
        fact: what was found, in one sentence, free of secrets and personal data.
        next_step: the command or edit that gets the reader further.
    """

    code: str
    fact: str
    next_step: str
    exit_code: ClassVar[int] = 4

    def __init__(self, code: str, fact: str, next_step: str) -> None:
        super().__init__(code, fact, next_step)
        self.code = code
        self.fact = fact
        self.next_step = next_step

    def __str__(self) -> str:
        """Give the three parts on three lines, for people."""
        return f"{self.code}: {self.fact}\n  next: {self.next_step}"


class RefusedError(OpsError):
    """A policy, an approval, a limit or drift says no; nothing was changed."""

    exit_code = 1


class BadRequestError(OpsError):
    """The input is wrong (file, line, arguments); nothing was changed."""

    exit_code = 2


class OutsideError(OpsError):
    """An outside system failed; nothing, or a part that is named, was done."""

    exit_code = 3


class UndecidableError(OpsError):
    """The outcome can't be known from here; the lock stays and a human must settle it."""

    exit_code = 5
