# METADATA
# title: A flag's name says what it is
# description: >-
#   Flags are named ops_module_<slug>; gates of destructive actions, and only they, ops_gate_<slug>.
# schemas:
#   - input: schema.input
# custom:
#   code: flags.naming
#   severity: error
#   failure_msg: "a flag of type %v can't be named %q"
#   solution: "Name it ops_module_<slug>, or ops_gate_<slug> with type destructive_gate."
package ops.rules.flags.naming

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.sets_flag
	not _fits
	type := object.get(input, ["change", "after", "type"], "")
	violation := result.violation(rego.metadata.chain(), [type, input.change.target], input.change.target)
}

_fits if {
	input.change.after.type == "destructive_gate"
	regex.match(`^ops_gate_[a-z][a-z0-9_]*$`, input.change.target)
}

_fits if {
	input.change.after.type != "destructive_gate"
	regex.match(`^ops_module_[a-z][a-z0-9_]*$`, input.change.target)
}
