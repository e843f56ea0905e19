"""The life of a resource in plain values: check, differ, create, read, update, delete.

This is what all types have in common. It knows nothing of gRPC, and nothing of any service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from infra.provider.handler import Handler, HandlerError, Inputs
from infra.provider.wire import unknown_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from infra.clients.transport import Json
    from infra.provider.wire import Properties

I = TypeVar("I", bound=Inputs)  # noqa: E741 - the usual letter for inputs


@dataclass(frozen=True, slots=True)
class Failure:
    """One input that can't be accepted.

    Attributes:
        name: the input; empty when it is about several.
        reason: what is wrong, and what to write.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One input that differs.

    Attributes:
        verb: ``add``, ``delete`` or ``update``.
        replaces: whether it makes the resource another object.
    """

    name: str
    verb: str
    replaces: bool


class Lifecycle(Generic[I]):
    """One type of resource, for the RPC plumbing.

    Args:
        handler: what is particular about the type.
    """

    def __init__(self, handler: Handler[I]) -> None:
        self._handler = handler

    @property
    def token(self) -> str:
        """Type token of the resource."""
        return self._handler.token

    def check(self, old: Properties, new: Properties) -> tuple[Failure, ...]:
        """Return why new inputs can't be accepted; nothing when they can.

        Args:
            old: inputs of the last update, empty for a new resource.
            new: inputs of the program.
        """
        unknown = unknown_names(new)
        if unknown:
            reason = "infra.input_unknown: it must be known before the update starts"
            return tuple(Failure(one, reason) for one in unknown)
        try:
            inputs = self._handler.model.model_validate(new)
        except ValidationError as error:
            return tuple(
                Failure(".".join(str(p) for p in one["loc"]), f"infra.input_invalid: {one['msg']}")
                for one in error.errors(include_input=False, include_url=False)
            )
        before = self._parse(old) if old else None
        found = self._handler.objections(before, inputs)
        return tuple(Failure(name, str(reason)) for name, reason in found)

    def differ(
        self, old: Properties, new: Properties, ignored: Collection[str]
    ) -> tuple[Difference, ...]:
        """Return the inputs that differ, sorted by name."""
        return tuple(
            Difference(name, _verb(name, old, new), name in self._handler.replacing)
            for name in sorted({*old, *new})
            if name not in ignored and old.get(name) != new.get(name)
        )

    def identify(self, new: Properties) -> str:
        """Return the id that these inputs have or will have."""
        return self._handler.identify(self._parse(new))

    def create(self, new: Properties) -> dict[str, Json]:
        """Make the object, or take over the one that is there; return its outputs."""
        inputs = self._parse(new)
        self._handler.create(inputs)
        return _properties(inputs)

    def read(self, resource_id: str, managed: Properties) -> dict[str, Json] | None:
        """Return the inputs that would make the object as it is, None when it is not there."""
        found = self._handler.read(resource_id, self._parse(managed) if managed else None)
        return None if found is None else _properties(found)

    def update(self, old: Properties, new: Properties) -> dict[str, Json]:
        """Make the object what the new inputs say; return its outputs."""
        inputs = self._parse(new)
        self._handler.update(self._parse(old), inputs)
        return _properties(inputs)

    def delete(self, old: Properties, note: Callable[[str], None]) -> None:
        """Take the object away."""
        self._handler.delete(self._parse(old), note)

    def _parse(self, properties: Properties) -> I:
        try:
            return self._handler.model.model_validate(properties)
        except ValidationError as error:
            raise HandlerError(
                "infra.state_version",
                f"the state of a {self.token} has {error.error_count()} inputs this version can't "
                "read",
                "apply with the version of this software that wrote the state",
            ) from None


def _properties(inputs: Inputs) -> dict[str, Json]:
    return inputs.model_dump(exclude_none=True)


def _verb(name: str, old: Properties, new: Properties) -> str:
    if old.get(name) is None:
        return "add"
    return "delete" if new.get(name) is None else "update"
