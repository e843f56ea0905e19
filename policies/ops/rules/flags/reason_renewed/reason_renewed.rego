# METADATA
# title: Switching a flag has a reason of its own
# description: The reason of the last switch does not explain this one.
# schemas:
#   - input: schema.input
# custom:
#   code: flags.reason_renewed
#   severity: error
#   failure_msg: "the flag %q is switched but keeps its old reason"
#   solution: "Write why it is switched now, with `coh flag enable` or `disable` and --reason."
package ops.rules.flags.reason_renewed

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.sets_flag
	is_object(input.change.before)
	not _is_kept
	not _is_renewed
	violation := result.violation(rego.metadata.chain(), [input.change.target], input.change.target)
}

_is_kept if input.change.before.enabled == input.change.after.enabled

_is_renewed if _normal(input.change.before.reason) != _normal(input.change.after.reason)

_normal(text) := regex.replace(lower(trim_space(text)), `\s+`, " ")
