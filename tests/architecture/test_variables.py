"""What the code asks the environment for, the workflow gives and the documentation names."""

from __future__ import annotations

import re

import yaml

from tests.support.files import ROOT, project_files

_ASKED = re.compile(r"""\.(?:need|get)\(\s*f?["'](COH_[A-Z_]+)""")
_NAME = re.compile(r"COH_[A-Z]+(?:_[A-Z]+)*")
BY_SETUP = {"COH_OPA", "COH_PULUMI", "COH_VENV"}
"""Exported by scripts/setup."""

BY_GITHUB = {"COH_GITHUB_API", "COH_GITHUB_REPOSITORY"}
"""GitHub Actions gives the same under its own names."""

BY_OPTION = {"COH_CHECKOUT", "COH_STATE_DIR", "COH_SANDBOX"}
"""The workflows say --checkout; they never act on a sandbox."""


def asked() -> set[str]:
    """Names, or beginnings of names such as COH_FLAGSMITH_KEY_, in the code."""
    sources = project_files("ops_actions/*.py", "infra/*.py")
    return {name for path in sources for name in _ASKED.findall(path.read_text("utf-8"))}


def given() -> set[str]:
    """Names that the step which applies gets in apply.yml."""
    text = (ROOT / ".github" / "workflows" / "apply.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["apply"]["steps"]
    (env,) = (step["env"] for step in steps if step["name"] == "Apply the merged commit")
    return {name for name in env if name.startswith("COH_")}


def test_the_workflow_gives_what_the_code_asks_for() -> None:
    wanted = asked() - BY_SETUP - BY_GITHUB - BY_OPTION
    assert len(wanted) > 10
    assert [name for name in sorted(wanted) if not any(g.startswith(name) for g in given())] == []


def test_the_workflow_gives_nothing_that_nobody_asks_for() -> None:
    wanted = tuple(name for name in asked() if name.endswith("_"))
    known = asked()
    extra = [name for name in given() if name not in known and not name.startswith(wanted)]
    assert extra == []


def test_every_variable_is_documented() -> None:
    """Abbreviated as `COH_…_PRODUCTION` (`_STAGING`) where a row names several."""
    text = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    named = set(_NAME.findall(text))
    endings = set(re.findall(r"`(_[A-Z]+)`", text))
    missing = [
        name
        for name in sorted(given())
        if name not in named and name[name.rindex("_") :] not in endings
    ]
    assert missing == []
