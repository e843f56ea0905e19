package ops.rules.change.mergeable_test

import data.ops.lib.fixtures
import data.ops.rules.change.mergeable

_with(phase, mergeable, merged) := fixtures.replaced(fixtures.flag, {
	"facts/phase": phase,
	"facts/pull_request/mergeable": mergeable,
	"facts/pull_request/merged": merged,
})

test_allow_when_it_merges if {
	count(mergeable.deny_request) == 0 with input as _with("check", true, false)
}

test_deny_when_it_conflicts if {
	mergeable.deny_request == {{
		"code": "change.mergeable",
		"severity": "error",
		"msg": "the pull request is in conflict with its base branch",
		"solution": "Merge the base branch into the request and push the result.",
		"target": "",
	}} with input as _with("check", false, false)
}

test_deny_when_it_is_not_known if {
	said := fixtures.messages(mergeable.deny_request) with input as _with("check", null, false)
	said == {"whether the pull request merges without a conflict is not known yet"}
}

test_deny_when_the_fact_is_missing if {
	every path in ["facts/pull_request/mergeable", "facts/pull_request"] {
		count(mergeable.deny_request) == 1 with input as fixtures.without(fixtures.flag, path)
	}
}

test_allow_when_it_is_merged_at_apply if {
	count(mergeable.deny_request) == 0 with input as _with("apply", null, true)
}

test_deny_when_it_is_not_merged_at_apply if {
	said := fixtures.messages(mergeable.deny_request) with input as _with("apply", true, false)
	said == {"the pull request is not merged"}
}

test_deny_when_the_merge_is_missing_at_apply if {
	document := fixtures.without(_with("apply", true, true), "facts/pull_request/merged")
	count(mergeable.deny_request) == 1 with input as document
}

test_a_conflict_is_no_matter_after_the_merge if {
	count(mergeable.deny_request) == 0 with input as _with("apply", false, true)
}
