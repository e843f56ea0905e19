from __future__ import annotations

from infra.settings.environment import file_of
from ops_actions.plan.model import Kind, Risk, Verb
from ops_actions.plan.platform import platform_changes
from tests.ops_actions.plan.plan_world import change_of
from tests.support.files import ROOT

PATH = file_of("production", "platform")
NOW = (ROOT / PATH).read_text(encoding="utf-8")


def test_each_system_whose_section_differs_is_one_change() -> None:
    moved = NOW.replace("C0OPSHUB", "C0OTHER").replace("ops-preview", "ops-look")
    changes = list(platform_changes(change_of(PATH, NOW, moved), "production"))
    assert [(change.target, change.verb) for change in changes] == [
        ("slack", Verb.UPDATE),
        ("vercel", Verb.UPDATE),
    ]
    for change in changes:
        assert (change.kind, change.risk) == (Kind.PLATFORM, Risk.GUARDED)
        assert (change.expected_live, change.desired_live) == (None, None)
        assert change.before != change.after


def test_a_platform_that_goes_away_is_destroyed() -> None:
    changes = list(platform_changes(change_of(PATH, NOW, None), "production"))
    assert {(change.verb, change.risk) for change in changes} == {(Verb.DELETE, Risk.DESTRUCTIVE)}
    assert list(platform_changes(change_of(PATH, NOW, NOW + "# x\n"), "production")) == []
