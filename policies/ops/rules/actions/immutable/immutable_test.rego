package ops.rules.actions.immutable_test

import data.ops.lib.fixtures
import data.ops.rules.actions.immutable

test_allow_when_the_request_is_new if {
	count(immutable.deny) == 0 with input as fixtures.action
}

test_deny_when_the_file_existed if {
	immutable.deny == {{
		"code": "actions.immutable",
		"severity": "error",
		"msg": "ops_actions/requests/production/20261124-rollback-web.yaml changes or removes a request file that exists",
		"solution": "Restore the file and add a new one with `coh action run`.",
		"target": "clarivum-web",
	}} with input as fixtures.replaced(fixtures.action, {"change/before": {"action": "deployment.rollback"}})
}

test_deny_when_the_file_is_removed if {
	count(immutable.deny) == 1 with input as fixtures.replaced(fixtures.action, {"change/after": null})
}

test_deny_for_every_other_verb if {
	every verb in ["create", "update", "replace", "delete"] {
		count(immutable.deny) == 1 with input as fixtures.replaced(fixtures.action, {"change/verb": verb})
	}
}

test_deny_when_a_fact_is_missing if {
	every path in ["change/verb", "change/before", "change/after"] {
		count(immutable.deny) == 1 with input as fixtures.without(fixtures.action, path)
	}
}

test_allow_when_it_is_no_action if {
	count(immutable.deny) == 0 with input as fixtures.flag
}
