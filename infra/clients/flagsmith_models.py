"""Shapes of the Flagsmith admin API, as far as they are read (Flagsmith 2.265, its openapi.yaml).

Answers hold more fields than these; what is not named here is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

T = TypeVar("T")

Value = Annotated[str | int | bool | None, Field(union_mode="left_to_right")]
"""What a flag carries besides on and off; this project only ever writes texts or nothing."""


@dataclass(frozen=True, slots=True)
class FlagState:
    """What a flag is in one environment, for everybody who is in no segment with an override.

    Attributes:
        enabled: whether it is on.
        value: its value, None for none. The types differ on purpose: an SDK tells 5 from "5".
    """

    enabled: bool
    value: str | int | bool | None = None


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Page(_Shape, Generic[T]):
    """One page of a list; `next` is an address, None on the last page."""

    next: str | None = None
    results: tuple[T, ...] = Field(strict=False)


class Project(_Shape):
    """A project; its features exist in each of its environments."""

    id: int
    name: str


class Environment(_Shape):
    """An environment of a project.

    Attributes:
        api_key: client-side key that names it in addresses; not a secret.
        use_v2_feature_versioning: whether states change by publishing versions only.
    """

    id: int
    name: str
    api_key: str
    project: int
    use_v2_feature_versioning: bool


class Feature(_Shape):
    """A feature of a project; names are unique without regard to case."""

    id: int
    name: str
    description: str | None = None
    is_archived: bool = False


class FeatureState(_Shape):
    """A state of a feature: of the environment itself, of a segment or of an identity."""

    id: int
    feature: int
    environment: int
    enabled: bool
    feature_state_value: Value = None
    feature_segment: int | None = None
    identity: int | None = None

    @property
    def of_environment(self) -> bool:
        """Whether it is the environment's own state and no override."""
        return self.feature_segment is None and self.identity is None

    @property
    def state(self) -> FlagState:
        """The part that declared state speaks of."""
        return FlagState(self.enabled, self.feature_state_value)


class SdkFeature(_Shape):
    """A feature as applications see it."""

    name: str


class SdkFlag(_Shape):
    """A flag as applications see it."""

    feature: SdkFeature
    enabled: bool
    feature_state_value: Value = None


PROJECT = TypeAdapter(Project)
ENVIRONMENT = TypeAdapter(Environment)
FEATURE = TypeAdapter(Feature)
FEATURES = TypeAdapter(Page[Feature])
FEATURE_STATES = TypeAdapter(Page[FeatureState])
SDK_FLAGS = TypeAdapter(list[SdkFlag])
