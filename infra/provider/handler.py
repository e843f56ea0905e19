"""What one type of resource must be able to do; the RPC plumbing asks nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable


class Inputs(BaseModel):
    """What a program says of a resource: exact types, no unknown property."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


I = TypeVar("I", bound=Inputs)  # noqa: E741 - the usual letter for inputs; scope is this signature


class HandlerError(Exception):
    """A resource can't be what was asked.

    The engine passes on nothing but text, so the text has a form that can be read back:
    ``<code>: <fact>; next: <next step>``.

    Attributes:
        code: dotted name of the rule, such as ``infra.migration_edited``.
        fact: what was found, in one sentence without a full stop.
        next_step: the command or edit that gets the reader further.
    """

    code: str
    fact: str
    next_step: str

    def __init__(self, code: str, fact: str, next_step: str) -> None:
        super().__init__(code, fact, next_step)
        self.code = code
        self.fact = fact
        self.next_step = next_step

    def __str__(self) -> str:
        """Give the three parts on one line."""
        return f"{self.code}: {self.fact}; next: {self.next_step}"


class Handler(Protocol[I]):
    """One type of resource. Its outputs are its inputs as the service holds them."""

    @property
    def token(self) -> str:
        """Type token, such as ``opshub:flagsmith:Flag``."""

    @property
    def model(self) -> type[I]:
        """Model of the inputs."""

    @property
    def replacing(self) -> frozenset[str]:
        """Inputs whose change makes it another object."""

    def identify(self, inputs: I) -> str:
        """Return the id, a function of the inputs, so that a lost record can be made again."""

    def objections(self, old: I | None, new: I) -> tuple[tuple[str, HandlerError], ...]:
        """Return inputs and what speaks against a change of them, before anything runs."""

    def create(self, inputs: I) -> None:
        """Make the object, or take over the one that is there; doing it twice is doing it once."""

    def read(self, resource_id: str, managed: I | None) -> I | None:
        """Return the object as it is, None when it is not there.

        Args:
            resource_id: as `identify` gave it.
            managed: inputs at the last update; what they leave open is left open in the answer.
        """

    def update(self, old: I, new: I) -> None:
        """Make the object what the new inputs say."""

    def delete(self, inputs: I, note: Callable[[str], None]) -> None:
        """Take the object away, or tell what is done instead.

        Raises:
            HandlerError: it must not be taken away.
        """
