# METADATA
# title: A destructive action is confirmed
# description: >-
#   The request file is about the target that the plan names; for a destructive action its author
#   typed the target a second time.
# schemas:
#   - input: schema.input
# custom:
#   code: actions.confirmation
#   severity: error
#   failure_msg: "confirm is %v, it must repeat the target %q"
#   solution: "Add a new request with the target typed again as confirm."
package ops.rules.actions.confirmation

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.is_action
	subject.is_destructive
	not input.change.after.confirm == input.change.target
	confirm := object.get(input, ["change", "after", "confirm"], null)
	violation := result.violation(rego.metadata.chain(), [confirm, input.change.target], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the request file is about %v, the plan about %q"
#   solution: "Run `coh plan` again; if it stays, this is a bug."
deny contains violation if {
	subject.is_action
	not input.change.after.target == input.change.target
	target := object.get(input, ["change", "after", "target"], null)
	violation := result.violation(rego.metadata.chain(), [target, input.change.target], input.change.target)
}
