from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.settings.edit import add_flag, remove_flag, set_flag
from infra.settings.environment import ENVIRONMENTS, file_of
from infra.settings.errors import SettingsError
from infra.settings.flags import Flag, FlagType, parse_flags
from tests.infra.settings.test_scalars import TEXTS

ROOT = Path(__file__).resolve().parents[3]

FILE = """\
# yaml-language-server: $schema=x
flags: # all of them

  # above one
  one:   # beside one
    enabled: false   # beside enabled
    type: 'release'
    # inside one
    reason: |  # why
      Two
      lines

    ticket:   KAIZEN-1

  # above two
  two: {enabled: true, type: kill_switch, reason: "x, y"}  # flow
  "three":
      type: permission
      enabled: true
      reason: Last # ok
# the end
"""


def lines_that_differ(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    old, new = before.decode().splitlines(), after.decode().splitlines()
    return [x for x in old if x not in new], [x for x in new if x not in old]


def test_a_toggle_changes_one_word() -> None:
    after = set_flag(FILE.encode(), "one", enabled=True)
    assert after.decode() == FILE.replace("enabled: false   #", "enabled: true   #")


def test_a_block_of_text_keeps_its_comment_and_blank_line() -> None:
    after = set_flag(FILE.encode(), "one", reason="Short")
    assert after.decode() == FILE.replace("|  # why\n      Two\n      lines", "Short  # why")


def test_new_fields_go_below_the_last_one() -> None:
    after = set_flag(FILE.encode(), "one", value="20", expires=date(2027, 2, 1))
    added = '    expires: 2027-02-01\n    value: "20"\n'
    assert after.decode() == FILE.replace("KAIZEN-1\n", f"KAIZEN-1\n{added}")


def test_a_flow_flag_stays_one() -> None:
    after = set_flag(FILE.encode(), "two", enabled=False, reason="a, b", ticket="K-2")
    assert after.decode() == FILE.replace(
        '{enabled: true, type: kill_switch, reason: "x, y"}',
        '{enabled: false, type: kill_switch, reason: "a, b", ticket: K-2}',
    )


def test_a_file_without_a_last_line_end() -> None:
    text = "flags:\n  one:\n    enabled: true\n    type: release\n    reason: r"
    after = set_flag(text.encode(), "one", ticket="K-1")
    assert after.decode() == text + "\n    ticket: K-1\n"


def test_several_fields_at_once() -> None:
    after = set_flag(FILE.encode(), "one", enabled=True, reason="Why: now", ticket="K-9")
    flag = parse_flags(after, "f").flags["one"]
    assert (flag.enabled, flag.reason, flag.ticket) == (True, "Why: now", "K-9")
    gone, new = lines_that_differ(FILE.encode(), after)
    assert new == [
        "    enabled: true   # beside enabled",
        '    reason: "Why: now"  # why',
        "    ticket:   K-9",
    ]
    assert len(gone) == 5


def test_the_same_value_changes_nothing() -> None:
    data = FILE.encode()
    assert set_flag(data, "one", enabled=False, ticket="KAIZEN-1") == data
    assert set_flag(data, "one") == data


def test_a_new_flag_goes_below_the_last_one() -> None:
    flag = Flag(
        enabled=False, type=FlagType.RELEASE, expires=date(2027, 2, 1), reason="New", value="true"
    )
    after = add_flag(FILE.encode(), "four", flag)
    added = (
        "  four:\n    enabled: false\n    type: release\n    expires: 2027-02-01\n"
        '    reason: New\n    value: "true"\n'
    )
    assert after.decode() == FILE.replace("# the end", f"{added}# the end")
    assert parse_flags(after, "f").flags["four"] == flag


@pytest.mark.parametrize(
    "empty", ["flags: {}\n", "flags: {}", "# c\nflags: {} # none yet\n# end\n", "flags:\n  {}\n"]
)
def test_the_first_flag(empty: str) -> None:
    flag = Flag(enabled=True, type=FlagType.KILL_SWITCH, reason="r")
    after = add_flag(empty.encode(), "one", flag)
    assert parse_flags(after, "f").flags == {"one": flag}
    assert "  one:\n    enabled: true\n    type: kill_switch\n    reason: r\n" in after.decode()


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_a_flag_goes_with_its_own_lines_alone(name: str) -> None:
    after = remove_flag(FILE.encode(), name)
    assert list(parse_flags(after, "f").flags) == [n for n in ("one", "two", "three") if n != name]
    for comment in ("# all of them", "# above one", "# above two", "# the end"):
        assert comment in after.decode()
    assert len(FILE.encode()) > len(after)


def test_the_last_flag_leaves_an_empty_mapping() -> None:
    data = b"flags: # all\n  one:\n    enabled: true\n    type: release\n    reason: r\n# end\n"
    assert remove_flag(data, "one") == b"flags: {} # all\n# end\n"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_removing_what_was_added_gives_the_same_bytes(environment: str) -> None:
    data = (ROOT / file_of(environment, "flags")).read_bytes()
    flag = Flag(enabled=True, type=FlagType.KILL_SWITCH, reason="r")
    assert remove_flag(add_flag(data, "ops_module_new", flag), "ops_module_new") == data


def refused(what: str) -> pytest.RaisesExc[SettingsError]:
    return pytest.raises(SettingsError, match=f"^flags.yaml:[0-9]+: .*{what}")


def test_refusals_name_file_and_line() -> None:
    flag = Flag(enabled=True, type=FlagType.KILL_SWITCH, reason="r")
    with refused("there is no flag `tow`") as caught:
        set_flag(FILE.encode(), "tow", enabled=True)
    assert caught.value.write.startswith("`two`")
    assert caught.value.line == 2
    with refused("there is no flag `on`"):
        remove_flag(FILE.encode(), "on")
    with refused("flag `two` is declared already") as caught:
        add_flag(FILE.encode(), "two", flag)
    assert caught.value.line == 16
    with refused("at most 500"):
        set_flag(FILE.encode(), "one", reason="x" * 501)
    with refused("match pattern"):
        set_flag(FILE.encode(), "one", ticket="lower-1")
    with refused("the name in flags.Bad"):
        add_flag(FILE.encode(), "Bad", flag)
    with refused("U\\+202E"):
        set_flag(FILE.encode(), "one", reason="x\u202ey")
    with refused("tab|U\\+0009|escape"):
        set_flag(FILE.encode(), "one", reason="x\x07y")
    with refused("unknown key"):
        set_flag(b"flags:\n  one: {enabled: true, type: release, reason: r, x: 1}\n", "one")
    flow = b"flags: {one: {enabled: true, type: release, reason: r}}\n"
    with refused("the flags stand in `{}`"):
        remove_flag(flow, "one")
    with refused("the flags stand in `{}`"):
        add_flag(flow, "two", flag)
    assert set_flag(flow, "one", enabled=False) == flow.replace(b"true", b"false")


def test_an_edit_that_would_change_more_is_refused() -> None:
    # A line below the open end of a block of text would add a line end to that text.
    data = b"flags:\n  one:\n    enabled: true\n    type: release\n    reason: |\n      text"
    with refused("can't be made here without changing something else"):
        set_flag(data, "one", ticket="K-1")
    assert set_flag(data, "one", enabled=False) == data.replace(b"true", b"false")


def test_an_edit_that_breaks_the_file_is_refused() -> None:
    # `?` keys are YAML whose columns these edits don't know.
    data = b"flags:\n  ? one\n  : {enabled: true, type: release, reason: r}\n"
    with refused("not valid YAML"):
        add_flag(data, "two", Flag(enabled=True, type=FlagType.KILL_SWITCH, reason="r"))


REASONS = TEXTS.filter(lambda text: text.strip() and "\t" not in text)
VALUES = TEXTS.filter(lambda text: "\t" not in text)
FLAGS = st.builds(
    Flag,
    enabled=st.booleans(),
    type=st.sampled_from(FlagType),
    owner=st.sampled_from([None, "platform", "null", "on"]),
    expires=st.none() | st.dates(),
    reason=REASONS,
    ticket=st.sampled_from([None, "K-1"]),
    value=st.none() | VALUES,
    description=st.none() | VALUES,
)
NAMES = st.from_regex(r"\A[a-z][a-z0-9_]{2,8}\Z")
STYLES = st.sampled_from(["", "\n", "  # note\n", "# note: x\n", "\n\n"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file that was written by people: comments, blank lines and all styles of text."""
    lines = ["# head\n", "flags:", draw(st.sampled_from(["\n", " # all\n", "\n\n"]))]
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        outer, inner = "  ", draw(st.sampled_from(["    ", "      "]))
        lines.append(draw(STYLES).removeprefix("  ").replace("  #", "#"))
        if draw(st.booleans()):
            lines.append(f"{outer}{name}: {{reason: 'a, b', enabled: true,  type: release }} # f\n")
            continue
        lines.append(f"{outer}{name}:\n")
        reason = draw(
            st.sampled_from(
                [
                    " plain text",
                    " 'single '' quotes' # c",
                    ' "double \\" quotes"',
                    f" |\n{inner}  block\n{inner}  text\n",
                    f" >-  # c\n{inner}  folded\n\n{inner}  text\n\n",
                    f" |+\n{inner}  keep\n\n",
                    f" plain\n{inner}  over lines",
                    f'\n{inner}  "below"',
                ]
            )
        )
        fields = ["enabled: false", "type:  permission  # t", f"reason:{reason}", "ticket: K-1"]
        for field in draw(st.permutations(fields)):
            comment = draw(st.sampled_from(["", f"{inner}# c\n", "\n"]))
            lines.append(f"{inner}{field.removesuffix(chr(10))}\n{comment}")
    lines.append(draw(st.sampled_from(["", "# tail\n", "\n\n# tail"])))
    return "".join(lines).encode()


@given(files(), st.booleans(), REASONS, st.none() | VALUES, st.none() | st.dates(), st.data())
def test_setting_changes_that_flag_alone(  # noqa: PLR0913, PLR0917
    before: bytes,
    enabled: bool,  # noqa: FBT001
    reason: str,
    value: str | None,
    expires: date | None,
    data: st.DataObject,
) -> None:
    flags = parse_flags(before, "f").flags
    name = data.draw(st.sampled_from(sorted(flags)))
    try:
        after = set_flag(before, name, enabled=enabled, reason=reason, value=value, expires=expires)
    except SettingsError as error:
        assume("without changing something else" in error.what)
        pytest.fail(str(error))
    wanted = {"enabled": enabled, "reason": reason, "value": value, "expires": expires}
    fields = flags[name].model_dump() | {k: v for k, v in wanted.items() if v is not None}
    assert parse_flags(after, "f").flags == {**flags, name: Flag(**fields)}
    assert after.count(b"# tail") == before.count(b"# tail")
    assert after.count(b"# c\n") == before.count(b"# c\n")
    assert after.count(b"# note") == before.count(b"# note")


@given(files(), NAMES, FLAGS)
def test_adding_and_removing_is_the_identity(before: bytes, name: str, flag: Flag) -> None:
    flags = parse_flags(before, "f").flags
    assume(name not in flags)
    added = add_flag(before, name, flag)
    assert parse_flags(added, "f").flags == {**flags, name: flag}
    removed = remove_flag(added, name)
    assert parse_flags(removed, "f").flags == flags
    assert removed.rstrip(b"\n") == before.rstrip(b"\n")


@given(files(), st.data())
def test_removing_leaves_all_others(before: bytes, data: st.DataObject) -> None:
    flags = parse_flags(before, "f").flags
    name = data.draw(st.sampled_from(sorted(flags)))
    after = remove_flag(before, name)
    assert parse_flags(after, "f").flags == {k: v for k, v in flags.items() if k != name}
    assert after.count(b"# note") == before.count(b"# note")
