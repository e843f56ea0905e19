"""Invariant 3: a policy engine that is dead, late, old or odd means no, and never for good."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.opa_eval import OpaEval
from ops_actions.errors import OutsideError
from ops_actions.flow.apply import apply_upto
from ops_actions.flow.check import check_pull_request
from ops_actions.wiring import place
from tests.stories.outages import coh, stopped, untouched

if TYPE_CHECKING:
    from ops_actions.canonical import Json
    from tests.stories.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


def _program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


class _Impatient:
    """The real engine with a deadline of half a second instead of thirty."""

    def __init__(self, binary: str) -> None:
        self._engine = OpaEval(Path(binary))

    def decide(self, bundle: Path, document: Json, timeout: float) -> Json:
        return self._engine.decide(bundle, document, min(timeout, 0.5))


def test_a_dead_engine_denies_a_check_and_stops_an_apply(
    desk: Desk, waiting: str, asked: int, tmp_path: Path
) -> None:
    dead = _program(tmp_path / "opa", "exit 1")

    checked = coh(desk, "check", "--pr", str(asked), "--json", COH_OPA=dead)

    assert checked.returncode == 1
    assert '"code": "engine.unavailable"' in checked.stdout
    assert "engine.failed" in checked.stdout
    assert desk.status(asked) == ("failure", "Refused: engine.unavailable")
    assert "coh doctor" in desk.card(asked)
    stopped(desk, waiting, "engine.unavailable", COH_OPA=dead)


def test_an_engine_that_is_not_there_denies_and_stops(
    desk: Desk, waiting: str, asked: int, tmp_path: Path
) -> None:
    gone = str(tmp_path / "gone")

    checked = coh(desk, "check", "--pr", str(asked), "--json", COH_OPA=gone)

    assert checked.returncode == 1
    assert "engine.missing" in checked.stdout
    stopped(desk, waiting, "engine.unavailable", COH_OPA=gone)


def test_an_engine_that_answers_nonsense_denies(desk: Desk, asked: int, tmp_path: Path) -> None:
    answer = '{"result": [{"expressions": [{"value": {"0": {"outcome": "allow"}}}]}]}'
    version = '[ "$1" = version ] && echo "Version: 1.22.2" && exit'
    forged = _program(tmp_path / "opa", f"{version}\ncat > /dev/null\necho '{answer}'")

    checked = coh(desk, "check", "--pr", str(asked), "--json", COH_OPA=forged)

    assert checked.returncode == 1
    assert '"outcome": "deny"' in checked.stdout
    assert '"code": "engine.schema"' in checked.stdout


def test_an_engine_of_a_wrong_version_denies_and_stops(
    desk: Desk, waiting: str, asked: int, tmp_path: Path
) -> None:
    real = os.environ["COH_OPA"]
    text = f'[ "$1" = version ] && echo "Version: 0.60.0" && exit\nexec "{real}" "$@"'
    old = _program(tmp_path / "opa", text)

    checked = coh(desk, "check", "--pr", str(asked), "--json", COH_OPA=old)

    assert checked.returncode == 1
    assert "engine.version: opa is 0.60" in checked.stdout
    assert desk.status(asked)[0] == "failure"
    stopped(desk, waiting, "engine.unavailable", COH_OPA=old)


def test_an_engine_that_hangs_denies_and_stops(
    desk: Desk, waiting: str, asked: int, tmp_path: Path
) -> None:
    engine = _Impatient(_program(tmp_path / "opa", "exec sleep 60"))
    checking = replace(desk.judge, engine=engine)
    applying = replace(desk.tools, judge=replace(desk.tools.judge, engine=engine))

    report = check_pull_request(checking, desk.tools.host, asked, place.now())
    with desk.nothing_done(), pytest.raises(OutsideError, match=r"engine\.unavailable") as found:
        apply_upto(applying, waiting, place.now())

    assert report.decision.outcome.value == "deny"
    assert "engine.late" in report.decision.violations[0].message
    assert desk.status(asked)[0] == "failure"
    assert found.value.exit_code == 3
    untouched(desk, waiting)


def test_the_change_is_applied_once_the_engine_is_back(desk: Desk, waiting: str) -> None:
    untouched(desk, waiting)

    assert desk.apply(waiting).status == "done"
