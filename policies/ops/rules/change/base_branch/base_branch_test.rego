package ops.rules.change.base_branch_test

import data.ops.lib.fixtures
import data.ops.rules.change.base_branch

_to(branch) := fixtures.replaced(fixtures.flag, {"facts/pull_request/base_branch": branch})

_said := {"the pull request does not go to main, the only branch that is applied"}

test_allow_when_it_goes_to_the_branch_that_is_applied if {
	count(base_branch.deny_request) == 0 with input as fixtures.flag
	count(base_branch.deny_request) == 0 with input as fixtures.at_apply(fixtures.flag)
}

test_deny_when_it_goes_elsewhere if {
	base_branch.deny_request == {{
		"code": "change.base_branch",
		"severity": "error",
		"msg": "the pull request does not go to main, the only branch that is applied",
		"solution": "Change the base of the pull request to that branch; if it is merged, raise a new one.",
		"target": "",
	}} with input as _to("staging")
}

test_deny_in_both_phases_whatever_is_almost_right if {
	every branch in ["", "Main", "main ", "refs/heads/main", "mainline", null, true, ["main"]] {
		every document in [_to(branch), fixtures.at_apply(_to(branch))] {
			fixtures.messages(base_branch.deny_request) == _said with input as document
		}
	}
}

test_deny_when_the_fact_is_missing if {
	every path in ["facts/pull_request/base_branch", "facts/pull_request", "facts"] {
		document := fixtures.without(fixtures.flag, path)
		fixtures.messages(base_branch.deny_request) == _said with input as document
	}
	document := fixtures.without(fixtures.at_apply(fixtures.flag), "facts/pull_request/base_branch")
	fixtures.messages(base_branch.deny_request) == _said with input as document
}

test_deny_when_the_setting_is_missing if {
	every config in [{}, {"branches": {}}, {"branches": {"applied": null}}] {
		count(base_branch.deny_request) == 1 with input as fixtures.flag with data.config as config
	}
	without := fixtures.without(fixtures.flag, "facts/pull_request/base_branch")
	count(base_branch.deny_request) == 1 with input as without with data.config as {}
}

test_the_branch_comes_from_the_setting if {
	count(base_branch.deny_request) == 0 with input as _to("trunk") with data.config.branches.applied as "trunk"
	count(base_branch.deny_request) == 1 with input as fixtures.flag with data.config.branches.applied as "trunk"
}
