# METADATA
# title: A destructive action is confirmed
# description: >-
#   The request file is about the target that the plan names; for a destructive action its author
#   typed the target a second time. What the file says instead is free text and not repeated.
# schemas:
#   - input: schema.input
# custom:
#   code: actions.confirmation
#   severity: error
#   failure_msg: "confirm in %s must repeat the target %q"
#   solution: "Add a new request with the target typed again as confirm."
package ops.rules.actions.confirmation

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.is_action
	subject.is_destructive
	not input.change.after.confirm == input.change.target
	violation := result.violation(rego.metadata.chain(), [_file, input.change.target], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "target in %s is not the target %q of the plan"
#   solution: "Run `coh plan` again; if it stays, this is a bug."
deny contains violation if {
	subject.is_action
	not input.change.after.target == input.change.target
	violation := result.violation(rego.metadata.chain(), [_file, input.change.target], input.change.target)
}

_file := object.get(input, ["change", "path"], "the request file")
