from __future__ import annotations

from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import Untyped, World

LATER = "2099-01-01T00:00:00Z"


def app_session(world: World) -> Untyped:
    session = github3.GitHubEnterprise(world.url)
    session.session.app_installation_token_auth({"token": "t-bot", "expires_at": LATER})
    return session


def test_newest_status_of_a_context_counts(world: World) -> None:
    repo = world.repo("bot")
    for state, context in (("pending", "opa"), ("failure", "lint"), ("success", "opa")):
        repo.create_status(world.first, state, context=context, description=f"{context} {state}")
    combined = world.repo("bob").commit("main").status()
    assert (combined.state, combined.total_count) == ("failure", 2)
    assert {one.context: one.state for one in combined.statuses} == {
        "opa": "success",
        "lint": "failure",
    }
    listed = [(one.context, one.state) for one in world.repo("bob").commit("main").statuses()]
    assert listed == [("opa", "success"), ("lint", "failure"), ("opa", "pending")]


def test_without_any_status_the_commit_is_pending(world: World) -> None:
    combined = world.repo("bob").commit("main").status()
    assert (combined.state, combined.total_count) == ("pending", 0)


def test_reader_can_not_post_a_status(world: World) -> None:
    with pytest.raises(github3.exceptions.ForbiddenError):
        world.repo("reader").create_status(world.first, "success", context="opa")


def test_check_run_by_an_app(world: World) -> None:
    repo = app_session(world).repository("acme", "ops")
    output = {"title": "Plan", "summary": "1 change", "text": "digest"}
    run = repo.create_check_run("plan", world.first, status="in_progress", output=output)
    assert (run.status, run.conclusion, run.app.id) == ("in_progress", None, 77)
    assert run.update(conclusion="success", external_id="digest-1")
    found = list(world.repo("bob").commit("main").check_runs())
    assert [(one.name, one.conclusion, one.external_id) for one in found] == [
        ("plan", "success", "digest-1")
    ]
    assert found[0].output.summary == "1 change"
    assert found[0].completed_at is not None


def test_only_the_newest_run_of_a_name_is_listed(world: World) -> None:
    repo = app_session(world).repository("acme", "ops")
    for conclusion in ("failure", "success"):
        repo.create_check_run("plan", world.first, status="completed", conclusion=conclusion)
    session, url = world.session("bob"), world.at(f"/commits/{world.first}/check-runs")
    assert [one["conclusion"] for one in session.get(url).json()["check_runs"]] == ["success"]
    every = session.get(f"{url}?filter=all&check_name=plan&app_id=77").json()
    assert [one["conclusion"] for one in every["check_runs"]] == ["success", "failure"]
    assert session.get(f"{url}?app_id=78").json()["total_count"] == 0


def test_person_can_not_write_check_runs(world: World) -> None:
    body = {"name": "plan", "head_sha": world.first}
    answer = world.session("alice").post(world.at("/check-runs"), json=body)
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "You must authenticate via a GitHub App.",
    )
    with pytest.raises(github3.exceptions.MissingAppInstallationAuthentication):
        world.repo("alice").create_check_run("plan", world.first)


def test_completed_run_needs_a_conclusion(world: World) -> None:
    body = {"name": "plan", "head_sha": world.first, "status": "completed"}
    assert world.session("bot").post(world.at("/check-runs"), json=body).status_code == 422


def test_annotations(world: World) -> None:
    note = {
        "path": "infra/flags.yaml",
        "start_line": 2,
        "end_line": 2,
        "annotation_level": "failure",
        "message": "no owner",
    }
    repo = app_session(world).repository("acme", "ops")
    output = {"title": "x", "summary": "y", "annotations": [note]}
    run = repo.create_check_run("plan", world.first, output=output)
    assert run.output.annotations_count == 1
    assert [one.message for one in run.output.annotations()] == ["no owner"]
