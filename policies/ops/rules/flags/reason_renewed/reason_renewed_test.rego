package ops.rules.flags.reason_renewed_test

import data.ops.lib.fixtures
import data.ops.rules.flags.reason_renewed

_with(values) := fixtures.replaced(fixtures.flag, values)

test_allow_when_the_reason_is_new if {
	count(reason_renewed.deny) == 0 with input as fixtures.flag
}

test_deny_when_a_switched_flag_keeps_its_reason if {
	reason_renewed.deny == {{
		"code": "flags.reason_renewed",
		"severity": "error",
		"msg": `the flag "ops_module_webhooks" is switched but keeps its old reason`,
		"solution": "Write why it is switched now, with `coh flag enable` or `disable` and --reason.",
		"target": "ops_module_webhooks",
	}} with input as _with({"change/after/reason": "Off until reviewed"})
}

test_deny_when_only_case_and_spaces_differ if {
	count(reason_renewed.deny) == 1 with input as _with({"change/after/reason": " off until\n  Reviewed "})
}

test_allow_when_nothing_is_switched if {
	document := _with({"change/after/reason": "Off until reviewed", "change/after/enabled": false})
	count(reason_renewed.deny) == 0 with input as document
}

test_allow_when_it_is_new if {
	count(reason_renewed.deny) == 0 with input as _with({"change/before": null, "change/verb": "create"})
}

test_deny_when_a_reason_is_missing if {
	every path in ["change/before/reason", "change/after/reason"] {
		count(reason_renewed.deny) == 1 with input as fixtures.without(fixtures.flag, path)
	}
}

test_deny_when_the_state_is_missing if {
	every path in ["change/before/enabled", "change/after/enabled"] {
		document := fixtures.without(_with({"change/after/reason": "Off until reviewed"}), path)
		count(reason_renewed.deny) == 1 with input as document
	}
}

test_allow_when_it_is_removed if {
	count(reason_renewed.deny) == 0 with input as _with({"change/verb": "delete", "change/after": null})
}
