from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.change.classify import classify, environment_of
from ops_actions.change.model import PathKind

D, R, G, T = PathKind.DECLARED, PathKind.REQUEST, PathKind.GUARDRAIL, PathKind.DOCUMENT

PATHS = [
    ("infra/environments/production/flags.yaml", D, "production"),
    ("infra/environments/sandbox/platform.yaml", D, "sandbox"),
    ("infra/environments/staging/access.yaml", G, "staging"),
    ("infra/environments/staging/other.yaml", G, "staging"),
    ("infra/environments/staging/flags.yml", G, "staging"),
    ("infra/environments/staging/flags.yaml.bak", G, "staging"),
    ("infra/environments/staging/Flags.yaml", G, "staging"),
    ("infra/environments/staging/deep/flags.yaml", G, "staging"),
    ("infra/environments/flags.yaml", G, ""),
    ("infra/environments/preview/flags.yaml", G, ""),
    ("infra/environments/Production/flags.yaml", G, ""),
    ("x/infra/environments/production/flags.yaml", G, ""),
    ("infra/environments/production", G, ""),
    ("infra/environments/production/", G, ""),
    ("ops_actions/requests/production/20261123-rollback-web.yaml", R, "production"),
    ("ops_actions/requests/production/anything.yaml", R, "production"),
    ("ops_actions/requests/production/20261123-rollback-web.yml", G, "production"),
    ("ops_actions/requests/production/deep/20261123-x.yaml", G, "production"),
    ("ops_actions/requests/preview/20261123-x.yaml", G, ""),
    ("ops_actions/requests/20261123-x.yaml", G, ""),
    ("ops_actions/requests/production/run.py", G, "production"),
    ("docs/runbook.md", T, ""),
    ("docs/adr/0001-x.md", T, ""),
    ("docs", G, ""),
    ("docs/", G, ""),
    ("Docs/runbook.md", G, ""),
    ("README.md", T, ""),
    ("LICENSE", T, ""),
    ("license", G, ""),
    ("LICENSE.txt", G, ""),
    ("policies/README.md", G, ""),
    ("README.md/x.py", G, ""),
    (".md", G, ""),
    ("policies/ops/main/main.rego", G, ""),
    (".github/workflows/apply.yml", G, ""),
    ("pyproject.toml", G, ""),
    ("", G, ""),
    ("/docs/x.md", G, ""),
    ("docs//x.md", G, ""),
    ("docs/../policies/x.rego", G, ""),
    ("docs/./x.md", G, ""),
    ("docs/x\\..\\y.md", G, ""),
    ("docs/x\n.md", G, ""),
    ("README.md\n", G, ""),
    ("infra/environments/production/flags.yaml\n", G, ""),
    ("infra/environments/production/../staging/flags.yaml", G, ""),
]


@pytest.mark.parametrize(("path", "kind", "environment"), PATHS, ids=[repr(p[0]) for p in PATHS])
def test_each_path_has_its_kind(path: str, kind: PathKind, environment: str) -> None:
    assert classify(path) is kind
    assert environment_of(path) == environment


@given(st.text(max_size=60))
def test_the_unknown_is_a_guardrail(path: str) -> None:
    documents = path.startswith("docs/") or path.endswith(".md") or path == "LICENSE"
    if not documents:
        assert classify(path) is PathKind.GUARDRAIL


@given(st.text(max_size=60))
def test_only_people_of_an_environment_are_guardrails_with_one(path: str) -> None:
    if classify(path) in (PathKind.DECLARED, PathKind.REQUEST):
        assert environment_of(path)
    if classify(path) is PathKind.DOCUMENT:
        assert not environment_of(path)
