from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from infra.settings.errors import SettingsError
from infra.settings.flags import Flag, FlagType, parse_flags

GOOD = """\
flags:
  ops_module_webhooks:
    enabled: true
    type: release
    owner: platform
    expires: 2027-02-01
    reason: Roll out webhook retries to operators
    ticket: KAIZEN-412
    value: "20"
    description: Retries webhooks
"""


def without(line: str) -> str:
    return "".join(each for each in GOOD.splitlines(keepends=True) if line not in each)


REFUSED = [
    ("no flags", "# c\nother: {}\n", 2, "`flags` is missing in the file", "Flags by name"),
    ("more", "flags: {}\nother: 1\n", 2, "unknown key `other` in the file", "one of: flags"),
    ("flags list", "flags: []\n", 1, "flags: should hold keys and values", "Flags by name"),
    ("text", "flags:\n  ops_a: x\n", 2, "should hold keys", "ops_a: lines below it for enabled"),
    (
        "no enabled",
        without("enabled"),
        2,
        "`enabled` is missing in flags.ops_module_webhooks",
        "enabled: true (or false)",
    ),
    ("no type", without("type"), 2, "`type` is missing", "type: release"),
    ("no reason", without("reason"), 2, "`reason` is missing", "reason: Roll out"),
    (
        "unknown key",
        GOOD.replace("owner:", "ower:"),
        5,
        "unknown key `ower` in flags.ops_module_webhooks",
        "`owner` (known: description, enabled,",
    ),
    ("number", GOOD.replace("true", "1"), 3, "valid boolean", "enabled: true (or false)"),
    ("quoted", GOOD.replace("true", '"true"'), 3, "valid boolean", "enabled: true (or false)"),
    ("type", GOOD.replace("release", "relase"), 4, "'release', 'kill_switch'", "type: release"),
    ("owner", GOOD.replace("platform", "Platform Team"), 5, "match pattern", "owner: platform"),
    ("quoted date", GOOD.replace("2027-02-01", '"2027-02-01"'), 6, "valid date", "2027-02-01"),
    ("date is text", GOOD.replace("2027-02-01", "soon"), 6, "valid date", "expires: 2027-02-01"),
    ("reason empty", GOOD.replace("Roll", '"" #'), 7, "at least 1 character", "reason: "),
    ("reason blank", GOOD.replace("Roll", '"  " #'), 7, "match pattern", "reason: "),
    ("reason long", GOOD.replace("Roll", "x" * 501), 7, "at most 500 characters", "reason: "),
    ("reason null", GOOD.replace("Roll", "null #"), 7, "valid string", "reason: "),
    ("ticket", GOOD.replace("KAIZEN-412", "kaizen 412"), 8, "match pattern", "KAIZEN-412"),
    ("ticket number", GOOD.replace("KAIZEN-412", "412"), 8, "valid string", "KAIZEN-412"),
    ("value number", GOOD.replace('"20"', "20"), 9, "valid string", 'value: "20"'),
    ("value long", GOOD.replace('"20"', "x" * 2001), 9, "at most 2000", 'value: "20"'),
    ("name short", GOOD.replace("ops_module_webhooks", "op"), 2, "the name in flags.", "3 to 100"),
    ("name capital", GOOD.replace("ops_module_w", "Ops_w"), 2, "the name in flags.", "3 to 100"),
    ("name long", GOOD.replace("ops_module_w", "o" * 99), 2, "the name in flags.", "3 to 100"),
    ("name newline", GOOD.replace("ops_module_webhooks", '"ops_a\\n"'), 2, "U+000A", "ASCII"),
]


@pytest.mark.parametrize(
    ("text", "line", "what", "write"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refusal_names_line_fact_and_remedy(text: str, line: int, what: str, write: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_flags(text.encode(), "infra/environments/staging/flags.yaml")
    error = caught.value
    assert (error.source, error.line) == ("infra/environments/staging/flags.yaml", line)
    assert what in error.what
    assert write in error.write


def test_a_good_file() -> None:
    flags = parse_flags(GOOD.encode(), "f").flags
    assert flags == {
        "ops_module_webhooks": Flag(
            enabled=True,
            type=FlagType.RELEASE,
            owner="platform",
            expires=date(2027, 2, 1),
            reason="Roll out webhook retries to operators",
            ticket="KAIZEN-412",
            value="20",
            description="Retries webhooks",
        )
    }


def test_optional_fields_may_be_left_out_or_null() -> None:
    flag = Flag(enabled=False, type=FlagType.KILL_SWITCH, reason="r")
    text = "flags: {ops_a: {enabled: false, type: kill_switch, reason: r, owner: null}}\n"
    assert parse_flags(text.encode(), "f").flags == {"ops_a": flag}


def test_no_flags_is_a_file_too() -> None:
    assert parse_flags(b"flags: {}\n", "f").flags == {}


def test_all_errors_are_listed_by_line() -> None:
    text = GOOD.replace("true", "1").replace("KAIZEN-412", "x").replace("owner", "ower")
    with pytest.raises(SettingsError) as caught:
        parse_flags(text.encode(), "f")
    assert caught.value.line == 3
    assert [other.line for other in caught.value.others] == [5, 8]


def test_a_value_in_the_wrong_place_is_not_repeated() -> None:
    for old in ("true", "release", "platform", "2027-02-01", "KAIZEN-412"):
        with pytest.raises(SettingsError) as caught:
            parse_flags(GOOD.replace(old, "canary-7F3!").encode(), "f")
        assert "canary" not in str(caught.value)


def test_flags_are_frozen() -> None:
    flag = Flag(enabled=False, type=FlagType.KILL_SWITCH, reason="r")
    with pytest.raises(ValidationError):
        flag.enabled = True  # type: ignore[misc]
