"""What the actions need of the outside, as small protocols; `wiring` supplies the clients."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class JobStatus(StrEnum):
    """State of an asynchronous job at the hosting service; ``none`` when there never was one."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RollbackJob:
    """The latest change of the production alias of one project.

    Attributes:
        status: how far it is.
        target: deployment it moves production to, None when there is no job.
    """

    status: JobStatus
    target: str | None


class Deployments(Protocol):
    """What an action needs of the hosting service."""

    def current_production(self, project: str) -> str | None:
        """Return the id of the deployment that serves production, None when none does.

        Args:
            project: name of the project.

        Raises:
            OutsideError: the service failed or answered nonsense.
        """

    def rollback(self, project: str, deployment_id: str) -> None:
        """Start the job that moves production back to a deployment; it runs on its own.

        Args:
            project: name of the project.
            deployment_id: deployment that shall serve production.

        Raises:
            OutsideError: the service failed; nothing was started.
            UndecidableError: it can't be known whether the job was started.
        """

    def job(self, project: str) -> RollbackJob:
        """Return the latest job of a project.

        Args:
            project: name of the project.

        Raises:
            OutsideError: the service failed or answered nonsense.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """All services that actions may use."""

    deployments: Deployments
