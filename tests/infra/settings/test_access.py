from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from infra.settings.access import parse_access
from infra.settings.errors import SettingsError

GOOD = """\
people:
  - sub: auth0|65f0c1a2b3d4e5f601020304
    github: Mara-Lind
    roles:
      - role: ops_admin
      - role: ops_editor
        until: 2027-03-31
  - sub: google-oauth2|1234567890
    github: li-wen
    roles: [{role: ops_viewer}]
"""

REFUSED = [
    ("no people", "people: []\n", 1, "people: tuple should have at least 1 item", "at least one"),
    ("no list", "people: {}\n", 1, "people: should be a list", "at least one person"),
    ("e-mail as sub", GOOD.replace("1234567890", "li@x.example"), 8, "match pattern", "auth0|"),
    ("e-mail as login", GOOD.replace("li-wen", "li@x.example"), 9, "match pattern", "mara-lind"),
    ("no connection", GOOD.replace("google-oauth2|", ""), 8, "valid string", "auth0|65f0"),
    ("bot", GOOD.replace("li-wen", "li-wen[bot]"), 9, "match pattern", "mara-lind"),
    ("long login", GOOD.replace("li-wen", "l" * 40), 9, "at most 39", "mara-lind"),
    ("name", GOOD.replace("github: li", "name: li"), 8, "`github` is missing", "github: mara"),
    ("e-mail field", GOOD + "    email: li\n", 11, "unknown key `email`", "one of: github, roles"),
    ("role", GOOD.replace("ops_viewer", "ops_root"), 10, "'ops_viewer', 'ops_editor'", "role: "),
    (
        "wrong role",
        GOOD.replace("ops_viewer", "ops_boss"),
        10,
        "people[1].roles[0].role: should be 'ops_viewer'",
        "ops_viewer",
    ),
    ("no role", GOOD.replace("[{role: ops_viewer}]", "[]"), 10, "at least 1 item", "role: ops_"),
    ("until is text", GOOD.replace("2027-03-31", "soon"), 7, "valid date", "until: 2027-03-31"),
    (
        "role twice",
        GOOD.replace("ops_editor", "ops_admin"),
        4,
        "role ops_admin stands twice",
        "each role once",
    ),
    (
        "sub twice",
        GOOD.replace("google-oauth2|1234567890", "auth0|65f0c1a2b3d4e5f601020304"),
        8,
        "people[1].sub: the same person as people[0]",
        "each sub and login once",
    ),
    (
        "login twice in another case",
        GOOD.replace("li-wen", "mara-lind"),
        9,
        "people[1].github: the same person as people[0]",
        "each sub and login once",
    ),
]


@pytest.mark.parametrize(
    ("text", "line", "what", "write"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refusal_names_line_fact_and_remedy(text: str, line: int, what: str, write: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_access(text.encode(), "access.yaml")
    errors = (caught.value, *caught.value.others)
    assert caught.value.source == "access.yaml"
    assert any(e.line == line and what in e.what and write in e.write for e in errors), errors


def test_an_e_mail_address_is_not_repeated() -> None:
    for old in ("1234567890", "li-wen", "ops_viewer", "2027-03-31"):
        with pytest.raises(SettingsError) as caught:
            parse_access(GOOD.replace(old, "canary@x.example").encode(), "f")
        assert "canary" not in str(caught.value)


def test_a_person_is_found_in_any_letter_case() -> None:
    access = parse_access(GOOD.encode(), "f")
    person = access.person("mARA-lIND")
    assert person is not None
    assert person.sub == "auth0|65f0c1a2b3d4e5f601020304"
    assert access.person("stranger") is None
    assert access.person("") is None


LAST = datetime(2027, 3, 31, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "roles"),
    [
        (LAST - timedelta(days=400), ("ops_admin", "ops_editor")),
        (LAST, ("ops_admin", "ops_editor")),
        (LAST + timedelta(microseconds=1), ("ops_admin",)),
        # The same moments seen from Tokyo and New York, where the day is another one.
        (LAST.astimezone(timezone(timedelta(hours=9))), ("ops_admin", "ops_editor")),
        (
            (LAST + timedelta(hours=1)).astimezone(timezone(timedelta(hours=-5))),
            ("ops_admin",),
        ),
    ],
)
def test_a_grant_is_valid_through_the_end_of_its_last_day_in_utc(
    moment: datetime, roles: tuple[str, ...]
) -> None:
    assert parse_access(GOOD.encode(), "f").roles_at("mara-lind", moment) == roles


def test_a_stranger_has_no_role() -> None:
    assert parse_access(GOOD.encode(), "f").roles_at("stranger", LAST) == ()


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse_access(GOOD.encode(), "f").roles_at("mara-lind", LAST.replace(tzinfo=None))
