"""Vercel: what is in production, and moving production to another deployment.

Paths and shapes follow the published REST API (the versions in the paths are Vercel's own).
Rollback and promote answer at once and work in the background: the project's last alias request
tells how far they are.
"""

from __future__ import annotations

import time
from enum import StrEnum
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from infra.clients.errors import NotFoundError
from infra.clients.transport import Call, Sleep, Transport

SERVICE = "vercel"


class JobStatus(StrEnum):
    """How far the last move of production is."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class AliasJob(_Shape):
    """The last move of production domains.

    Attributes:
        source: deployment they were taken from, None when not known.
        target: deployment they are given to.
        kind: ``promote`` or ``rollback``.
        requested_at: milliseconds since 1970.
    """

    source: str | None = Field(alias="fromDeploymentId")
    target: str = Field(alias="toDeploymentId")
    status: JobStatus = Field(alias="jobStatus")
    kind: str = Field(alias="type")
    requested_at: int = Field(alias="requestedAt")


class _Target(_Shape):
    id: str


class Project(_Shape):
    """A project.

    Attributes:
        targets: current deployment by name of the target; None for a target without one.
        last_job: the last promote or rollback, None when there never was one.
    """

    id: str
    name: str
    targets: dict[str, _Target | None] = {}
    last_job: AliasJob | None = Field(default=None, alias="lastAliasRequest")

    @property
    def production(self) -> str | None:
        """Id of the deployment in production, None when nothing is."""
        target = self.targets.get("production")
        return None if target is None else target.id


class Deployment(_Shape):
    """A deployment.

    Attributes:
        ready_state: Vercel's word, READY when it can serve.
        target: ``production``, ``staging``, or None for a preview.
        created_at: milliseconds since 1970.
    """

    id: str
    project_id: str | None = Field(default=None, alias="projectId")
    ready_state: str = Field(alias="readyState")
    target: str | None = None
    created_at: int = Field(alias="createdAt")


_PROJECT = TypeAdapter(Project)
_DEPLOYMENT = TypeAdapter(Deployment)


def vercel_client(  # noqa: PLR0913 - an address, a token, a team and three limits
    url: str,
    token: str,
    *,
    team_id: str | None = None,
    timeout: float = 10.0,
    read_only: bool = False,
    sleep: Sleep = time.sleep,
) -> VercelClient:
    """Return a client.

    Args:
        url: address of the API.
        token: bearer token.
        team_id: team that owns the projects, None for a personal account.
        timeout: seconds.
        read_only: refuse writes before they are sent.
        sleep: waits between two attempts, in seconds.
    """
    headers = {"Authorization": f"Bearer {token}"}
    transport = Transport(SERVICE, url, headers, timeout=timeout, read_only=read_only, sleep=sleep)
    return VercelClient(transport, team_id)


class VercelClient:
    """Projects and deployments of one team. Safe to share between threads.

    Args:
        transport: carries the token.
        team_id: sent with each request when given.
    """

    def __init__(self, transport: Transport, team_id: str | None) -> None:
        self._transport = transport
        self._params = {} if team_id is None else {"teamId": team_id}

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def project(self, id_or_name: str) -> Project:
        """Return a project.

        Raises:
            NotFoundError: there is none.
        """
        path = f"/v9/projects/{_part(id_or_name)}"
        return self._transport.fetch(Call("getProject", "GET", path, self._params), _PROJECT)

    def deployment(self, deployment_id: str) -> Deployment | None:
        """Return a deployment, None when there is none."""
        path = f"/v13/deployments/{_part(deployment_id)}"
        call = Call("getDeployment", "GET", path, self._params)
        try:
            return self._transport.fetch(call, _DEPLOYMENT)
        except NotFoundError:
            return None

    def rollback(self, project_id: str, deployment_id: str) -> None:
        """Start moving production back to an earlier deployment.

        Raises:
            ConflictError: another move is under way, or it is the current deployment.
            BadRequestError: the deployment can't be rolled back to.
            UnknownOutcomeError: sent, and the answer did not come; read `project` back.
        """
        self._move("rollbackDeployment", "/v1", "rollback", project_id, deployment_id)

    def promote(self, project_id: str, deployment_id: str) -> None:
        """Start moving production to a deployment; raises as `rollback`."""
        self._move("promoteDeployment", "/v10", "promote", project_id, deployment_id)

    def _move(self, operation: str, version: str, verb: str, project: str, target: str) -> None:
        # Not repeat-safe: a second request would answer 409 for the first one's work.
        path = f"{version}/projects/{_part(project)}/{verb}/{_part(target)}"
        self._transport.send(Call(operation, "POST", path, self._params))


def _part(text: str) -> str:
    return quote(text, safe="")
