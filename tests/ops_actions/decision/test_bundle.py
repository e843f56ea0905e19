from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.decision.bundle import (
    policy_digest,
    read_bundle,
    rule_codes,
    rules_of,
    write_bundle,
)
from ops_actions.errors import RefusedError
from tests.policies.support import POLICIES

if TYPE_CHECKING:
    from pathlib import Path

RULE = "policies/ops/rules/flags/owner/owner.rego"
LIST = "policies/config/rules/data.json"
FILES = {RULE: b"package x", LIST: b'["flags.owner"]'}


def test_the_digest_covers_path_and_content() -> None:
    base = policy_digest(FILES)
    assert base == policy_digest(dict(reversed(FILES.items())))
    assert base != policy_digest({**FILES, RULE: b"package y"})
    assert base != policy_digest({**FILES, "policies/more.rego": b""})
    moved = {RULE.replace("owner.rego", "other.rego"): FILES[RULE], LIST: FILES[LIST]}
    assert base != policy_digest(moved)


def test_the_digest_is_stable() -> None:
    """A change here orphans every plan and permit that is under way."""
    assert policy_digest(FILES) == (
        "sha256:f2a255a317b07deec22d39c10152731e0ba2122411a23a93885909b3ffa4d7df"
    )


@given(
    st.dictionaries(
        st.from_regex(r"policies/[a-z/]{0,8}[a-z]_test\.rego", fullmatch=True),
        st.binary(max_size=8),
        max_size=3,
    )
)
def test_tests_of_the_policies_are_left_out(tests: dict[str, bytes]) -> None:
    proper = {path: data for path, data in tests.items() if "//" not in path}
    assert policy_digest({**FILES, **proper}) == policy_digest(FILES)


@pytest.mark.parametrize(
    "path",
    [
        "ops/main.rego",
        "policies",
        "policies/../x.rego",
        "/policies/x",
        "policies//x",
        "./policies/x",
    ],
)
def test_a_path_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match=r"engine\.bundle"):
        policy_digest({**FILES, path: b""})


def test_no_policies_are_refused() -> None:
    with pytest.raises(RefusedError, match="no policies"):
        policy_digest({})
    with pytest.raises(RefusedError, match="no policies"):
        policy_digest({"policies/x_test.rego": b""})


def test_the_listed_rules_are_the_rules() -> None:
    assert rules_of(FILES) == {"flags.owner"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({RULE: b""}, "can't be read"),
        ({**FILES, LIST: b"{"}, "can't be read"),
        ({**FILES, LIST: b"{}"}, "no list of rule codes"),
        ({**FILES, LIST: b"[1]"}, "no list of rule codes"),
        ({**FILES, LIST: b'["owner"]'}, "no list of rule codes"),
        ({LIST: b"[]"}, "no rules at all"),
        ({**FILES, LIST: b"[]"}, r"differ: flags\.owner"),
        ({LIST: FILES[LIST]}, r"differ: flags\.owner"),
        ({**FILES, "policies/ops/rules/a/b/b.rego": b""}, r"differ: a\.b"),
    ],
)
def test_a_lost_or_unlisted_rule_is_refused(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        rules_of(files)


def test_our_own_rules() -> None:
    listed = json.loads((POLICIES / "config/rules/data.json").read_bytes())
    assert rule_codes(POLICIES) == set(listed)
    assert {"identity.author_role", "change.approvals", "actions.gate_on"} < set(listed)


def test_what_is_written_reads_back_without_the_tests(tmp_path: Path) -> None:
    files = read_bundle(POLICIES)
    assert any(path.endswith("_test.rego") for path in files)
    folder = write_bundle(files, tmp_path)
    again = read_bundle(folder)
    assert again == {path: data for path, data in files.items() if not path.endswith("_test.rego")}
    assert policy_digest(again) == policy_digest(files)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.rego").symlink_to(POLICIES / "ops/main/main.rego")
    with pytest.raises(RefusedError, match=r"main\.rego is a symbolic link"):
        read_bundle(tmp_path)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no policies"):
        policy_digest(read_bundle(tmp_path / "none"))
