# METADATA
# title: The action is known
# description: >-
#   An action of config/actions, the same in the plan and in the request file that people read.
# schemas:
#   - input: schema.input
# custom:
#   code: actions.known
#   severity: error
#   failure_msg: "the action %v is not known, or the request file names another one"
#   solution: "Run `coh action list` for the actions that exist."
package ops.rules.actions.known

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.is_action
	not _is_known
	action := object.get(input, ["change", "action"], "")
	violation := result.violation(rego.metadata.chain(), [action], input.change.target)
}

_is_known if {
	data.config.actions[input.change.action]
	input.change.after.action == input.change.action
}
