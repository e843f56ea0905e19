"""Fill a Vercel emulator with a team, its projects and their deployments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sandbox.vercel.call import token_key
from sandbox.vercel.deployments import new_alias
from sandbox.vercel.projects import new_project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.emulator import Document, Store


@dataclass(frozen=True)
class DeploymentSeed:
    """One deployment.

    Attributes:
        id: such as `dpl_a17`.
        sha: the commit it was built from.
        created: when, aware.
        target: `production`, or None for a preview.
        ready_state: such as `READY` or `ERROR`.
        branch: the branch it was built from.
    """

    id: str
    sha: str
    created: datetime
    target: Literal["production", "staging"] | None = "production"
    ready_state: str = "READY"
    branch: str = "main"


@dataclass(frozen=True)
class ProjectSeed:
    """One project.

    Attributes:
        name: unique in the team.
        deployments: in any order.
        current: number of the deployment production points at; None before the first one.
        aliases: domains of production.
        id: made from the name when left out.
    """

    name: str
    deployments: Sequence[DeploymentSeed] = ()
    current: str | None = None
    aliases: Sequence[str] = field(default_factory=tuple)
    id: str | None = None


def seed(
    store: Store,
    *,
    team: str,
    token: str,
    projects: Sequence[ProjectSeed],
    plan: Literal["hobby", "pro"] = "pro",
) -> None:
    """Make a team with its projects, in one transaction.

    Args:
        store: the emulator's state, empty.
        team: its number, as in `teamId`.
        token: sent as `Authorization: Bearer <token>`.
        projects: what it has.
        plan: `hobby` can roll back only to the last deployment.

    Raises:
        ValueError: a project's current deployment is not among its deployments, or two projects
            have one name, id, deployment or domain, which Vercel does not allow.
    """
    _refuse_shared(projects)
    with store.transaction():
        store.put("teams", team, {"id": team, "plan": plan})
        store.put("tokens", token_key(token), {"team": team})
        for wanted in projects:
            _seed_project(store, team, wanted)


def _refuse_shared(projects: Sequence[ProjectSeed]) -> None:
    seen: set[str] = set()
    for project in projects:
        names = {project.name, _number(project), *project.aliases}
        names |= {one.id for one in project.deployments}
        if shared := sorted(names & seen):
            raise ValueError(f"{project.name}: {shared[0]} belongs to another project")
        seen |= names


def _number(project: ProjectSeed) -> str:
    return project.id or f"prj_{project.name}"


def _seed_project(store: Store, team: str, wanted: ProjectSeed) -> None:
    known = {one.id for one in wanted.deployments}
    if wanted.current is not None and wanted.current not in known:
        raise ValueError(f"{wanted.name}: {wanted.current} is not among its deployments")
    number = _number(wanted)
    made = min((_milliseconds(one.created) for one in wanted.deployments), default=0)
    project = new_project(store, team, wanted.name, number, made)
    project |= {"production": wanted.current, "live": wanted.current is not None}
    store.put("projects", number, project)
    for one in wanted.deployments:
        deployment = _deployment(wanted.name, number, one)
        store.put("deployments", one.id, deployment)
        if one.id == wanted.current:
            for name in wanted.aliases:
                store.put("aliases", name, new_alias(deployment, name, made))


def _deployment(name: str, project: str, wanted: DeploymentSeed) -> Document:
    created = _milliseconds(wanted.created)
    return {
        "id": wanted.id,
        "name": name,
        "projectId": project,
        "url": f"{name}-{wanted.id.removeprefix('dpl_')}.vercel.app",
        "createdAt": created,
        "buildingAt": created,
        "ready": created,
        "readyState": wanted.ready_state,
        "target": wanted.target,
        "source": "git",
        "creator": {"uid": "sandbox"},
        "meta": {"githubCommitSha": wanted.sha, "githubCommitRef": wanted.branch},
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
