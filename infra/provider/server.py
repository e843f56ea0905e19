"""Serve the provider: inside this process for the Automation API, or as a plugin of the CLI."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from infra.clients.flagsmith import FlagsmithClient, flagsmith_client
from infra.provider.flag import FlagHandler
from infra.provider.lifecycle import Lifecycle
from infra.provider.migration import MigrationHandler
from infra.provider.servicer import OpshubServicer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "opshub"
"""Name of the provider's package, the first part of its type tokens."""

THREADS = 16
_MESSAGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpshubBackends:
    """What the provider works on. What is None can be planned for but not touched.

    Attributes:
        flagsmith: client of the environment's flags.
        database_url: libpq address of the hub's database.
    """

    flagsmith: FlagsmithClient | None
    database_url: str | None


def backends_from(variables: Mapping[str, str]) -> OpshubBackends:
    """Return the backends that environment variables name.

    Args:
        variables: COH_FLAGSMITH_URL, COH_FLAGSMITH_TOKEN and COH_FLAGSMITH_ENVIRONMENT_KEY, all
            or none; COH_DATABASE_URL.

    Raises:
        ValueError: only some of the Flagsmith variables are there.
    """
    names = ("COH_FLAGSMITH_URL", "COH_FLAGSMITH_TOKEN", "COH_FLAGSMITH_ENVIRONMENT_KEY")
    given = [variables.get(name, "") for name in names]
    if any(given) and not all(given):
        missing = ", ".join(name for name, value in zip(names, given, strict=True) if not value)
        raise ValueError(f"Flagsmith needs all of its variables; {missing} is missing")
    client = flagsmith_client(*given) if all(given) else None
    return OpshubBackends(client, variables.get("COH_DATABASE_URL") or None)


@contextmanager
def serving(backends: OpshubBackends, engine_address: str | None = None) -> Iterator[int]:
    """Serve the provider on a free port of the loopback address; gives the port.

    Args:
        backends: what it works on.
        engine_address: the engine that started this process as its plugin, if one did.
    """
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=THREADS), options=options)
    servicer = OpshubServicer(_lifecycles(backends), engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = int(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()


def main() -> None:
    """Be a plugin of the CLI: print the port on one line, serve until the engine ends us."""
    done = threading.Event()
    # The engine ends a plugin by SIGINT or SIGTERM; the calls in hand must not see a traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: done.set())
    address = sys.argv[-1] if len(sys.argv) > 1 else None
    with serving(backends_from(os.environ), address) as port:
        print(port, flush=True)  # noqa: T201 - the protocol between the engine and a plugin
        done.wait()


def _lifecycles(backends: OpshubBackends) -> Mapping[str, Lifecycle[Any]]:
    all_types: tuple[Lifecycle[Any], ...] = (
        Lifecycle(FlagHandler(backends.flagsmith)),
        Lifecycle(MigrationHandler(backends.database_url)),
    )
    return {one.token: one for one in all_types}
