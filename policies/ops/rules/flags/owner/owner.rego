# METADATA
# title: A flag has an owner
# description: A team of config/owners answers for the flag.
# schemas:
#   - input: schema.input
# custom:
#   code: flags.owner
#   severity: error
#   failure_msg: "the flag %q has no known owner, it says %v"
#   solution: "Write one of the teams of policies/config/owners as owner."
package ops.rules.flags.owner

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.sets_flag
	not _is_known
	owner := object.get(input, ["change", "after", "owner"], null)
	violation := result.violation(rego.metadata.chain(), [input.change.target, owner], input.change.target)
}

_is_known if input.change.after.owner in data.config.owners
