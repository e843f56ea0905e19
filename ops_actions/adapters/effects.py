"""The effects: how each kind of change reaches the outside."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import psutil

from infra.clients.errors import ClientError
from infra.clients.errors import UnknownOutcomeError as NoAnswerError
from infra.settings.environment import EnvironmentSettings, load_environment
from infra.settings.migrations import read_migrations
from ops_actions.adapters.pulumi_steps import flag_urn
from ops_actions.apply.protocol import RunContext, UnknownOutcomeError
from ops_actions.catalogue.model import ActionSpec, ActionState, Params
from ops_actions.catalogue.registry import find
from ops_actions.catalogue.services import JobStatus, RollbackJob, Services
from ops_actions.errors import OutsideError, RefusedError, UndecidableError
from ops_actions.plan.flags import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from infra.clients.flagsmith import FlagsmithClient
    from infra.clients.vercel import VercelClient
    from ops_actions.adapters.pulumi_engine import PulumiEngine
    from ops_actions.adapters.pulumi_errors import LockOwner
    from ops_actions.canonical import Json
    from ops_actions.change.model import Repository
    from ops_actions.plan.model import Change

_FRAME = ("opshub:components:", "pulumi:pulumi:Stack", "pulumi:providers:opshub")
"""Types whose making touches nothing outside: they group others, or stand for our own provider,
which a stack that was never brought up lacks."""

JOB_LOOKS = 30
"""How often a background job is looked at before its end is called unknown: about two minutes."""


@contextmanager
def outside() -> Iterator[None]:
    """Turn the failures of clients into ours, so that no caller needs to know them."""
    try:
        yield
    except NoAnswerError as error:
        raise UnknownOutcomeError(str(error)) from error
    except ClientError as error:
        raise OutsideError(
            f"outside.{error.service}",
            str(error),
            f"see that {error.service} answers and that its token is right, then coh reconcile",
        ) from error


class FlagEffect:
    """Flags: read from Flagsmith, written by the Pulumi engine, all flags of a run at once.

    Args:
        clients: opens the Flagsmith client of an environment.
        engines: opens the Pulumi engine of an environment.
        repository: where the merged commit's declared state is read from.
        migrations: folder of the SQL migrations that this code knows.
    """

    # The engine keeps a record of its own: for a state that is reached already it is the record
    # that has to follow.
    always_perform = True

    def __init__(
        self,
        clients: Callable[[str], FlagsmithClient],
        engines: Callable[[str], PulumiEngine],
        repository: Repository,
        migrations: Path,
    ) -> None:
        self._clients = clients
        self._engines = engines
        self._repository = repository
        self._migrations = migrations

    def observe(self, change: Change) -> Json:
        """Read a flag's state; a feature that is missing is a flag nobody declared."""
        with outside():
            state = self._clients(change.environment).flag(change.target)
        return ABSENT if state is None else {"enabled": state.enabled, "value": state.value}

    def perform(self, changes: Sequence[Change], context: RunContext) -> None:
        """Bring up the merged commit's flags, these and no others.

        Raises:
            RefusedError: the engine would do something that no change asks for.
        """
        settings = load_environment(
            context.environment, lambda path: self._repository.read(context.commit, path)
        )
        targets = tuple(flag_urn(context.environment, change.target) for change in changes)
        engine = self._engines(context.environment)
        try:
            self._bring_up(engine, settings, targets)
        except RefusedError as error:
            if error.code not in ("infra.pending", "infra.locked"):
                raise
            # A run that was killed left this behind. We hold the environment's lock, so no other
            # apply is at work; a person's own `pulumi up` on this machine is asked for here.
            engine.repair(context.environment, owner_alive)
            self._bring_up(engine, settings, targets)

    def _bring_up(
        self, engine: PulumiEngine, settings: EnvironmentSettings, targets: tuple[str, ...]
    ) -> None:
        migrations = read_migrations(self._migrations)
        steps = engine.preview(settings, migrations, targets)
        extra = sorted(
            step.urn
            for step in steps
            if step.urn not in targets and not step.type.startswith(_FRAME)
        )
        if extra:
            raise RefusedError(
                "apply.engine_does_more",
                f"the engine would also touch {', '.join(extra[:5])}",
                f"coh infra preview --env {settings.name}",
            )
        if steps:
            engine.up(settings, migrations, targets, steps)


def owner_alive(owner: LockOwner) -> bool:
    """Tell whether the owner of an engine's lock may still run; in doubt it may.

    A process of another machine can't be looked at from here, so it counts as alive.
    """
    if owner.host != socket.gethostname():
        return True
    try:
        return psutil.Process(owner.pid).name().startswith("pulumi")
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


class ActionEffect:
    """Ops actions: each is read and carried out by its own file in the catalogue.

    Args:
        services: opens what actions need, by environment.
        wait: pauses between two looks at a job that works in the background, in seconds.
    """

    always_perform = False

    def __init__(
        self, services: Callable[[str], Services], wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._services = services
        self._wait = wait

    def observe(self, change: Change) -> Json:
        """Read the state of an action's target."""
        asked = _asked(change)
        with outside():
            return asked.spec.observe(
                change.target, asked.params, self._services(change.environment)
            )

    def perform(self, changes: Sequence[Change], context: RunContext) -> None:  # noqa: ARG002
        """Carry out actions one after another, each to its end."""
        for change in changes:
            with outside():
                self._carry_out(change)

    def _carry_out(self, change: Change) -> None:
        asked = _asked(change)
        services = self._services(change.environment)
        started = False
        for look in range(JOB_LOOKS):
            state = asked.spec.state(change.target, asked.params, services)
            if state is ActionState.DONE:
                return
            if state is ActionState.OTHER:
                raise RefusedError(
                    "apply.target_busy",
                    f"somebody else is moving {change.target}",
                    "wait until it stands still, then raise the request again",
                )
            if state is ActionState.FAILED and started:
                raise OutsideError(
                    "apply.job_failed",
                    f"the job that should move {change.target} failed",
                    "see the service's own log, then raise the request again",
                )
            if state is not ActionState.RUNNING and not started:
                started = True
                with suppress(UndecidableError):  # looking again tells whether it was started
                    asked.spec.perform(change.target, asked.params, services)
            self._wait(min(0.1 * 1.5**look, 5.0))
        raise UnknownOutcomeError(f"{change.action} of {change.target} was started and has no end")


@dataclass(frozen=True, slots=True)
class _Asked:
    spec: ActionSpec[Any]
    params: Params


def _asked(change: Change) -> _Asked:
    """Find the action of a change and its parameters, which the plan has checked before."""
    spec = find(change.action or "")
    request = cast("dict[str, Any]", change.after)
    return _Asked(spec, spec.parse(request["params"]))


class VercelDeployments:
    """`catalogue.services.Deployments` on Vercel.

    Args:
        client: the client of the team.
    """

    def __init__(self, client: VercelClient) -> None:
        self._client = client

    def current_production(self, project: str) -> str | None:
        """Return the deployment that serves production."""
        return self._client.project(project).production

    def rollback(self, project: str, deployment_id: str) -> None:
        """Start the rollback job."""
        try:
            self._client.rollback(self._client.project(project).id, deployment_id)
        except NoAnswerError as error:
            raise UndecidableError("outside.vercel", str(error), "coh reconcile") from error

    def job(self, project: str) -> RollbackJob:
        """Return the latest job."""
        job = self._client.project(project).last_job
        if job is None:
            return RollbackJob(JobStatus.NONE, None)
        # A skipped job changed nothing, like one that never was.
        status = "none" if job.status.value == "skipped" else job.status.value
        return RollbackJob(JobStatus(status), job.target)
