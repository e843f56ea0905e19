package ops.rules.flags.naming_test

import data.ops.lib.fixtures
import data.ops.rules.flags.naming

_named(type, name) := fixtures.replaced(fixtures.flag, {"change/after/type": type, "change/target": name})

test_allow_when_the_name_fits_the_type if {
	every pair in [
		["release", "ops_module_webhooks"],
		["kill_switch", "ops_module_api_proxy2"],
		["permission", "ops_module_a"],
		["destructive_gate", "ops_gate_deployment_rollback"],
	] {
		count(naming.deny) == 0 with input as _named(pair[0], pair[1])
	}
}

test_deny_when_it_does_not if {
	naming.deny == {{
		"code": "flags.naming",
		"severity": "error",
		"msg": `a flag of type release can't be named "ops_gate_webhooks"`,
		"solution": "Name it ops_module_<slug>, or ops_gate_<slug> with type destructive_gate.",
		"target": "ops_gate_webhooks",
	}} with input as _named("release", "ops_gate_webhooks")
}

test_deny_when_the_name_is_odd if {
	every pair in [
		["release", "webhooks"],
		["release", "ops_module_"],
		["release", "ops_module_1"],
		["release", "ops_module_Webhooks"],
		["release", "ops_module_webhooks\n"],
		["release", "my_ops_module_webhooks"],
		["destructive_gate", "ops_module_webhooks"],
		["destructive_gate", "ops_gate_"],
		["destructive_gate", "ops_gate_x-y"],
		["destructive_gate", "no_ops_gate_x"],
	] {
		count(naming.deny) == 1 with input as _named(pair[0], pair[1])
	}
}

test_deny_when_the_type_is_missing if {
	count(naming.deny) == 1 with input as fixtures.without(fixtures.flag, "change/after/type")
	count(naming.deny) == 1 with input as fixtures.replaced(fixtures.flag, {"change/after": null})
}

test_every_verb_that_sets_is_judged if {
	every verb in ["create", "update", "replace"] {
		document := fixtures.replaced(_named("release", "webhooks"), {"change/verb": verb})
		count(naming.deny) == 1 with input as document
	}
}

test_allow_when_it_is_removed if {
	count(naming.deny) == 0 with input as fixtures.replaced(
		_named("release", "webhooks"),
		{"change/verb": "delete", "change/after": null},
	)
}

test_allow_when_it_is_no_flag if {
	count(naming.deny) == 0 with input as fixtures.replaced(_named("release", "webhooks"), {"change/kind": "platform"})
}
