from __future__ import annotations

import pytest

from ops_actions.change.request import parse_request
from ops_actions.errors import BadRequestError

SOURCE = "ops_actions/requests/production/20261123-rollback-web.yaml"

GOOD = """\
action: deployment.rollback
target: clarivum-web
params: {to: dpl_9f2, expect_current: dpl_a17}
reason: Error rate 7 % since 14:02, incident INC-88
incident: INC-88
ticket: KAIZEN-412
not_after: 2026-11-23T18:00:00Z
confirm: clarivum-web
"""


def without(line: str) -> str:
    return "".join(each for each in GOOD.splitlines(keepends=True) if not each.startswith(line))


def other(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


# Each: name, file, code, line, words of the fact, words of the next step.
REFUSED = [
    ("empty", "", "request.invalid", 1, "the file is empty", "keys"),
    ("twice", GOOD + "action: x.y\n", "request.invalid", 9, "here and on line 1", "once"),
    ("unknown key", GOOD + "who: me\n", "request.invalid", 9, "unknown key `who`", "one of"),
    ("no action", without("action"), "request.invalid", 1, "`action` is missing", "deployment.r"),
    ("no target", without("target"), "request.invalid", 1, "`target` is missing", "clarivum-web"),
    ("no reason", without("reason"), "request.invalid", 1, "`reason` is missing", "Error rate"),
    ("no end", without("not_after"), "request.invalid", 1, "`not_after` is missing", "T18:00:00Z"),
    (
        "action form",
        other("deployment.rollback", "rollback"),
        "request.invalid",
        1,
        "action: string should match",
        "action: deployment.rollback",
    ),
    (
        "unknown action",
        other("rollback\n", "rolback\n"),
        "request.unknown_action",
        1,
        "there is no action `deployment.rolback`",
        "deployment.rollback",
    ),
    (
        "e-mail as target",
        other("target: clarivum-web", "target: canary@x.example"),
        "request.invalid",
        2,
        "target: string should match",
        "target: clarivum-web",
    ),
    (
        "target of another kind",
        other("target: clarivum-web", "target: /blog"),
        "request.target",
        2,
        "this is not a Vercel project",
        "write clarivum-web",
    ),
    ("no params", without("params"), "request.params", 1, "to: Field required", "to: dpl_9f2"),
    (
        "missing param",
        other("to: dpl_9f2, ", ""),
        "request.params",
        3,
        "`to` is missing in params",
        "to: dpl_9f2",
    ),
    (
        "unknown param",
        other("to: dpl_9f2", "to: dpl_9f2, too: 1"),
        "request.params",
        3,
        "unknown key `too` in params",
        "`to`",
    ),
    (
        "param form",
        other("dpl_9f2", "9f2"),
        "request.params",
        3,
        "params.to: string should match",
        "to: dpl_9f2",
    ),
    ("param kind", other("dpl_9f2", "7"), "request.params", 3, "valid string", "to: dpl_9f2"),
    (
        "same deployment",
        other("dpl_a17", "dpl_9f2"),
        "request.params",
        3,
        "are the same deployment",
        "to: the earlier",
    ),
    (
        "date as param",
        other("dpl_9f2", "2027-01-01"),
        "request.invalid",
        3,
        "params.to: should be text, a number",
        "a date in quotes",
    ),
    (
        "nested param",
        other("dpl_9f2", "{a: 1}"),
        "request.invalid",
        3,
        "params.to: should be text, a number",
        "one value",
    ),
    (
        "param name",
        other("to:", "To:"),
        "request.invalid",
        3,
        "the name in params.To should match",
        "write",
    ),
    (
        "params list",
        other("{to: dpl_9f2, expect_current: dpl_a17}", "[]"),
        "request.invalid",
        3,
        "keys and values",
        "params: {to",
    ),
    ("reason empty", other("Error rate", '"" #'), "request.invalid", 4, "at least 1", "reason: "),
    ("incident", other("incident: INC-88", "incident: 88"), "request.invalid", 5, "string", "INC-"),
    ("ticket", other("KAIZEN-412", "k-1"), "request.invalid", 6, "ticket: string", "KAIZEN-412"),
    ("no offset", other("18:00:00Z", "18:00:00"), "request.invalid", 7, "Z or an offset", "00Z"),
    ("only a day", other("T18:00:00Z", ""), "request.invalid", 7, "Z or an offset", "00Z"),
    ("no such hour", other("18:00:00Z", "25:00:00Z"), "request.invalid", 7, "Z or an", "00Z"),
    ("no such day", other("11-23T", "11-31T"), "request.invalid", 7, "Z or an offset", "00Z"),
    (
        "too early",
        other("2026-11-23T18:00:00Z", "0001-01-01T00:00:00+09:00"),
        "request.invalid",
        7,
        "Z or an offset",
        "00Z",
    ),
    ("number", other("2026-11-23T18:00:00Z", "1795456800"), "request.invalid", 7, "Z or", "00Z"),
    (
        "confirm",
        other("confirm: clarivum-web", "confirm: true"),
        "request.invalid",
        8,
        "string",
        "confirm: clarivum-web",
    ),
    (
        "free text as confirm",
        other("confirm: clarivum-web", 'confirm: "<!channel> canary@x.example"'),
        "request.invalid",
        8,
        "confirm: string should match",
        "confirm: clarivum-web",
    ),
    (
        "empty confirm",
        other("confirm: clarivum-web", 'confirm: ""'),
        "request.invalid",
        8,
        "confirm: string should match",
        "confirm: clarivum-web",
    ),
]


@pytest.mark.parametrize(
    ("text", "code", "line", "fact", "step"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refusal_names_rule_line_fact_and_next_step(
    text: str, code: str, line: int, fact: str, step: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_request(text.encode(), SOURCE)
    error = caught.value
    assert error.code == code
    assert error.fact.startswith(f"{SOURCE}:{line}: ")
    assert fact in error.fact
    assert step in error.next_step
    assert error.exit_code == 2
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    "name",
    [
        "rollback.yaml",
        "20261123.yaml",
        "20261123-.yaml",
        "20261123-Rollback.yaml",
        "20261123-a--b.yaml",
        "20261123-a.yml",
        "20261131-a.yaml",
        "2026112-a.yaml",
        "20261123-a.yaml.yaml",
        "20261123-a.yaml\n",
        f"20261123-{'a' * 100}.yaml",
    ],
)
def test_a_file_name_that_does_not_sort_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_request(GOOD.encode(), f"ops_actions/requests/production/{name}")
    assert caught.value.code == "request.file_name"
    assert f"{name}:1: " in caught.value.fact
