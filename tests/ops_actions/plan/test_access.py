from __future__ import annotations

import pytest

from ops_actions.plan.access import access_changes
from ops_actions.plan.model import Change, Kind, Risk, Verb
from tests.ops_actions.plan.plan_world import change_of

PATH = "infra/environments/production/access.yaml"
MARA = "- sub: auth0|1\n  github: mara-lind\n  roles:\n  - role: ops_admin\n"
LI = "- sub: auth0|2\n  github: li-wen\n  roles:\n  - role: ops_viewer\n    until: 2027-12-31\n"


def differences(before: str | None, after: str | None) -> list[Change]:
    sides = [None if side is None else f"people:\n{side}" for side in (before, after)]
    return list(access_changes(change_of(PATH, sides[0], sides[1]), "production"))


@pytest.mark.parametrize(
    ("before", "after", "verb", "target", "summary"),
    [
        (
            MARA,
            MARA + LI,
            Verb.CREATE,
            "auth0|2",
            "li-wen gets ops_viewer until 2027-12-31 in prod",
        ),
        (MARA + LI, MARA, Verb.DELETE, "auth0|2", "li-wen loses every role in production"),
        (None, MARA, Verb.CREATE, "auth0|1", "mara-lind gets ops_admin in production"),
        (MARA, None, Verb.DELETE, "auth0|1", "mara-lind loses every role in production"),
        (
            MARA + LI,
            MARA + LI.replace("ops_viewer", "ops_editor"),
            Verb.UPDATE,
            "auth0|2",
            "li-wen goes from ops_viewer until 2027-12-31 to ops_editor until 2027-12-31 in",
        ),
        (MARA, MARA.replace("mara-lind", "mara-l"), Verb.UPDATE, "auth0|1", "mara-l goes from"),
    ],
)
def test_each_person_whose_roles_or_login_differ_is_one_change(
    before: str | None, after: str | None, verb: Verb, target: str, summary: str
) -> None:
    (change,) = differences(before, after)
    assert (change.kind, change.risk) == (Kind.ACCESS, Risk.GUARDED)
    assert (change.verb, change.target) == (verb, target)
    assert change.summary.startswith(summary)
    assert (change.expected_live, change.desired_live) == (None, None)
    assert change.before != change.after


def test_the_same_people_in_another_order_are_the_same_people() -> None:
    assert differences(MARA + LI, LI + MARA) == []
