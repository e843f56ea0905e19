package ops.rules.flags.owner_test

import data.ops.lib.fixtures
import data.ops.rules.flags.owner

test_allow_when_a_known_team_owns_it if {
	every team in ["platform", "operations", "finance", "growth"] {
		count(owner.deny) == 0 with input as fixtures.replaced(fixtures.flag, {"change/after/owner": team})
	}
}

test_deny_when_the_owner_is_not_known if {
	owner.deny == {{
		"code": "flags.owner",
		"severity": "error",
		"msg": `the flag "ops_module_webhooks" has no known owner, it says nobody`,
		"solution": "Write one of the teams of policies/config/owners as owner.",
		"target": "ops_module_webhooks",
	}} with input as fixtures.replaced(fixtures.flag, {"change/after/owner": "nobody"})
}

test_deny_when_the_owner_is_null_or_missing if {
	count(owner.deny) == 1 with input as fixtures.replaced(fixtures.flag, {"change/after/owner": null})
	count(owner.deny) == 1 with input as fixtures.without(fixtures.flag, "change/after/owner")
}

test_deny_when_the_list_is_missing if {
	count(owner.deny) == 1 with input as fixtures.flag with data.config as {}
}

test_allow_when_it_is_no_flag if {
	count(owner.deny) == 0 with input as fixtures.action
}
