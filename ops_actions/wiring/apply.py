"""Everything that applying needs, opened together and closed together."""

from __future__ import annotations

import os
import socket
import time
import uuid
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from infra.clients.slack import SlackClient
from infra.clients.vercel import vercel_client
from infra.settings.environment import load_environment, read_from_folder
from ops_actions.adapters.announcer import SlackAnnouncer
from ops_actions.adapters.bundles import GitBundles
from ops_actions.adapters.dbos_runner import DbosRunner
from ops_actions.adapters.effects import ActionEffect, FlagEffect, VercelDeployments, outside
from ops_actions.adapters.postgres_book import PostgresBook
from ops_actions.adapters.postgres_lock import Holder
from ops_actions.apply.payload import load
from ops_actions.apply.workflow import Tools, apply_run
from ops_actions.catalogue.services import Services
from ops_actions.clock import system_clock
from ops_actions.flow.judge import Judge
from ops_actions.flow.tools import ApplyTools
from ops_actions.plan.model import Kind
from ops_actions.wiring.gate import policy_engine, repository
from ops_actions.wiring.host import code_host
from ops_actions.wiring.infrastructure import flagsmith, pulumi
from ops_actions.wiring.place import MIGRATIONS
from ops_actions.wiring.record import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ops_actions.adapters.git import GitRepository
    from ops_actions.adapters.target import Target
    from ops_actions.apply.protocol import Effects, StepRunner
    from ops_actions.canonical import Json


def effects(place: Target, commits: GitRepository, opened: ExitStack) -> Effects:
    """Return what carries out each kind of change that touches the outside.

    Args:
        place: where the outside is.
        commits: git repository with the merged commits.
        opened: closes the clients that are opened on the way.
    """
    clients = cache(
        lambda environment: opened.enter_context(closing(flagsmith(place, environment)))
    )
    services = cache(lambda environment: _services(place, environment, opened))
    return {
        Kind.FLAG: FlagEffect(
            clients,
            lambda environment: pulumi(place, environment, clients(environment)),
            commits,
            MIGRATIONS,
        ),
        Kind.ACTION: ActionEffect(services),
    }


@contextmanager
def apply_tools(
    place: Target, checkout: Path | None, watch: Callable[[str], None] = lambda _: None
) -> Iterator[ApplyTools]:
    """Open everything that applying needs, and close it.

    Args:
        place: where the outside is.
        checkout: git repository with the merged commits.
        watch: told of each point of a run: ``<step>:begun``, ``<step>:worked`` (the effect is
            there, the record is not) and ``<step>:recorded``. Rehearsals of crashes die in it.
    """
    commits = repository(place, checkout)
    base = database(place)
    opened = ExitStack()
    reach = effects(place, commits, opened)
    executor = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    holder = Holder(executor, os.getpid(), socket.gethostname())
    book = PostgresBook(base, holder)

    def gate(environment: str, name: str) -> bool:
        return _gate(place, environment, name)

    workflow = Tools(
        reach,
        book,
        wait=lambda number: time.sleep(min(0.2 * number, 1.0)),
        now=system_clock,
        gate=gate,
    )

    def body(payload: Json, run_id: str, step: StepRunner) -> Json:
        return apply_run(load(payload), run_id, _watched(step, watch), workflow)

    durable = DbosRunner(place.need("COH_DATABASE_URL"), executor, body)
    try:
        yield ApplyTools(
            judge=Judge(
                commits,
                GitBundles(commits),
                policy_engine(place),
                live_gate=gate,
                recent=book.recent,
            ),
            host=code_host(place),
            effects=reach,
            book=book,
            durable=durable,
            announcer=SlackAnnouncer(_slack(place), place.need("COH_SLACK_CHANNEL")),
            tool_commit=place.get("COH_TOOL_COMMIT"),
        )
    finally:
        durable.close()
        book.leave()
        base.close()
        opened.close()


def _watched(step: StepRunner, watch: Callable[[str], None]) -> StepRunner:
    def run(name: str, work: Callable[[], Json]) -> Json:
        def told() -> Json:
            watch(f"{name}:begun")
            result = work()
            watch(f"{name}:worked")
            return result

        result = step(name, told)
        watch(f"{name}:recorded")
        return result

    return run


def _services(place: Target, environment: str, opened: ExitStack) -> Services:
    platform = load_environment(environment, read_from_folder(place.root)).platform
    client = vercel_client(
        place.need("COH_VERCEL_URL"),
        place.need("COH_VERCEL_TOKEN"),
        team_id=platform.vercel.team_id,
    )
    opened.callback(client.close)
    return Services(deployments=VercelDeployments(client))


def _slack(place: Target) -> SlackClient:
    return SlackClient(place.need("COH_SLACK_TOKEN"), base_url=place.need("COH_SLACK_URL"))


def _gate(place: Target, environment: str, gate: str) -> bool:
    with outside(), closing(flagsmith(place, environment, read_only=True)) as client:
        state = client.flag(gate)
    return False if state is None else state.enabled
