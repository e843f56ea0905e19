# METADATA
# title: The gate is on
# description: >-
#   A change that names a gate runs only while that flag is on: as declared at the base commit and,
#   at apply, live as well. An action names the gate of config/actions; a destructive one has a gate.
# schemas:
#   - input: schema.input
# custom:
#   code: actions.gate_on
#   severity: error
#   failure_msg: "the gate %s is not declared on"
#   solution: "Raise `coh flag enable` for the gate first; it needs an ops_admin."
package ops.rules.actions.gate_on

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	is_string(input.change.gate)
	not input.facts.gates[input.change.gate].declared == true
	violation := result.violation(rego.metadata.chain(), [input.change.gate], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the gate %s is not on in the live environment"
#   solution: "Run `coh infra preview`: the gate is declared on but was not read as on."
deny contains violation if {
	is_string(input.change.gate)
	not input.facts.phase == "check"
	not input.facts.gates[input.change.gate].live == true
	violation := result.violation(rego.metadata.chain(), [input.change.gate], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the plan names the gate %v for this action, the policies name %v"
#   solution: "Bring the action's catalogue entry and policies/config/actions together."
deny contains violation if {
	subject.is_action
	demanded := object.get(data.config.actions, [input.change.action, "gate"], null)
	gate := object.get(input, ["change", "gate"], null)
	gate != demanded
	violation := result.violation(rego.metadata.chain(), [gate, demanded], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "a destructive action without a gate can't be stopped"
#   solution: "Give the action a gate in its catalogue entry and in policies/config/actions."
deny contains violation if {
	subject.is_action
	subject.is_destructive
	not is_string(object.get(input, ["change", "gate"], null))
	violation := result.violation(rego.metadata.chain(), [], input.change.target)
}
