"""What can't be read is refused with file and line, on the pull request."""

from __future__ import annotations

import pytest

from infra.settings.edit import set_flag
from ops_actions.decision.model import Outcome
from ops_actions.errors import BadRequestError
from tests.stories.desk import FLAGS, NOTED, Desk
from tests.support.hub import ADMIN, COLLEAGUE

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
    "duplicate key": (FLAG + b"    owner: growth\n" + END, "each key once"),
    "duplicate flag": (FLAG + END + FLAG + END, "each key once"),
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
    "unknown parameter": (
        GOOD.replace(b"{to:", b"{force: true, to:"),
        "request.params",
        "force",
    ),
    "missing parameter": (GOOD.replace(b"to: dpl_9f2, ", b""), "request.params", "to"),
    "wrong parameter": (GOOD.replace(b"dpl_9f2", b"9f2"), "request.params", "to"),
    "bad target": (
        GOOD.replace(b"clarivum-web", b"Clarivum/Web"),
        "request.target",
        "Vercel project",
    ),
    "bad moment": (GOOD.replace(b"18:00:00Z", b"18:00:00"), "request.invalid", "not_after"),
    "no reason": (GOOD.replace(b"reason: Error rate 7 %\n", b""), "request.invalid", "reason"),
}


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


def _link(desk: Desk, number: int, path: str) -> None:
    view = desk.tools.host.pull_request(number)
    text = {"content": "access.yaml", "encoding": "utf-8"}
    blob = desk.api(COLLEAGUE, "POST", "git/blobs", text).raise_for_status().json()["sha"]
    entry = {"path": path, "mode": "120000", "type": "blob", "sha": blob}
    tree = desk.api(COLLEAGUE, "POST", "git/trees", {"base_tree": view.head, "tree": [entry]})
    body = {"message": "Link", "tree": tree.json()["sha"], "parents": [view.head]}
    made = desk.api(COLLEAGUE, "POST", "git/commits", body).raise_for_status().json()["sha"]
    moved = desk.api(COLLEAGUE, "PATCH", f"git/refs/heads/{view.head_branch}", {"sha": made})
    moved.raise_for_status()


def test_a_link_in_place_of_a_request_is_refused(desk: Desk) -> None:
    number = desk.note("With a link beside it")
    _link(desk, number, REQUEST)

    with pytest.raises(BadRequestError, match=r"change.not_a_file"):
        desk.check(number)
    assert desk.status(number) == ("failure", "change.not_a_file")


def test_a_file_that_becomes_a_link_is_refused(desk: Desk) -> None:
    number = desk.note("Will be a link")
    _link(desk, number, FLAGS)

    with pytest.raises(BadRequestError, match=r"change.not_a_file"):
        desk.check(number)


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

    # What mending changes can't be known, so it is for an admin, and nothing outside follows it.
    mending = desk.raise_files({FLAGS: before})
    assert [need.role for need in desk.check(mending).decision.approvals] == ["ops_admin"]
    with desk.nothing_done():
        desk.applied(mending, ADMIN)

    desk.applied(desk.note("Goes on"), COLLEAGUE)


def test_what_is_written_in_a_file_is_no_markup_on_the_card(desk: Desk) -> None:
    evil = b"    **owned** @everyone <img src=x>: growth\n"
    number = desk.raise_files({FLAGS: desk.read(FLAGS) + FLAG + evil + END})

    _refused(desk, number, FLAGS)

    card = desk.card(number)
    assert "<img" not in card
    assert "@everyone" not in card.replace("`", " ").replace("@\u200b", "")
