"""The durable runner on DBOS and Postgres (docs/adr/0005-durable-steps.md).

DBOS records the result of every step in Postgres, in its own schema. The same database holds the
audit log, so a runner never needs a second server, and a run that one machine left open can be
finished by any other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

import psycopg
from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    PortableWorkflowError,
    SetWorkflowID,
)
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from ops_actions.apply.protocol import OpenRun, StepRunner
from ops_actions.canonical import Json
from ops_actions.errors import BadRequestError, OutsideError

_WORKFLOW = "coh.apply"
_VERSION = "coh.apply-run/1"
"""Pinned on purpose: DBOS would hash our source, and an upgrade would orphan every open run."""
_OPEN = ["PENDING", "ENQUEUED"]

Body = Callable[[Json, str, StepRunner], Json]
"""The workflow: gets the payload, the run's name and a step runner."""


class DbosRunner:
    """Implements `apply.protocol.Durable`.

    Args:
        database_url: address of the Postgres database, see `adapters.postgres.connect`.
        executor: name of this process, unique among all that ever ran.
        body: what a run does.
    """

    def __init__(self, database_url: str, executor: str, body: Body) -> None:
        config: DBOSConfig = {
            "name": "clarivum-ops",
            "system_database_url": _sqlalchemy_url(database_url),
            "dbos_system_schema": "dbos",
            "executor_id": executor,
            "application_version": _VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "CRITICAL",
            "console_log_level": "CRITICAL",
            "sys_db_pool_size": 5,
            "notification_listener_polling_interval_sec": 0.1,
        }
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        self._dbos = DBOS(config=config)
        self._queue = f"coh-{executor}"
        self._queued = False
        self._failures: dict[str, Exception] = {}
        self._workflow = DBOS.workflow(name=_WORKFLOW)(self._as_workflow(body))
        # A run is resumed through a queue. DBOS's own is read by every process, and one that does
        # not hold the run's lock could take it; so each process reads a queue of its own only.
        DBOS.listen_queues([self._queue])
        try:
            DBOS.launch()
        except SQLAlchemyError as error:
            # DBOS is one for the whole process: half a launch would stand in the next one's way.
            DBOS.destroy(workflow_completion_timeout_sec=0)
            raise OutsideError(
                "database.unreachable",
                f"the durable runner can't reach its database ({type(error).__name__})",
                "check COH_DATABASE_URL and that the database runs",
            ) from error

    def start(self, run_id: str, payload: Json) -> Json:
        """Run the workflow under a name; see the protocol."""
        with SetWorkflowID(run_id):
            return self._workflow(payload)

    def open_runs(self) -> tuple[OpenRun, ...]:
        """Return the runs that have not ended, oldest first."""
        found = DBOS.list_workflows(name=_WORKFLOW, status=_OPEN, sort_desc=False)
        return tuple(OpenRun(run.workflow_id, run.executor_id or "") for run in found)

    def attempts(self, change_id: str) -> int:
        """Count the runs whose name begins with a change's."""
        found = DBOS.list_workflows(
            name=_WORKFLOW, workflow_id_prefix=f"{change_id}#", load_input=False, load_output=False
        )
        return len(found)

    def resume(self, run_id: str) -> Json:
        """Take over a run and finish it."""
        if not self._queued:
            DBOS.register_queue(self._queue, polling_interval_sec=0.05)
            self._queued = True
        handle = DBOS.resume_workflow(run_id, queue_name=self._queue)
        try:
            return cast("Json", handle.get_result(polling_interval_sec=0.05))
        except PortableWorkflowError as error:
            # DBOS keeps name and message only. The run was ours, so we have the error itself.
            raise self._failures.get(run_id, error) from None

    def abandon(self, run_id: str) -> None:
        """Cancel a run."""
        DBOS.cancel_workflow(run_id)

    def close(self) -> None:
        """Stop the runner's threads and connections; open runs stay open for `resume`."""
        if self._queued:
            DBOS.delete_queue(self._queue)
        DBOS.destroy(workflow_completion_timeout_sec=0)

    def _as_workflow(self, body: Body) -> Callable[[Json], Json]:
        def apply_workflow(payload: Json) -> Json:
            run_id = DBOS.workflow_id
            if run_id is None:
                raise RuntimeError("the workflow body runs outside a workflow")
            try:
                return body(payload, run_id, _step)
            except Exception as error:
                self._failures[run_id] = error
                raise

        return apply_workflow


def _step(name: str, work: Callable[[], Json]) -> Json:
    return DBOS.run_step({"name": name}, work)


def _sqlalchemy_url(url: str) -> str:
    """Write an address that libpq understands, also ``key=value`` text, as SQLAlchemy wants it.

    It names the driver too: SQLAlchemy's default for Postgres is one we do not install.

    Raises:
        BadRequestError: ``database.address``, the address can't be read.
    """
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        raise BadRequestError(
            "database.address",
            "the database address is not one that Postgres understands",
            "write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE",
        ) from None  # the driver's text quotes the address with its password
    user, password, name = (parts.pop(key, None) for key in ("user", "password", "dbname"))
    # Host and port as options: a socket's folder is no host name.
    made = URL.create("postgresql+psycopg", user, password, database=name, query=parts)
    return made.render_as_string(hide_password=False)
