package ops.rules.identity.not_draft_test

import data.ops.lib.fixtures
import data.ops.rules.identity.not_draft

test_allow_when_it_is_ready if {
	count(not_draft.deny_request) == 0 with input as fixtures.flag
}

test_deny_when_it_is_a_draft if {
	not_draft.deny_request == {{
		"code": "identity.not_draft",
		"severity": "error",
		"msg": "the pull request is a draft",
		"solution": "Mark the pull request as ready for review.",
		"target": "",
	}} with input as fixtures.replaced(fixtures.flag, {"facts/pull_request/draft": true})
}

test_deny_when_the_fact_is_missing if {
	count(not_draft.deny_request) == 1 with input as fixtures.without(fixtures.flag, "facts/pull_request/draft")
}
