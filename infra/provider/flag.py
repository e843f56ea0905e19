"""The resource ``opshub:flagsmith:Flag``: one feature flag in one environment.

A feature belongs to a project and exists in all its environments; what is on or off belongs to
one environment. So an update touches the environment's own state only, and deleting the resource
switches the flag off here, takes its value out and leaves the feature to the other environments:
that is what a flag looks like that nobody has declared yet, so it can be declared again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from infra.clients.flagsmith_models import Feature, FlagState
from infra.provider.handler import HandlerError, Inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.clients.flagsmith import FlagsmithClient

TOKEN = "opshub:flagsmith:Flag"  # noqa: S105 - a type token


class FlagInputs(Inputs):
    """What is said of a flag.

    Attributes:
        project: the Flagsmith project's name; with `environment` it guards against a key that
            belongs elsewhere.
        environment: the Flagsmith environment's name.
        feature: name of the flag.
        enabled: whether it is on.
        value: what it carries; None for nothing.
        description: what it is for, in all environments; None leaves it as it is.
    """

    project: Annotated[str, Field(min_length=1, max_length=2000)]
    environment: Annotated[str, Field(min_length=1, max_length=2000)]
    feature: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,99}$")]
    enabled: bool
    value: Annotated[str, Field(max_length=2000)] | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None

    @property
    def state(self) -> FlagState:
        """The part that belongs to the environment."""
        return FlagState(self.enabled, self.value)


class FlagHandler:
    """Flags of the environment that a client was made for.

    Args:
        client: None when the provider was started without access; then only plans work.
    """

    token = TOKEN
    model = FlagInputs
    replacing = frozenset({"project", "environment", "feature"})

    def __init__(self, client: FlagsmithClient | None) -> None:
        self._client = client

    def identify(self, inputs: FlagInputs) -> str:
        """Return the id: where the flag is and what it is called."""
        return f"{inputs.project}/{inputs.environment}/{inputs.feature}"

    def objections(
        self,
        old: FlagInputs | None,  # noqa: ARG002 - the protocol's argument
        new: FlagInputs,  # noqa: ARG002
    ) -> tuple[tuple[str, HandlerError], ...]:
        """Return nothing: every valid flag may become every other one."""
        return ()

    def create(self, inputs: FlagInputs) -> None:
        """Find the feature or make it, then set its state."""
        client = self._reach(inputs)
        feature = client.find_or_create_feature(inputs.feature, inputs.description)
        self._settle(client, feature, inputs)

    def read(self, resource_id: str, managed: FlagInputs | None) -> FlagInputs | None:
        """Return the flag as Flagsmith has it; an archived feature counts as gone."""
        project, _, rest = resource_id.rpartition("/")[0].rpartition("/")
        name = resource_id.rpartition("/")[2]
        where = FlagInputs(project=project, environment=rest, feature=name, enabled=False)
        client = self._reach(where)
        feature = client.find_feature(name)
        if feature is None or feature.is_archived:
            return None
        state = client.state(feature)
        if state.value is not None and not isinstance(state.value, str):
            # Shown as a text that can't be mistaken for the text somebody declared.
            state = FlagState(state.enabled, f"{type(state.value).__name__}:{state.value}")
        described = managed is not None and managed.description is not None
        return where.model_copy(
            update={
                "enabled": state.enabled,
                "value": state.value,
                "description": (feature.description or "") if described else None,
            }
        )

    def update(self, old: FlagInputs, new: FlagInputs) -> None:  # noqa: ARG002 - reads what is there
        """Set the state; a feature that vanished in between is made again."""
        self.create(new)

    def delete(self, inputs: FlagInputs, note: Callable[[str], None]) -> None:
        """Switch the flag off in this environment and say that the feature stays."""
        client = self._reach(inputs)
        feature = client.find_feature(inputs.feature)
        if feature is None:
            return
        absent = FlagState(enabled=False)
        if client.state(feature) != absent:
            client.set_state(feature, absent)
        note(
            f"{inputs.feature} is switched off in {inputs.environment}; the feature stays, since "
            "deleting it would delete it in every environment. Archive it when none needs it."
        )

    def _settle(self, client: FlagsmithClient, feature: Feature, inputs: FlagInputs) -> None:
        """Write what differs and nothing else."""
        described = inputs.description is not None and inputs.description != feature.description
        if described or feature.is_archived:
            feature = client.update_feature(
                feature,
                description=inputs.description if described else None,
                archived=False if feature.is_archived else None,
            )
        if client.state(feature) != inputs.state:
            client.set_state(feature, inputs.state)

    def _reach(self, inputs: FlagInputs) -> FlagsmithClient:
        """Return the client after making sure that its key is for this very environment."""
        if self._client is None:
            raise HandlerError(
                "infra.flagsmith_missing",
                "there is no access to Flagsmith",
                "set COH_FLAGSMITH_URL, COH_FLAGSMITH_TOKEN and COH_FLAGSMITH_ENVIRONMENT_KEY",
            )
        found = (self._client.project.name, self._client.environment.name)
        if found != (inputs.project, inputs.environment):
            raise HandlerError(
                "infra.flagsmith_other_environment",
                f"the environment key is for {found[1]} of {found[0]}, the flag is for "
                f"{inputs.environment} of {inputs.project}",
                f"set COH_FLAGSMITH_ENVIRONMENT_KEY to the key of {inputs.environment}",
            )
        return self._client
