package ops.rules.facts.config_complete_test

import data.ops.rules.facts.config_complete

test_allow_when_all_settings_are_there if {
	count(config_complete.deny_request) == 0
}

test_deny_when_one_is_missing if {
	config_complete.deny_request == {{
		"code": "facts.config_complete",
		"severity": "error",
		"msg": "the policies have no usable setting limits.destructive_per_hour",
		"solution": "Restore policies/config at the base commit and run `scripts/policy-check`.",
		"target": "",
	}} with data.config as json.remove(data.config, ["limits/destructive_per_hour"])
}

test_deny_when_a_limit_is_no_number if {
	count(config_complete.deny_request) == 1 with data.config.limits.flag_expiry_days as "400"
}

test_deny_when_there_are_none if {
	count(config_complete.deny_request) == 20 with data.config as {}
}
