package ops.rules.identity.no_fork_test

import data.ops.lib.fixtures
import data.ops.rules.identity.no_fork

test_allow_when_the_head_is_in_this_repository if {
	count(no_fork.deny_request) == 0 with input as fixtures.flag
}

test_deny_when_the_head_is_in_a_fork if {
	no_fork.deny_request == {{
		"code": "identity.no_fork",
		"severity": "error",
		"msg": "the head of the pull request is in a fork",
		"solution": "Push the branch to this repository and raise the pull request from there.",
		"target": "",
	}} with input as fixtures.replaced(fixtures.flag, {"facts/pull_request/from_fork": true})
}

test_deny_when_the_fact_is_missing if {
	count(no_fork.deny_request) == 1 with input as fixtures.without(fixtures.flag, "facts/pull_request/from_fork")
}
