"""`coh flag` checks its options as the file will be checked, and names the one that is wrong."""

from __future__ import annotations

import pytest

from ops_actions.cli import flag
from ops_actions.cli.guard import guarded

NEW = (
    *("set", "ops_module_reports", "--env", "staging", "--type", "release"),
    *("--expires", "2027-03-01", "--dry-run"),
)
KNOWN = ("set", "ops_module_webhooks", "--env", "staging", "--dry-run")
TOGGLE = ("disable", "ops_module_webhooks", "--env", "production", "--dry-run")
GOOD = ("--owner", "platform", "--reason", "New reports module")


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no access to GitHub, so that a dry run reads this checkout."""
    for name in ("COH_GITHUB_TOKEN", "GITHUB_TOKEN", "COH_SANDBOX"):
        monkeypatch.delenv(name, raising=False)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = guarded(flag.app, list(arguments), "flag")
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert "Traceback" not in said.err
    return said.err


WRONG = [
    (("--owner", "Bad Owner"), "--owner: String should match pattern", "write --owner platform: "),
    (("--ticket", "nope"), "--ticket: String should match pattern", "write --ticket KAIZEN-412: "),
    (("--reason", ""), "--reason: String should have at least 1", "write --reason 'Roll out"),
    (("--reason", "x" * 501), "--reason: String should have at most 500", "write --reason 'Roll"),
    (("--value", "x" * 2001), "--value: String should have at most 2000", "write --value 20: "),
]


@pytest.mark.parametrize(("option", "fact", "remedy"), WRONG)
def test_a_new_flag_with_a_wrong_option_is_a_bad_request(
    capsys: pytest.CaptureFixture[str], option: tuple[str, str], fact: str, remedy: str
) -> None:
    said = refused(capsys, *NEW, *GOOD, *option)

    assert f"request.invalid: {fact}" in said
    assert f"next: {remedy}" in " ".join(said.split())


@pytest.mark.parametrize(("option", "fact", "remedy"), WRONG[1:])
def test_a_declared_flag_with_a_wrong_option_is_a_bad_request_too(
    capsys: pytest.CaptureFixture[str], option: tuple[str, str], fact: str, remedy: str
) -> None:
    said = refused(capsys, *KNOWN, "--reason", "Other", *option)

    assert f"request.invalid: {fact}" in said
    assert f"next: {remedy}" in " ".join(said.split())


@pytest.mark.parametrize(("option", "fact", "remedy"), WRONG[1:4])
def test_a_switch_with_a_wrong_option_is_a_bad_request_too(
    capsys: pytest.CaptureFixture[str], option: tuple[str, str], fact: str, remedy: str
) -> None:
    said = refused(capsys, *TOGGLE, "--reason", "Other", *option)

    assert f"request.invalid: {fact}" in said
    assert f"next: {remedy}" in " ".join(said.split())


def test_all_wrong_options_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, *NEW, "--owner", "Bad Owner", "--ticket", "nope", "--reason", "")

    assert "(and 2 more)" in said


def test_an_owner_that_nobody_would_get_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, *KNOWN, "--owner", "nobody", "--reason", "Other team")

    assert "flag.owner_of_declared: --owner is for a new flag" in said
    remedy = " ".join(said.split())
    assert "next: add --type release if ops_module_webhooks is new" in remedy
    assert "infra/environments/staging/flags.yaml" in remedy


def test_help_says_what_owner_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(flag.app, ["set", "--help"], "flag") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "for a new flag only, with --type" in said
    assert "--owner without --type is refused" in said


def test_good_options_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(flag.app, [*NEW, *GOOD, "--ticket", "KAIZEN-1"], "flag") == 0
    assert "+    owner: platform" in capsys.readouterr().out
    value = ("--value", "30", "--expires", "2027-03-01", "--reason", "Longer")
    assert guarded(flag.app, [*KNOWN, *value], "flag") == 0
    moved = [line for line in capsys.readouterr().out.splitlines() if line.startswith("+  ")]
    assert sorted(moved) == ["+    expires: 2027-03-01", "+    reason: Longer", '+    value: "30"']
