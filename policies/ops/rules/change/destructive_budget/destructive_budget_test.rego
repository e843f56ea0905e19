package ops.rules.change.destructive_budget_test

import data.ops.lib.fixtures
import data.ops.rules.change.destructive_budget

_counted(environment, author, planned) := fixtures.replaced(fixtures.at_apply(fixtures.action), {
	"facts/recent": {"production": {"environment": environment, "author": author}},
	"facts/plan/destructive": {"production": planned},
})

_unknown := {`the destructive changes of the last hour in "production" are not known`}

test_allow_up_to_the_limit if {
	count(destructive_budget.deny) == 0 with input as _counted(9, 9, 1)
	count(destructive_budget.deny) == 0 with input as _counted(0, 0, 10)
}

test_deny_above_the_limit_of_the_environment if {
	destructive_budget.deny == {{
		"code": "change.destructive_budget",
		"severity": "error",
		"msg": "11 destructive changes of the environment in production within an hour, at most 10 are allowed",
		"solution": "Wait until the hour has passed, or split the request. See `coh audit tail`.",
		"target": "",
	}} with input as _counted(10, 0, 1)
}

test_deny_above_the_limit_of_the_author if {
	said := fixtures.messages(destructive_budget.deny) with input as _counted(0, 9, 2)
	said == {"11 destructive changes of the author in production within an hour, at most 10 are allowed"}
}

test_allow_when_nothing_is_destroyed if {
	document := fixtures.replaced(_counted(10, 10, 1), {"change/risk": "guarded"})
	count(destructive_budget.deny) == 0 with input as document
}

test_deny_when_the_verb_destroys_whatever_the_risk if {
	document := fixtures.replaced(_counted(10, 0, 1), {"change/risk": "safe", "change/verb": "delete"})
	count(destructive_budget.deny) == 1 with input as document
}

test_allow_when_the_log_was_not_asked_at_check if {
	count(destructive_budget.deny) == 0 with input as fixtures.action
}

test_deny_at_check_when_the_log_was_asked_and_is_above if {
	count(destructive_budget.deny) == 1 with input as fixtures.replaced(_counted(10, 0, 1), {"facts/phase": "check"})
}

test_deny_when_the_log_was_not_asked_at_apply if {
	document := fixtures.replaced(_counted(0, 0, 1), {"facts/recent": null})
	fixtures.messages(destructive_budget.deny) == _unknown with input as document
}

test_deny_when_a_count_is_missing if {
	every path in [
		"facts/recent",
		"facts/recent/production",
		"facts/recent/production/environment",
		"facts/recent/production/author",
		"facts/plan/destructive",
		"facts/plan/destructive/production",
	] {
		document := fixtures.without(_counted(0, 0, 1), path)
		fixtures.messages(destructive_budget.deny) == _unknown with input as document
	}
}

test_deny_when_the_environment_was_not_counted if {
	document := fixtures.replaced(_counted(0, 0, 1), {"facts/recent": {}})
	fixtures.messages(destructive_budget.deny) == _unknown with input as document
}

test_deny_when_the_plan_counts_nothing if {
	fixtures.messages(destructive_budget.deny) == _unknown with input as _counted(0, 0, 0)
	document := fixtures.replaced(fixtures.action, {"facts/plan/destructive": {}})
	fixtures.messages(destructive_budget.deny) == _unknown with input as document
}

test_deny_when_the_plan_counts_in_words if {
	fixtures.messages(destructive_budget.deny) == _unknown with input as _counted(0, 0, "1")
}

test_allow_when_a_rule_is_removed if {
	document := fixtures.replaced(fixtures.at_apply(fixtures.guardrail), {"change/verb": "delete"})
	count(destructive_budget.deny) == 0 with input as document
}
