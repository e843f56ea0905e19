"""A request stays in its environment: what is there is said by the commit that judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.settings.environment import ENVIRONMENTS, file_of
from ops_actions.errors import BadRequestError
from ops_actions.plan.build import build_plan
from ops_actions.plan.model import Verb
from tests.ops_actions.plan.plan_world import POLICIES, READ, change_of, change_set

if TYPE_CHECKING:
    from ops_actions.change.model import FileChange
    from ops_actions.plan.model import Plan
    from ops_actions.plan.place import ReadBase

PRODUCTION = "clarivum-web"
PROJECTS = {
    "sandbox": "clarivum-web-sandbox",
    "staging": "clarivum-web-staging",
    "production": PRODUCTION,
}
ASKED = """action: deployment.rollback
target: {0}
params: {{to: dpl_9f2, expect_current: dpl_a17}}
reason: Error rate 7 %
not_after: 2026-11-23T18:00:00Z
confirm: {0}
"""


def requested(environment: str, target: str) -> FileChange:
    path = f"ops_actions/requests/{environment}/20261123-rollback-web.yaml"
    return change_of(path, None, ASKED.format(target))


def platform(environment: str) -> str:
    data = READ(file_of(environment, "platform"))
    assert data is not None
    return data.decode()


def with_platform(environment: str, text: str | None) -> ReadBase:
    """Read this checkout, but for one platform file."""
    path = file_of(environment, "platform")
    data = None if text is None else text.encode()
    return lambda asked: data if asked == path else READ(asked)


def planned(*files: FileChange, read: ReadBase = READ) -> Plan:
    return build_plan(change_set(*files), POLICIES, read)


def refused(*files: FileChange, read: ReadBase = READ) -> BadRequestError:
    with pytest.raises(BadRequestError) as caught:
        planned(*files, read=read)
    return caught.value


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_request_is_for_the_project_of_its_environment(environment: str) -> None:
    own = PROJECTS[environment]
    (change,) = planned(requested(environment, own)).changes
    assert (change.environment, change.target) == (environment, own)


@pytest.mark.parametrize(
    ("environment", "target"),
    [
        (environment, target)
        for environment, own in PROJECTS.items()
        for target in (*PROJECTS.values(), "prj_clarivumweb", "elsewhere")
        if target != own
    ],
)
def test_any_other_project_is_refused_with_what_to_write(environment: str, target: str) -> None:
    own = PROJECTS[environment]
    file = requested(environment, target)
    error = refused(file)
    assert error.code == "request.wrong_target"
    assert error.fact == (
        f"{file.path}:2: {target} is not the Vercel project of {environment}; "
        f"{file_of(environment, 'platform')} names {own} at the commit that judges this"
    )
    assert error.next_step.startswith(f"write target: {own}, or ask in the folder of")


def test_a_request_that_is_edited_is_held_to_it_too_and_one_taken_out_moves_nothing() -> None:
    path = "ops_actions/requests/staging/20261123-rollback-web.yaml"
    good, bad = (ASKED.format(target) for target in (PROJECTS["staging"], PRODUCTION))
    assert refused(change_of(path, good, bad)).code == "request.wrong_target"
    (change,) = planned(change_of(path, bad, None)).changes
    assert (change.verb, change.after) == (Verb.DELETE, None)


def test_a_request_can_not_bring_its_platform_along() -> None:
    path = file_of("staging", "platform")
    mine = platform("staging").replace("clarivum-web-staging", "clarivum-api")
    error = refused(
        change_of(path, platform("staging"), mine), requested("staging", "clarivum-api")
    )
    assert error.code == "request.wrong_target"


def test_when_two_environments_share_a_project_nobody_knows_whose_it_is() -> None:
    both = platform("staging").replace("clarivum-web-staging", PRODUCTION)
    for environment in ENVIRONMENTS:
        error = refused(requested(environment, PRODUCTION), read=with_platform("staging", both))
        assert error.code == "declared.invalid"
        assert error.fact.startswith(f"{file_of('staging', 'platform')}:5: vercel.project names")


@pytest.mark.parametrize("text", [None, "vercel: [\n"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_without_a_platform_file_that_can_be_read_nothing_is_asked_for(
    environment: str, text: str | None
) -> None:
    error = refused(requested("production", PRODUCTION), read=with_platform(environment, text))
    assert error.code == "declared.invalid"
    assert file_of(environment, "platform") in error.fact


@pytest.mark.parametrize(
    ("now", "other"),
    [
        ("clarivum-web-staging", PRODUCTION),
        ("clarivum-web-staging", "prj_clarivumweb"),
        ("prj_clarivumwebstaging", "prj_clarivumweb"),
        ("ops-staging.clarivum.example", "ops.clarivum.example"),
        ("ops-staging-preview.clarivum.example", "ops.clarivum.example"),
    ],
)
def test_a_platform_file_can_not_take_what_another_environment_has(now: str, other: str) -> None:
    path, before = file_of("staging", "platform"), platform("staging")
    after = before.replace(f": {now}\n", f": {other}\n")
    assert after != before
    line = before[: before.index(f": {now}\n")].count("\n") + 1
    error = refused(change_of(path, before, after))
    assert error.code == "declared.invalid"
    assert error.fact.startswith(f"{path}:{line}: vercel.")
    assert other not in error.fact  # a value may be a secret in the wrong place


def test_a_platform_file_that_leaves_takes_no_name_with_it() -> None:
    path = file_of("production", "platform")
    error = refused(change_of(path, platform("production"), None))
    assert error.fact == f"{path}:1: the file is missing"


def test_environments_that_share_a_project_can_be_taken_apart_again() -> None:
    path = file_of("staging", "platform")
    both = platform("staging").replace("clarivum-web-staging", PRODUCTION)
    read = with_platform("staging", both)
    (change,) = planned(change_of(path, both, platform("staging")), read=read).changes
    assert change.target == "vercel"
    (mended,) = planned(
        change_of(path, "vercel: [", platform("staging")), read=with_platform("staging", "x")
    ).changes
    assert mended.target == path
