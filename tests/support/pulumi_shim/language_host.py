"""A stand-in for Pulumi's Python language host, which is not on any package index.

It runs the program of a project in this process through the SDK's own language server, so that
``pulumi up`` works in tests without the official install. It is on nobody's PATH but the tests'.
"""

from __future__ import annotations

import runpy
import signal
import sys
import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class LanguageHost(LanguageServer):
    """The SDK's server, with the program taken from the project's folder."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802, ARG002 - an RPC
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802 - an RPC
        main = Path(request.info.program_directory) / request.info.entry_point
        program = main / "__main__.py" if main.is_dir() else main

        def run() -> None:
            runpy.run_path(str(program), run_name="__main__")

        self.program = run
        request.args.append(sys.argv[-1])
        return super().Run(request, context)  # type: ignore[no-untyped-call] # the SDK's


def main() -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: done.set())
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201 - the plugin protocol
    server.start()
    done.wait()
    server.stop(0)


if __name__ == "__main__":
    main()
