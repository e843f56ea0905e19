"""What every ops action says about itself, and what it does."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings.platform import PlatformFile
    from ops_actions.canonical import Json
    from ops_actions.catalogue.services import Services

ParamScalar = None | bool | int | float | str
"""One value of a parameter."""

ParamValue = ParamScalar | tuple[ParamScalar, ...]
"""A parameter of an action request: one value or a flat list of them."""


class ActionRisk(StrEnum):
    """How bad a wrong action would be; it decides how many people must approve."""

    SAFE = "safe"
    GUARDED = "guarded"
    DESTRUCTIVE = "destructive"


class ActionState(StrEnum):
    """How far an action is, read from the outside; it also settles what a crash left behind.

    ``other`` means that neither the expected nor the desired state is there: somebody else
    moved, or is moving, the target.
    """

    NOT_DONE = "not_done"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    OTHER = "other"


class Params(BaseModel):
    """Base of all parameter models: frozen, no conversion, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class ActionSpec(ABC, Generic[P]):
    """One action of the catalogue. A subclass says in plain words what it does, and does it.

    Attributes:
        name: dotted name, such as ``deployment.rollback``.
        summary: one line for the list of actions.
        risk: how bad a wrong one would be.
        gate: flag that must be on for it to run, None when there is none.
        target_kind: what a target is, such as ``Vercel project``.
        target_pattern: regular expression that a whole target matches.
        params: model of its parameters.
        example_target: a target, for help and error messages.
        example: parameters, for help and error messages.
    """

    name: str
    summary: str
    risk: ActionRisk
    gate: str | None
    target_kind: str
    target_pattern: str
    params: type[P]
    example_target: str
    example: P

    def parse(self, params: Mapping[str, ParamValue]) -> P:
        """Check the parameters of a request.

        Args:
            params: parameters as the request file gives them.

        Raises:
            BadRequestError: a parameter is missing, unknown or wrong.
        """
        try:
            return self.params.model_validate(dict(params))
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            name = ".".join(("params", *map(str, detail["loc"])))
            raise BadRequestError(
                "request.params", f"{name}: {detail['msg']}", f"write {self.example_text()}"
            ) from None

    def is_target(self, target: str) -> bool:
        """Tell whether a target has the form that this action works on."""
        return re.fullmatch(self.target_pattern, target) is not None

    def example_text(self) -> str:
        """Return example parameters as they stand in a request file."""
        pairs = self.example.model_dump(mode="json", exclude_none=True).items()
        return "params: {" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"

    @abstractmethod
    def target_in(self, platform: PlatformFile) -> str:
        """Return the only target that an environment has, as its platform file names it.

        A request for any other is refused: gate, people and budget of one environment say nothing
        about what belongs to another.
        """

    @abstractmethod
    def describe(self, target: str, params: P) -> str:
        """Say what will happen, in plain words for a reviewer."""

    @abstractmethod
    def inverse(self, target: str, params: P) -> tuple[str, bool]:
        """Say how to take it back, and whether that is a request of its own."""

    @abstractmethod
    def expected_live(self, target: str, params: P) -> Json:
        """Return what `observe` must give right before it runs."""

    @abstractmethod
    def desired_live(self, target: str, params: P) -> Json:
        """Return what `observe` must give once it is done."""

    @abstractmethod
    def observe(self, target: str, params: P, services: Services) -> Json:
        """Read the state that the action changes. Changes nothing.

        Raises:
            OutsideError: the service failed.
        """

    @abstractmethod
    def state(self, target: str, params: P, services: Services) -> ActionState:
        """Tell how far the action is. Changes nothing.

        Raises:
            OutsideError: the service failed.
        """

    @abstractmethod
    def perform(self, target: str, params: P, services: Services) -> None:
        """Start the action; `state` tells when it is done.

        Raises:
            OutsideError: the service failed, nothing was done.
            UndecidableError: it can't be known whether it was done.
        """
