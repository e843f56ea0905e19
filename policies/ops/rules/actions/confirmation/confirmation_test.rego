package ops.rules.actions.confirmation_test

import data.ops.lib.fixtures
import data.ops.rules.actions.confirmation

test_allow_when_the_target_is_typed_again if {
	count(confirmation.deny) == 0 with input as fixtures.action
}

test_deny_when_it_is_not if {
	confirmation.deny == {{
		"code": "actions.confirmation",
		"severity": "error",
		"msg": `confirm is clarivum-api, it must repeat the target "clarivum-web"`,
		"solution": "Add a new request with the target typed again as confirm.",
		"target": "clarivum-web",
	}} with input as fixtures.replaced(fixtures.action, {"change/after/confirm": "clarivum-api"})
}

test_deny_when_it_is_null_or_missing if {
	count(confirmation.deny) == 1 with input as fixtures.replaced(fixtures.action, {"change/after/confirm": null})
	count(confirmation.deny) == 1 with input as fixtures.without(fixtures.action, "change/after/confirm")
}

test_allow_without_when_nothing_is_destroyed if {
	count(confirmation.deny) == 0 with input as fixtures.replaced(
		fixtures.action,
		{"change/risk": "guarded", "change/after/confirm": null},
	)
}

test_deny_when_the_request_is_about_another_target if {
	said := fixtures.messages(confirmation.deny) with input as fixtures.replaced(
		fixtures.action,
		{"change/after/target": "clarivum-api", "change/risk": "guarded"},
	)
	said == {`the request file is about clarivum-api, the plan about "clarivum-web"`}
}

test_deny_when_the_target_is_missing if {
	count(confirmation.deny) == 1 with input as fixtures.without(fixtures.action, "change/after/target")
}

test_allow_when_it_is_no_action if {
	count(confirmation.deny) == 0 with input as fixtures.replaced(fixtures.flag, {"change/risk": "destructive"})
}
