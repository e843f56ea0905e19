"""The services of an environment and the engine that brings it up."""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infra.clients.flagsmith import FlagsmithClient, flagsmith_client
from infra.program import program
from infra.provider.server import OpshubBackends, serving
from infra.settings.environment import load_environment
from infra.settings.migrations import read_migrations
from ops_actions.adapters.effects import owner_alive
from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.git_worktree import uncommitted
from ops_actions.adapters.postgres_book import PostgresBook
from ops_actions.adapters.postgres_lock import Holder
from ops_actions.adapters.pulumi_engine import PulumiEngine
from ops_actions.adapters.pulumi_secrets import secrets_of
from ops_actions.adapters.pulumi_session import EngineOptions
from ops_actions.errors import OutsideError, RefusedError
from ops_actions.flow.bring_up import (
    BringUp,
    first_time,
    refuse_not_applied,
    refuse_uncommitted,
    under_lock,
)
from ops_actions.wiring.place import MIGRATIONS
from ops_actions.wiring.record import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from infra.settings.environment import EnvironmentSettings
    from infra.settings.migrations import Migration
    from ops_actions.adapters.pulumi_steps import Step
    from ops_actions.adapters.target import Target
    from ops_actions.canonical import Json


def flagsmith(place: Target, environment: str, *, read_only: bool = False) -> FlagsmithClient:
    """Return the Flagsmith client of an environment."""
    return flagsmith_client(
        place.need("COH_FLAGSMITH_URL"),
        place.need("COH_FLAGSMITH_TOKEN"),
        place.need(f"COH_FLAGSMITH_KEY_{environment.upper()}"),
        read_only=read_only,
    )


def pulumi(place: Target, environment: str, client: FlagsmithClient | None = None) -> PulumiEngine:
    """Return the Pulumi engine of an environment's stack.

    Args:
        place: where the outside is.
        environment: whose stack it is.
        client: Flagsmith client of the environment, which the caller closes; one that lives as
            long as the engine when left out.
    """
    url, backend = place.need("COH_DATABASE_URL"), place.need("COH_PULUMI_BACKEND")
    options = EngineOptions(
        root=Path(place.need("COH_PULUMI")),
        backend_url=backend,
        passphrase_file=Path(place.need("COH_PULUMI_PASSPHRASE_FILE")),
        home=Path(place.need("COH_PULUMI_HOME")),
        work_dir=Path(place.need("COH_PULUMI_WORK")),
        stack_files={}
        if place.sandbox
        else {environment: place.root / f"Pulumi.{environment}.yaml"},
        secrets=secrets_of(backend, url, place.need("COH_FLAGSMITH_TOKEN")),
    )
    backends = OpshubBackends(client or flagsmith(place, environment), url)
    return PulumiEngine(options, program, lambda: serving(backends))


def bring_up(place: Target, settings: EnvironmentSettings) -> tuple[Step, ...]:
    """Make everything that is declared exist in a sandbox, and return what was done."""
    migrations = read_migrations(MIGRATIONS)
    engine = pulumi(place, settings.name)
    steps = engine.preview(settings, migrations)
    engine.up(settings, migrations, None, steps)
    return steps


def bring_up_live(
    place: Target, environment: str, now: datetime, tell: Callable[[str], None]
) -> tuple[Step, ...]:
    """Make what this checkout's commit declares exist in a live environment; see `flow.bring_up`.

    Args:
        place: where the outside is.
        environment: which one.
        now: when it began.
        tell: told what the person should know.

    Raises:
        RefusedError: the checkout is not the state that was applied last, or somebody is at work.
        OutsideError: an outside system failed.
    """
    repository = GitRepository(place.root)
    one = BringUp(environment, repository.head_commit(), _login(place), now)
    refuse_uncommitted(one.commit, uncommitted(place.root))
    settings = load_environment(environment, partial(repository.read, one.commit))
    migrations, engine = read_migrations(MIGRATIONS), pulumi(place, environment)
    up = partial(_up, engine, settings, migrations)
    with _book(place) as book:
        if not _is_there(book):
            tell(
                "There is no record book yet: nothing is locked, and it is written down afterwards"
            )
            steps = engine.preview(settings, migrations)
            up(steps)
            first_time(book, one, [_document(step) for step in steps])
            return steps
        refuse_not_applied(repository, book, one)  # before the lock of a try that died is touched

        def preview() -> tuple[Step, ...]:
            refuse_not_applied(repository, book, one)  # it may have moved until the lock was ours
            return engine.preview(settings, migrations)

        return under_lock(book, one, preview, up, _document)


def _up(
    engine: PulumiEngine,
    settings: EnvironmentSettings,
    migrations: Sequence[Migration],
    steps: Sequence[Step],
) -> None:
    """Do the steps, also over what a run left behind that was killed."""
    try:
        engine.up(settings, migrations, None, steps)
    except RefusedError as error:
        if error.code not in {"infra.pending", "infra.locked"}:
            raise
        engine.repair(settings.name, owner_alive)  # whoever is alive keeps the engine's lock
        engine.up(settings, migrations, None, steps)


def _document(step: Step) -> Json:
    """Name a step; what it sets is in the commit."""
    return {"op": step.op, "type": step.type, "name": step.name}


def _is_there(book: PostgresBook) -> bool:
    try:
        book.cursor()
    except OutsideError as error:
        if error.code != "database.not_migrated":
            raise
        return False
    return True


@contextmanager
def _book(place: Target) -> Iterator[PostgresBook]:
    """Open the record book as a holder of locks, and close it."""
    base = database(place)
    host, pid = socket.gethostname(), os.getpid()
    book = PostgresBook(base, Holder(f"{host}:{pid}:{uuid.uuid4().hex[:8]}", pid, host))
    try:
        yield book
    finally:
        book.leave()
        base.close()


def _login(place: Target) -> str | None:
    """Return whom the GitHub token acts for, None when there is no token."""
    names = ("COH_GITHUB_API", "COH_GITHUB_REPOSITORY", "COH_GITHUB_TOKEN")
    if any(place.get(name) is None for name in names):
        return None
    # GitHub's client is slow to import, and most commands that need this module need no GitHub.
    from ops_actions.wiring.host import code_host  # noqa: PLC0415

    return code_host(place, read_only=True).me().login
