from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.opa_eval import FORBIDDEN, OpaEval
from ops_actions.errors import OutsideError
from tests.policies.support import POLICIES, opa, run_opa

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, script: str) -> Path:
    """A program that is not OPA."""
    path = folder / "opa"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def code_of(engine: OpaEval, bundle: Path = POLICIES, timeout: float = 30.0) -> str:
    with pytest.raises(OutsideError) as caught:
        engine.decide(bundle, {"changes": []}, timeout)
    assert caught.value.next_step
    return caught.value.code


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    assert code_of(OpaEval(tmp_path / "opa")) == "engine.missing"
    (tmp_path / "opa").write_text("no program")
    assert code_of(OpaEval(tmp_path / "opa")) == "engine.missing"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ('[ "$1" = version ] && echo "Version: 1.3.9" || echo "{}"', "engine.version"),
        ('[ "$1" = version ] && echo "Version: 2.0.0" || echo "{}"', "engine.version"),
        ('[ "$1" = version ] && echo "hello" || echo "{}"', "engine.version"),
        ('[ "$1" = version ] && echo "Version: 1.4.0" || echo "{"', "engine.garbled"),
        ('[ "$1" = version ] && echo "Version: 1.4.0" || echo "[]"', "engine.garbled"),
        (
            '[ "$1" = version ] && echo "Version: 1.4.0" || echo \'{"result": []}\'',
            "engine.garbled",
        ),
        (
            '[ "$1" = version ] && echo "Version: 1.4.0" || echo \'{"errors": [{}]}\'',
            "engine.failed",
        ),
        ('[ "$1" = version ] && echo "Version: 1.4.0" || exit 3', "engine.failed"),
        ('[ "$1" = version ] && echo "Version: 1.4.0" || kill -9 $$', "engine.failed"),
    ],
)
def test_a_program_that_answers_nonsense(tmp_path: Path, script: str, code: str) -> None:
    assert code_of(OpaEval(program(tmp_path, script))) == code


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    hanging = program(tmp_path, f"echo $$ >> {ids}; exec sleep 600")
    assert code_of(OpaEval(hanging), timeout=0.5) == "engine.late"
    for process in map(int, ids.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_the_version_is_asked_once(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f'echo "$1" >> {seen}; exec {opa()} "$@"'
    engine = OpaEval(program(tmp_path, script))
    for _ in range(3):
        assert engine.decide(POLICIES, {"changes": []}, 30.0) == {}
    assert sorted(seen.read_text().split()) == ["eval", "eval", "eval", "version"]


def test_the_program_sees_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COH_SECRET", "canary")
    seen = tmp_path / "seen"
    engine = OpaEval(program(tmp_path, f'/usr/bin/env > {seen}; exec {opa()} "$@"'))
    engine.decide(POLICIES, {"changes": []}, 30.0)
    assert "COH_SECRET" not in seen.read_text()


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_functions_that_reach_out_are_refused(tmp_path: Path, name: str) -> None:
    listed = json.loads((POLICIES / "capabilities.json").read_bytes())
    assert name not in {builtin["name"] for builtin in listed["builtins"]}
    listed["builtins"].append({"name": name})
    (tmp_path / "capabilities.json").write_text(json.dumps(listed))
    assert code_of(OpaEval(opa()), tmp_path) == "engine.capabilities"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"builtins": [], "allow_net": ["x"]}', '{"builtins": []}']
)
def test_capabilities_that_are_odd_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "capabilities.json").write_text(text)
    assert code_of(OpaEval(opa()), tmp_path) == "engine.capabilities"


def test_capabilities_that_are_missing_are_refused(tmp_path: Path) -> None:
    assert code_of(OpaEval(opa()), tmp_path) == "engine.capabilities"


def test_a_policy_cannot_reach_out(tmp_path: Path) -> None:
    bundle = shutil.copytree(POLICIES, tmp_path / "policies")
    (bundle / "ops/lib/out.rego").write_text("package ops.lib.out\n\nx := time.now_ns()\n")
    assert code_of(OpaEval(opa()), bundle) == "engine.policies"


def test_policies_are_compiled_in_strict_mode(tmp_path: Path) -> None:
    bundle = shutil.copytree(POLICIES, tmp_path / "policies")
    text = "package ops.lib.out\n\nimport data.ops.lib.shape\n\nx := 1\n"
    (bundle / "ops/lib/out.rego").write_text(text)
    assert code_of(OpaEval(opa()), bundle) == "engine.policies"


def test_capabilities_that_opa_can_not_read(tmp_path: Path) -> None:
    bundle = shutil.copytree(POLICIES, tmp_path / "policies")
    odd = {"builtins": [{"name": "plus", "decl": 7}], "allow_net": []}
    (bundle / "capabilities.json").write_text(json.dumps(odd))
    assert code_of(OpaEval(opa()), bundle) == "engine.capabilities"


def test_a_question_that_opa_itself_ends_is_late(tmp_path: Path) -> None:
    answer = json.dumps({"errors": [{"code": "eval_cancel_error", "message": "caller cancelled"}]})
    script = f"[ \"$1\" = version ] && echo 'Version: 1.4.0' && exit\necho '{answer}'\nexit 2"
    assert code_of(OpaEval(program(tmp_path, script))) == "engine.late"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("ops/lib/bad.rego", "package ops.lib.bad\n\nx {", "rego_parse_error at policies/ops/lib/"),
        (
            "config/owners/data.yaml",
            "- [canary\n",
            "policies/config/owners/data.yaml can't be read",
        ),
        (".manifest", "{canary", "manifest can't be read"),
    ],
)
def test_what_can_not_be_loaded_is_named(tmp_path: Path, path: str, text: str, said: str) -> None:
    bundle = shutil.copytree(POLICIES, tmp_path / "policies")
    (bundle / path).write_text(text)
    with pytest.raises(OutsideError) as caught:
        OpaEval(opa()).decide(bundle, {}, 30.0)
    assert caught.value.code == "engine.policies"
    assert said in caught.value.fact
    assert str(tmp_path) not in caught.value.fact
    assert "canary" not in caught.value.fact


def test_the_list_of_forbidden_functions_is_complete() -> None:
    """OPA marks what is not a function of its arguments; no such name may be listed."""
    known = json.loads(run_opa("capabilities", "--current").stdout)["builtins"]
    marked = {builtin["name"] for builtin in known if builtin.get("nondeterministic")}
    assert marked
    assert marked <= FORBIDDEN


def test_a_reason_names_kind_and_place_only(tmp_path: Path) -> None:
    bundle = shutil.copytree(POLICIES, tmp_path / "policies")
    (bundle / "ops/lib/bad.rego").write_text("package ops.lib.bad\n\nx := canary_word\n")
    with pytest.raises(OutsideError) as caught:
        OpaEval(opa()).decide(bundle, {}, 30.0)
    assert "bad.rego:3" in caught.value.fact
    assert "canary" not in caught.value.fact
