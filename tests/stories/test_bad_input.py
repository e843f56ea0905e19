"""What can't be read is refused with file and line, on the pull request and at the desk."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from infra.settings.edit import set_flag
from ops_actions.decision.model import Outcome
from ops_actions.errors import BadRequestError
from tests.stories.desk import FLAGS, NOTED, Desk, seated
from tests.support.hub import COLLEAGUE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.hub import Hub

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated

REQUESTS = "ops_actions/requests/production"
REQUEST = f"{REQUESTS}/20261124-try.yaml"
GOOD = b"""\
action: deployment.rollback
target: clarivum-web
params: {to: dpl_9f2, expect_current: dpl_a17}
reason: Error rate 7 %
not_after: 2026-11-24T18:00:00Z
confirm: clarivum-web
"""
FLAG = b"  ops_module_new:\n    enabled: false\n    type: release\n    owner: platform\n"
END = b"    expires: 2027-03-01\n    reason: New\n"

FLAG_FILES: dict[str, tuple[bytes, str]] = {
    "duplicate key": (FLAG + b"    owner: growth\n" + END, "duplicate"),
    "duplicate flag": (FLAG + END + FLAG + END, "duplicate"),
    "unknown key": (FLAG + b"    ownr: growth\n" + END, "ownr"),
    "anchor": (FLAG.replace(b"false", b"&off false") + END, "anchor"),
    "alias": (FLAG.replace(b"false", b"*off") + END, "alias"),
    "tab": (FLAG + b"\texpires: 2027-03-01\n    reason: New\n", "tab"),
    "wrong type": (FLAG.replace(b"false", b'"off"') + END, "enabled"),
    "look-alike": (FLAG.replace(b"module", "m\u043edule".encode()) + END, "U+043E"),
    "hidden character": (FLAG + END.replace(b"New", "New\u202e".encode()), "U+202E"),
    "not YAML": (FLAG + END + b"  [\n", "YAML"),
}
"""What is put behind the flags of production, and a word that the refusal must hold."""

REQUEST_FILES: dict[str, tuple[bytes, str, str]] = {
    "1 MB": (GOOD + b"# " + b"x" * 1_048_576 + b"\n", "request.invalid", "the limit is 1048576"),
    "unknown key": (GOOD + b"force: true\n", "request.invalid", "force"),
    "unknown action": (
        GOOD.replace(b"deployment.rollback", b"deployment.rolback"),
        "request.unknown_action",
        "rolback",
    ),
    "unknown parameter": (GOOD.replace(b"to:", b"into:"), "request.params", "into"),
    "missing parameter": (GOOD.replace(b"to: dpl_9f2, ", b""), "request.params", "to"),
    "wrong parameter": (GOOD.replace(b"dpl_9f2", b"9f2"), "request.params", "to"),
    "bad target": (GOOD.replace(b"clarivum-web", b"Clarivum/Web"), "request.target", "target"),
    "bad moment": (GOOD.replace(b"18:00:00Z", b"18:00:00"), "request.invalid", "not_after"),
    "no reason": (GOOD.replace(b"reason: Error rate 7 %\n", b""), "request.invalid", "reason"),
}


@pytest.fixture(scope="module")
def desk(shared_hub: Hub) -> Iterator[Desk]:
    with seated(shared_hub) as opened:
        yield opened


def _refused(desk: Desk, number: int, path: str) -> BadRequestError:
    with desk.nothing_done(), pytest.raises(BadRequestError) as found:
        desk.check(number)
    error = found.value
    assert f"{path}:" in error.fact
    assert error.fact.partition(f"{path}:")[2].partition(":")[0].isdigit()
    assert desk.status(number) == ("failure", error.code)
    card = desk.card(number)
    assert "can't be read" in card
    assert error.code in card
    assert "What to do" in card
    return error


@pytest.mark.parametrize("what", FLAG_FILES)
def test_flags_that_can_not_be_read_are_refused_on_the_pull_request(desk: Desk, what: str) -> None:
    added, word = FLAG_FILES[what]
    number = desk.raise_files({FLAGS: desk.read(FLAGS) + added})

    error = _refused(desk, number, FLAGS)

    assert error.code == "declared.invalid"
    assert word.lower() in (error.fact + error.next_step).lower()


@pytest.mark.parametrize("what", REQUEST_FILES)
def test_requests_that_can_not_be_read_are_refused_on_the_pull_request(
    desk: Desk, what: str
) -> None:
    data, code, word = REQUEST_FILES[what]
    number = desk.raise_files({REQUEST: data})

    error = _refused(desk, number, REQUEST)

    assert error.code == code
    assert word in error.fact


def test_a_request_by_a_wrong_name_is_refused(desk: Desk) -> None:
    number = desk.raise_files({f"{REQUESTS}/rollback.yaml": GOOD})

    assert _refused(desk, number, f"{REQUESTS}/rollback.yaml").code == "request.file_name"


def test_an_environment_that_does_not_exist_is_a_guardrail(desk: Desk) -> None:
    """Nothing is planned in it, and an editor can't wave it through."""
    path = "infra/environments/prod/flags.yaml"
    number = desk.raise_files({path: desk.read(FLAGS)})
    desk.hub.approve(number, COLLEAGUE)

    report = desk.check(number)

    assert report.plan.environments == ()
    assert [need.role for need in report.decision.approvals] == ["ops_admin"]
    assert report.decision.outcome is Outcome.NEEDS_APPROVAL


def test_a_link_in_place_of_a_file_is_refused(desk: Desk) -> None:
    number = desk.note("Will be a link")
    view = desk.tools.host.pull_request(number)
    blob = desk.api(COLLEAGUE, "POST", "git/blobs", {"content": "access.yaml"}).json()["sha"]
    entry = {"path": FLAGS, "mode": "120000", "type": "blob", "sha": blob}
    tree = desk.api(COLLEAGUE, "POST", "git/trees", {"base_tree": view.head, "tree": [entry]})
    body = {"message": "Link", "tree": tree.json()["sha"], "parents": [view.head]}
    made = desk.api(COLLEAGUE, "POST", "git/commits", body).raise_for_status().json()["sha"]
    moved = desk.api(COLLEAGUE, "PATCH", f"git/refs/heads/{view.head_branch}", {"sha": made})
    moved.raise_for_status()

    with pytest.raises(BadRequestError, match=r"change.not_a_file"):
        desk.check(number)
    assert desk.status(number) == ("failure", "change.not_a_file")


def test_the_card_goes_away_with_the_problem(desk: Desk) -> None:
    number = desk.raise_files({FLAGS: desk.read(FLAGS) + FLAG + b"    ownr: growth\n" + END})
    _refused(desk, number, FLAGS)

    good = set_flag(desk.read(FLAGS), NOTED, reason="Corrected")
    desk.push(number, FLAGS, good, "tariq-noor")

    assert desk.check(number).decision.outcome is Outcome.NEEDS_APPROVAL
    assert "can't be read" not in desk.card(number)


def test_a_file_that_was_merged_unreadable_is_refused_and_main_recovers(desk: Desk) -> None:
    before = desk.read(FLAGS)
    broken = desk.merged(desk.raise_files({FLAGS: before + b"  [\n"}), COLLEAGUE)
    report = desk.refused(broken, "declared.invalid")
    assert report.exit_code == 2
    assert FLAGS in report.fact

    mended = desk.merged(desk.raise_files({FLAGS: before}), COLLEAGUE)
    desk.refused(mended, "declared.invalid")

    desk.applied(desk.note("Goes on"), COLLEAGUE)


def test_what_is_written_in_a_file_is_no_markup_on_the_card(desk: Desk) -> None:
    evil = b"    **owned** @everyone <img src=x>: growth\n"
    number = desk.raise_files({FLAGS: desk.read(FLAGS) + FLAG + evil + END})

    _refused(desk, number, FLAGS)

    card = desk.card(number)
    assert "<img" not in card
    assert "@everyone" not in card.replace("`", " ").replace("@\u200b", "")


@pytest.fixture(scope="module")
def clone(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone") / "hub"
    source = desk.hub.running.values["COH_CHECKOUT"]
    subprocess.run(["git", "clone", "--quiet", source, str(folder)], check=True)
    return folder


def _commit(clone: Path, path: str, data: bytes) -> None:
    git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@clarivum.example"]
    subprocess.run([*git, "reset", "--quiet", "--hard", "origin/main"], check=True)
    (clone / path).write_bytes(data)
    subprocess.run([*git, "add", path], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "Try"], check=True)


@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_commit_that_can_not_be_read_is_refused_at_the_desk(
    desk: Desk, clone: Path, command: str
) -> None:
    data = (clone / FLAGS).read_bytes()
    _commit(clone, FLAGS, data + FLAG + b"    ownr: growth\n" + END)
    line = data.count(b"\n") + 5

    ran = desk.hub.quietly(command, "--checkout", str(clone))

    assert ran.code == 2
    assert ran.out == ""
    assert f"declared.invalid: {FLAGS}:{line}:" in ran.err
    assert "ownr" in ran.err
    assert "next: " in ran.err


def test_somebody_unknown_is_told_so_before_raising(desk: Desk, clone: Path) -> None:
    data = (clone / FLAGS).read_bytes()
    _commit(clone, FLAGS, set_flag(data, NOTED, reason="Who am I"))

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
        "reconcile.not_locked",
    ),
    "missing option": (("flag", "disable", "ops_module_webhooks"), "--env"),
    "unknown option": (("flag", "list", *PRODUCTION, "--jsn"), "--jsn"),
    "number that is none": (("check", "--pr", "seven"), "seven"),
}
"""Arguments, and what the refusal must say."""


@pytest.fixture(scope="module")
def ran(desk: Desk) -> dict[str, Any]:
    """Run all of them at once, one for each processor; they only read."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only here

    before = _everything(desk)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = {
            what: pool.submit(desk.hub.quietly, *arguments, by="tariq-noor")
            for what, (arguments, _) in COMMANDS.items()
        }
    return {"before": before, **{what: future.result() for what, future in done.items()}}


def _everything(desk: Desk) -> tuple[object, ...]:
    pulls = desk.api("tariq-noor", "GET", "pulls?state=all&per_page=1").json()
    refs = subprocess.run(
        ["git", "-C", desk.hub.running.values["COH_CHECKOUT"], "for-each-ref"],
        check=True,
        capture_output=True,
    ).stdout
    book = desk.hub.rows("select count(*) from ops_audit")
    return desk.writes(), pulls[0]["number"], refs, book, desk.tools.book.cursor()


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
