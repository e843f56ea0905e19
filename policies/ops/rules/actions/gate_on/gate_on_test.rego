package ops.rules.actions.gate_on_test

import data.ops.lib.fixtures
import data.ops.rules.actions.gate_on

_gate(declared, live) := {"facts/gates/ops_gate_deployment_rollback": {"declared": declared, "live": live}}

_undeclared := {"the gate ops_gate_deployment_rollback is not declared on"}

_not_live := {"the gate ops_gate_deployment_rollback is not on in the live environment"}

test_allow_when_it_is_declared_on_at_check if {
	every live in [null, true, false] {
		count(gate_on.deny) == 0 with input as fixtures.replaced(fixtures.action, _gate(true, live))
	}
}

test_allow_when_it_is_on_at_apply if {
	count(gate_on.deny) == 0 with input as fixtures.at_apply(fixtures.action)
}

test_deny_when_it_is_declared_off if {
	gate_on.deny == {{
		"code": "actions.gate_on",
		"severity": "error",
		"msg": "the gate ops_gate_deployment_rollback is not declared on",
		"solution": "Raise `coh flag enable` for the gate first; it needs an ops_admin.",
		"target": "clarivum-web",
	}} with input as fixtures.replaced(fixtures.action, _gate(false, true))
}

test_deny_when_it_is_not_declared if {
	document := fixtures.replaced(fixtures.action, _gate(null, true))
	fixtures.messages(gate_on.deny) == _undeclared with input as document
}

test_deny_when_it_is_not_live_at_apply if {
	every live in [false, null] {
		document := fixtures.replaced(fixtures.at_apply(fixtures.action), _gate(true, live))
		fixtures.messages(gate_on.deny) == _not_live with input as document
	}
}

test_deny_when_a_fact_is_missing if {
	every path in ["facts/gates", "facts/gates/ops_gate_deployment_rollback"] {
		document := fixtures.without(fixtures.action, path)
		fixtures.messages(gate_on.deny) == _undeclared with input as document
	}
	fixtures.messages(gate_on.deny) == _not_live with input as fixtures.without(fixtures.action, "facts/phase")
}

test_deny_when_the_action_names_another_gate if {
	document := fixtures.replaced(fixtures.action, {
		"change/gate": "ops_gate_other",
		"facts/gates/ops_gate_other": {"declared": true, "live": true},
	})
	said := fixtures.messages(gate_on.deny) with input as document
	said == {"the plan names the gate ops_gate_other for this action, the policies name ops_gate_deployment_rollback"}
}

test_deny_when_a_destructive_action_has_no_gate if {
	unlisted := fixtures.replaced(fixtures.action, {"change/gate": null, "change/action": "odd"})
	fixtures.messages(gate_on.deny) == {"a destructive action without a gate can't be stopped"} with input as unlisted
	count(gate_on.deny) == 2 with input as fixtures.without(fixtures.action, "change/gate")
}

test_allow_when_a_guarded_action_has_no_gate if {
	document := fixtures.replaced(fixtures.action, {"change/gate": null, "change/risk": "guarded"})
	count(gate_on.deny) == 0 with input as document with data.config.actions as {"deployment.rollback": {"gate": null}}
}

test_a_flag_with_a_gate_is_judged if {
	document := fixtures.replaced(fixtures.flag, {"change/gate": "ops_gate_other"})
	fixtures.messages(gate_on.deny) == {"the gate ops_gate_other is not declared on"} with input as document
}

test_allow_when_nothing_needs_a_gate if {
	count(gate_on.deny) == 0 with input as fixtures.flag
}

test_allow_when_a_destructive_flag_change_has_no_gate if {
	count(gate_on.deny) == 0 with input as fixtures.replaced(fixtures.flag, {"change/risk": "destructive"})
}
