"""What can't be read, and arguments that can't be understood, are refused at the desk."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from infra.settings.edit import set_flag
from tests.stories.desk import FLAGS, NOTED, Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated

WRONG = (
    b"  ops_module_new:\n    enabled: false\n    type: release\n    owner: platform\n"
    b"    ownr: growth\n    expires: 2027-03-01\n    reason: New\n"
)
"""A flag with a key that is not known."""


@pytest.fixture(scope="module")
def clone(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone") / "hub"
    source = desk.hub.running.values["COH_CHECKOUT"]
    subprocess.run(["git", "clone", "--quiet", source, str(folder)], check=True)
    return folder


def _commit(clone: Path, change: Callable[[bytes], bytes]) -> bytes:
    """Commit other flags on top of what was cloned, and return them."""
    git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@clarivum.example"]
    subprocess.run([*git, "reset", "--quiet", "--hard", "origin/main"], check=True)
    data = change((clone / FLAGS).read_bytes())
    (clone / FLAGS).write_bytes(data)
    subprocess.run([*git, "commit", "--quiet", "-a", "-m", "Try"], check=True)
    return data


@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_commit_that_can_not_be_read_is_refused_at_the_desk(
    desk: Desk, clone: Path, command: str
) -> None:
    data = _commit(clone, lambda flags: flags + WRONG)
    line = data[: data.index(b"ownr")].count(b"\n") + 1

    ran = desk.hub.quietly(command, "--checkout", str(clone))

    assert ran.code == 2
    assert ran.out == ""
    assert f"declared.invalid: {FLAGS}:{line}:" in ran.err
    assert "ownr" in ran.err
    assert "next: " in ran.err


def test_somebody_unknown_is_told_so_before_raising(desk: Desk, clone: Path) -> None:
    _commit(clone, lambda flags: set_flag(flags, NOTED, reason="Who am I"))

    ran = desk.hub.quietly("check", "--as", "nobody", "--checkout", str(clone), "--json")

    assert ran.code == 1
    codes = {one["code"] for one in ran.items("checks")[0]["violations"]}
    assert "identity.author_role" in codes


ROLLBACK = ("action", "run", "deployment.rollback", "--target", "clarivum-web", "--reason", "x")
PARAMS = ("-p", "to=dpl_9f2", "-p", "expect_current=dpl_a17")
PRODUCTION = ("--env", "production")

COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown environment": (("flag", "list", "--env", "prod"), "production"),
    "unknown environment of an action": ((*ROLLBACK, "--env", "prod", *PARAMS), "production"),
    "unknown flag": (
        ("flag", "disable", "ops_module_webhook", *PRODUCTION, "--reason", "x"),
        "did you mean ops_module_webhooks",
    ),
    "flag that is so already": (
        ("flag", "enable", "ops_module_webhooks", *PRODUCTION, "--reason", "x"),
        "flag.no_change",
    ),
    "look-alike in a flag's name": (
        ("flag", "disable", "ops_m\u043edule_webhooks", *PRODUCTION, "--reason", "x"),
        "flag.unknown",
    ),
    "look-alike in a new flag": (
        (
            *("flag", "set", "ops_m\u043edule_new", *PRODUCTION, "--reason", "x"),
            *("--type", "release", "--owner", "platform", "--expires", "2027-03-01"),
        ),
        "U+043E",
    ),
    "unknown action": (
        ("action", "run", "deployment.rolback", *PRODUCTION, "--target", "x", "--reason", "x"),
        "deployment.rollback",
    ),
    "param without a value": ((*ROLLBACK, *PRODUCTION, "-p", "to"), "request.params"),
    "param given twice": ((*ROLLBACK, *PRODUCTION, *PARAMS, "-p", "to=dpl_1"), "request.params"),
    "unknown param": ((*ROLLBACK, *PRODUCTION, *PARAMS, "-p", "force=yes"), "force"),
    "missing param": ((*ROLLBACK, *PRODUCTION, "-p", "to=dpl_9f2"), "expect_current"),
    "empty reason": (
        ("flag", "disable", "ops_module_webhooks", *PRODUCTION, "--reason", " "),
        "reason",
    ),
    "address in a reason": (
        ("flag", "disable", "ops_module_webhooks", *PRODUCTION, "--reason", "ask a@b.example"),
        "request.personal_data",
    ),
    "ticket of another form": (
        (
            *("flag", "disable", "ops_module_webhooks", *PRODUCTION, "--reason", "x"),
            *("--ticket", "see mail"),
        ),
        "ticket",
    ),
    "confirm that is not the target": (
        (*ROLLBACK, *PRODUCTION, *PARAMS, "--confirm", "clarivum-wep"),
        "clarivum-wep",
    ),
    "destructive action without confirm": ((*ROLLBACK, *PRODUCTION, *PARAMS), "--confirm"),
    "pull request that does not exist": (("check", "--pr", "99999"), "github.not_found"),
    "commit that does not exist": (("apply", "--commit", "nothing"), "change.unknown_commit"),
    "rule that does not exist": (("explain", "change.aprovals"), "change.approvals"),
    "settle without a reason": (("reconcile", "--settle", "0" * 40), "reconcile.reason_missing"),
    "settle of what holds no lock": (
        ("reconcile", "--settle", "0" * 40, "--reason", "x"),
        "change.unknown_commit",
    ),
    "missing option": (("flag", "disable", "ops_module_webhooks"), "--env"),
    "unknown option": (("flag", "list", *PRODUCTION, "--jsn"), "--jsn"),
    "number that is none": (("check", "--pr", "seven"), "--pr"),
}
"""Arguments, and what the refusal must say."""


@pytest.fixture(scope="module")
def ran(desk: Desk) -> dict[str, Any]:
    """Run all of them at once, one for each processor; they only read."""
    before = _everything(desk)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = {
            what: pool.submit(desk.hub.quietly, *arguments, by="tariq-noor")
            for what, (arguments, _) in COMMANDS.items()
        }
    return {"before": before, **{what: future.result() for what, future in done.items()}}


def _everything(desk: Desk) -> tuple[object, ...]:
    pulls = desk.api("tariq-noor", "GET", "pulls?state=all").json()
    refs = subprocess.run(
        ["git", "-C", desk.hub.running.values["COH_CHECKOUT"], "for-each-ref"],
        check=True,
        capture_output=True,
    ).stdout
    book = desk.hub.rows("select count(*) from ops_audit")
    return desk.writes(), [one["number"] for one in pulls], refs, book, desk.tools.book.cursor()


@pytest.mark.parametrize("what", COMMANDS)
def test_bad_arguments_are_refused(ran: dict[str, Any], what: str) -> None:
    found, word = ran[what], COMMANDS[what][1]

    assert found.code == 2, found.err + found.out
    assert word in found.err
    assert "next: " in found.err
    assert "Traceback" not in found.err
    assert found.out == ""


def test_bad_arguments_change_nothing(desk: Desk, ran: dict[str, Any]) -> None:
    assert _everything(desk) == ran["before"]
