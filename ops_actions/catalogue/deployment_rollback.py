"""Action ``deployment.rollback``: production serves an earlier deployment again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ops_actions.catalogue.model import ActionRisk, ActionSpec, ActionState, Params
from ops_actions.catalogue.services import JobStatus

if TYPE_CHECKING:
    from infra.settings.platform import PlatformFile
    from ops_actions.canonical import Json
    from ops_actions.catalogue.services import Services

DeploymentId = Annotated[str, Field(pattern=r"^dpl_[A-Za-z0-9]{1,60}$", examples=["dpl_9f2"])]
"""Id of a Vercel deployment."""


class RollbackParams(Params):
    """Which deployment takes over from which."""

    to: DeploymentId = Field(description="Deployment that shall serve production.")
    expect_current: DeploymentId = Field(
        description="Deployment that serves production now; another one stops the rollback."
    )

    @model_validator(mode="after")
    def _two_deployments(self) -> RollbackParams:
        if self.to == self.expect_current:
            raise PydanticCustomError(
                "same_deployment",
                "`to` and `expect_current` are the same deployment",
                {"at": ("to",), "write": "to: the earlier deployment that shall serve again"},
            )
        return self


class DeploymentRollback(ActionSpec[RollbackParams]):
    """Moves the production alias of a Vercel project back."""

    __slots__ = ()

    def target_in(self, platform: PlatformFile) -> str:
        """The Vercel project of the environment, by name."""
        return platform.vercel.project

    def describe(self, target: str, params: RollbackParams) -> str:
        """Name the project and both deployments."""
        return (
            f"Production of {target} stops serving deployment {params.expect_current} and serves "
            f"{params.to} again; visitors see the earlier version within a minute"
        )

    def inverse(self, target: str, params: RollbackParams) -> tuple[str, bool]:
        """The same action with the deployments swapped."""
        swapped = f"to: {params.expect_current}, expect_current: {params.to}"
        return f"deployment.rollback of {target} with {swapped}", True

    def expected_live(self, target: str, params: RollbackParams) -> Json:  # noqa: ARG002
        """The deployment that the request says is serving."""
        return {"deployment": params.expect_current}

    def desired_live(self, target: str, params: RollbackParams) -> Json:  # noqa: ARG002
        """The deployment that shall serve."""
        return {"deployment": params.to}

    def observe(self, target: str, params: RollbackParams, services: Services) -> Json:  # noqa: ARG002
        """Ask which deployment serves production."""
        return {"deployment": services.deployments.current_production(target)}

    def state(self, target: str, params: RollbackParams, services: Services) -> ActionState:
        """Judge by the latest job first: while it runs, what is served says nothing yet."""
        job = services.deployments.job(target)
        if job.status in (JobStatus.PENDING, JobStatus.IN_PROGRESS):
            return ActionState.RUNNING if job.target == params.to else ActionState.OTHER
        current = services.deployments.current_production(target)
        if current == params.to:
            return ActionState.DONE
        if current != params.expect_current:
            return ActionState.OTHER
        if job.status is JobStatus.FAILED and job.target == params.to:
            return ActionState.FAILED
        return ActionState.NOT_DONE

    def perform(self, target: str, params: RollbackParams, services: Services) -> None:
        """Start the asynchronous rollback job."""
        services.deployments.rollback(target, params.to)


ACTION = DeploymentRollback(
    name="deployment.rollback",
    summary="Serve an earlier deployment in production again",
    risk=ActionRisk.DESTRUCTIVE,
    gate="ops_gate_deployment_rollback",
    target_kind="Vercel project",
    target_pattern=r"[a-z0-9][a-z0-9._-]{0,99}",
    params=RollbackParams,
    example_target="clarivum-web",
    example=RollbackParams(to="dpl_9f2", expect_current="dpl_a17"),
)
"""The action."""
