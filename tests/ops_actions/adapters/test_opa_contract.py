"""What every policy engine must do, asked of the program and of the server alike."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from ops_actions.adapters.opa_eval import OpaEval
from ops_actions.adapters.opa_server import OpaServer
from ops_actions.decision import decide, input_document
from ops_actions.decision.model import Outcome, PolicyEngine
from ops_actions.errors import OutsideError
from tests.ops_actions.adapters.opa_world import build, serving
from tests.policies.support import (
    MARA,
    POLICIES,
    SOFIA,
    approval,
    facts,
    flag,
    opa,
    plan,
    rollback,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class World(Protocol):
    """Opens an engine over policies."""

    def __call__(self, bundle: Path) -> AbstractContextManager[PolicyEngine]: ...


@contextmanager
def by_program(bundle: Path) -> Iterator[PolicyEngine]:
    assert bundle.is_dir()
    yield OpaEval(opa())


@pytest.fixture(params=["program", "server"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    @contextmanager
    def by_server(bundle: Path) -> Iterator[PolicyEngine]:
        with serving(build(bundle, tmp_path / "bundle.tar.gz")) as url:
            yield OpaServer(url)

    return by_program if request.param == "program" else by_server


@pytest.fixture
def policies(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a policy folder of one rule file."""

    def make(rego: str) -> Path:
        folder = tmp_path / "own"
        folder.mkdir()
        (folder / "main.rego").write_text(rego, encoding="utf-8")
        (folder / ".manifest").write_bytes((POLICIES / ".manifest").read_bytes())
        (folder / "capabilities.json").write_bytes((POLICIES / "capabilities.json").read_bytes())
        return folder

    return make


def test_the_answers_are_the_policies(world: World) -> None:
    with world(POLICIES) as engine:
        for asked, known, outcome in [
            (plan(flag()), facts(approval(SOFIA)), Outcome.ALLOW),
            (plan(flag()), facts(), Outcome.NEEDS_APPROVAL),
            (plan(rollback()), facts(approval(MARA)), Outcome.ALLOW),
            (plan(replace(flag(), target="webhooks")), facts(approval(MARA)), Outcome.DENY),
            (plan(flag(), flag("ops_module_b")), facts(approval(MARA)), Outcome.ALLOW),
        ]:
            decision = decide(engine, POLICIES, asked, known)
            assert decision.outcome is outcome, decision.violations


def test_both_say_word_for_word_the_same(tmp_path: Path) -> None:
    document = input_document(plan(rollback(), replace(flag(), target="webhooks")), facts())
    with serving(build(POLICIES, tmp_path / "bundle.tar.gz")) as url:
        served = OpaServer(url).decide(POLICIES, document, 30.0)
    evaluated = OpaEval(opa()).decide(POLICIES, document, 30.0)
    assert evaluated == served
    assert "METADATA" not in str(served)
    assert "the gate" in str(evaluated) or "webhooks" in str(evaluated)


def test_undefined_is_none(world: World, policies: Callable[[str], Path]) -> None:
    bundle = policies("package ops.main\n\nother := 1\n")
    with world(bundle) as engine:
        assert engine.decide(bundle, {"changes": []}, 30.0) is None


def test_false_and_empty_are_what_they_are(world: World, policies: Callable[[str], Path]) -> None:
    bundle = policies("package ops.main\n\ndecisions := input.changes\n")
    with world(bundle) as engine:
        assert engine.decide(bundle, {"changes": {}}, 30.0) == {}
        assert engine.decide(bundle, {"changes": False}, 30.0) is False


def test_a_builtin_that_fails_fails_the_question(
    world: World, policies: Callable[[str], Path]
) -> None:
    bundle = policies(
        "package ops.main\n\ndecisions := {} if time.parse_rfc3339_ns(input.now) > 0\n"
    )
    with world(bundle) as engine:
        with pytest.raises(OutsideError, match=r"engine\.(failed|policies)") as caught:
            engine.decide(bundle, {"now": "secret-word"}, 30.0)
        assert "secret-word" not in str(caught.value)


def test_rules_that_contradict_fail_the_question(
    world: World, policies: Callable[[str], Path]
) -> None:
    bundle = policies("package ops.main\n\ndecisions := input.a\n\ndecisions := input.b\n")
    with world(bundle) as engine, pytest.raises(OutsideError, match=r"engine\.(failed|policies)"):
        engine.decide(bundle, {"a": 1, "b": 2}, 30.0)


def test_an_answer_that_never_comes_is_late(world: World, policies: Callable[[str], Path]) -> None:
    bundle = policies(
        "package ops.main\n\n"
        "_many := numbers.range(1, 4000)\n\n"
        "decisions := count([1 | some a in _many; some b in _many; some c in _many; a + b == c])\n"
    )
    with world(bundle) as engine, pytest.raises(OutsideError, match=r"engine\.(late|failed)"):
        engine.decide(bundle, {}, 0.5)


def test_a_test_file_of_the_policies_judges_nothing(
    world: World, policies: Callable[[str], Path]
) -> None:
    bundle = policies("package ops.main\n\ndecisions contains 1\n")
    (bundle / "main_test.rego").write_text("package ops.main\n\ndecisions contains 2\n")
    with world(bundle) as engine:
        assert engine.decide(bundle, {}, 30.0) == [1]
