"""One process with a durable runner, for tests that kill it.

    python dbos_child.py DATABASE_URL EXECUTOR WORLD COMMAND RUN_ID [POINT]

COMMAND is ``start`` or ``resume``. The run has three steps, each of which adds its name to the file
WORLD. The process kills itself at POINT: ``two:before`` its effect or ``two:after`` it, which is
before the step's record. It prints the run's result as JSON, or the error's class and code.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ops_actions.adapters.dbos_runner import DbosRunner
from ops_actions.errors import OpsError, OutsideError

if TYPE_CHECKING:
    from ops_actions.apply.protocol import StepRunner
    from ops_actions.canonical import Json

FAIL = "fail"
"""A payload that lets the run end with an error."""


def main(  # noqa: PLR0913, PLR0917 - the words of its command line
    url: str, executor: str, world: str, command: str, run_id: str, point: str = ""
) -> int:
    def die_at(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def body(payload: Json, run: str, step: StepRunner) -> Json:
        def work(name: str) -> Json:
            die_at(f"{name}:before")
            with Path(world).open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
            die_at(f"{name}:after")
            return f"{executor} did {name}"

        done = [step(name, lambda n=name: work(n)) for name in ("one", "two", "three")]  # type: ignore[misc]
        if payload == FAIL:
            raise OutsideError("outside.test", "it is down", "coh reconcile")
        return {"run": run, "payload": payload, "steps": done}

    runner = DbosRunner(url, executor, body)
    try:
        if command == "start":
            result = runner.start(run_id, os.environ.get("PAYLOAD", "p"))
        else:
            result = runner.resume(run_id)
        sys.stdout.write(json.dumps(result))
    except OpsError as error:
        sys.stdout.write(json.dumps({"error": type(error).__name__, "code": error.code}))
    finally:
        runner.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
