package ops.rules.actions.known_test

import data.ops.lib.fixtures
import data.ops.rules.actions.known

test_allow_when_it_is_known if {
	count(known.deny) == 0 with input as fixtures.action
}

test_deny_when_it_is_not if {
	known.deny == {{
		"code": "actions.known",
		"severity": "error",
		"msg": "the action database.drop is not known, or the request file names another one",
		"solution": "Run `coh action list` for the actions that exist.",
		"target": "clarivum-web",
	}} with input as fixtures.replaced(
		fixtures.action,
		{"change/action": "database.drop", "change/after/action": "database.drop"},
	)
}

test_deny_when_the_request_names_another_one if {
	count(known.deny) == 1 with input as fixtures.replaced(fixtures.action, {"change/after/action": "other.action"})
}

test_deny_when_the_name_is_missing if {
	every path in ["change/action", "change/after/action", "change/after"] {
		count(known.deny) == 1 with input as fixtures.without(fixtures.action, path)
	}
	count(known.deny) == 1 with input as fixtures.replaced(fixtures.action, {"change/action": null})
}

test_deny_when_the_list_is_missing if {
	count(known.deny) == 1 with input as fixtures.action with data.config as {}
}

test_allow_when_it_is_no_action if {
	count(known.deny) == 0 with input as fixtures.flag
}
