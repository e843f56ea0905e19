from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ops_actions.adapters.dbos_runner import DbosRunner
from ops_actions.apply.protocol import OpenRun
from ops_actions.errors import OutsideError
from tests.ops_actions.adapters.dbos_child import FAIL
from tests.support.files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.apply.protocol import StepRunner
    from ops_actions.canonical import Json

COMMIT = "c" * 40
RUN = f"{COMMIT}#1"


@dataclass(frozen=True)
class World:
    """What the runs of a test do, in processes that may be killed."""

    url: str
    file: Path

    def child(
        self, executor: str, command: str, run: str, point: str = "", payload: str = "p"
    ) -> Any:  # noqa: ANN401 - a JSON value
        """Run a process; returns what the run gave, None when the process was killed."""
        done = subprocess.run(
            [
                sys.executable,
                str(Path(__file__).with_name("dbos_child.py")),
                *(self.url, executor, str(self.file), command, run, point),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PAYLOAD": payload},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @property
    def effects(self) -> list[str]:
        """What was done to the outside, in order."""
        return self.file.read_text(encoding="utf-8").split() if self.file.exists() else []


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> World:
    return World(database_url, tmp_path / "world")


def nothing(_payload: Json, _run: str, _step: StepRunner) -> Json:
    return None


@pytest.fixture
def observer(world: World) -> Iterator[DbosRunner]:
    """A living process that looks on."""
    runner = DbosRunner(world.url, "observer", nothing)
    yield runner
    runner.close()


def test_a_run_gives_its_result_and_a_name_is_used_once(world: World, observer: DbosRunner) -> None:
    first = world.child("a", "start", RUN)
    again = world.child("b", "start", RUN)
    assert first == again
    assert first["steps"] == ["a did one", "a did two", "a did three"]
    assert world.effects == ["one", "two", "three"]
    assert observer.open_runs() == ()


@pytest.mark.parametrize(
    ("point", "effects"),
    [
        ("two:before", ["one", "two", "three"]),
        # The one step whose record is missing runs again: so a step must read before it acts.
        ("two:after", ["one", "two", "two", "three"]),
    ],
)
def test_a_killed_run_goes_on_in_another_process_at_its_last_recorded_step(
    world: World, observer: DbosRunner, point: str, effects: list[str]
) -> None:
    assert world.child("a", "start", RUN, point) is None
    assert observer.open_runs() == (OpenRun(RUN, "a"),)
    resumed = world.child("b", "resume", RUN)
    assert resumed["steps"] == ["a did one", "b did two", "b did three"]
    assert resumed["payload"] == "p"
    assert world.effects == effects
    assert observer.open_runs() == ()


def test_a_resuming_process_may_be_killed_too(world: World, observer: DbosRunner) -> None:
    assert world.child("a", "start", RUN, "one:after") is None
    assert world.child("b", "resume", RUN, "three:before") is None
    assert [run.run_id for run in observer.open_runs()] == [RUN]
    assert world.child("c", "resume", RUN)["steps"][2] == "c did three"
    assert world.effects == ["one", "one", "two", "three"]


def test_a_run_is_resumed_only_by_the_process_that_asks(world: World, observer: DbosRunner) -> None:
    # The observer is another living worker; it neither takes the run nor answers for it.
    assert world.child("a", "start", RUN, "two:before") is None
    for number in range(3):
        assert world.child(f"b{number}", "start", f"{COMMIT}#{number + 2}") is not None
    assert observer.open_runs() == (OpenRun(RUN, "a"),)
    assert world.child("c", "resume", RUN)["steps"] == ["a did one", "c did two", "c did three"]


def test_an_abandoned_run_is_over(world: World, observer: DbosRunner) -> None:
    assert world.child("a", "start", RUN, "one:before") is None
    observer.abandon(RUN)
    assert observer.open_runs() == ()
    assert world.effects == []
    assert observer.attempts(COMMIT) == 1


def test_attempts_count_every_run_of_a_change_and_of_no_other(
    world: World, observer: DbosRunner
) -> None:
    assert observer.attempts(COMMIT) == 0
    assert world.child("a", "start", RUN) is not None
    assert world.child("a", "start", f"{COMMIT}#2", "two:after") is None
    assert world.child("a", "start", f"{'d' * 40}#1") is not None
    assert observer.attempts(COMMIT) == 2


def test_what_a_run_raises_is_raised_whether_started_or_resumed(
    world: World, observer: DbosRunner
) -> None:
    expected = {"error": "OutsideError", "code": "outside.test"}
    assert world.child("a", "start", RUN, payload=FAIL) == expected
    second = f"{COMMIT}#2"
    assert world.child("a", "start", second, "two:after", payload=FAIL) is None
    assert world.child("b", "resume", second) == expected
    assert observer.open_runs() == ()


def test_an_unreachable_database_is_an_outside_failure() -> None:
    with pytest.raises(OutsideError, match=r"database\.unreachable") as caught:
        DbosRunner("postgresql://ops:canary-word@127.0.0.1:1/ops", "a", nothing)
    assert "canary-word" not in str(caught.value)
