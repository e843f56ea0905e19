# METADATA
# title: The action's window is open
# description: An action runs before its not_after, and nobody asks for one weeks ahead.
# schemas:
#   - input: schema.input
# custom:
#   code: actions.not_expired
#   severity: error
#   failure_msg: "not_after of the request is no moment such as 2026-11-24T18:00:00Z"
#   solution: "Add a new request with a not_after within the allowed days, see `coh action run --help`."
package ops.rules.actions.not_expired

import data.ops.lib.moments
import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.is_action
	not moments.is_moment(object.get(input, ["change", "after", "not_after"], null))
	violation := result.violation(rego.metadata.chain(), [], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the request was valid until %s"
deny contains violation if {
	_end <= moments.now
	violation := result.violation(rego.metadata.chain(), [input.change.after.not_after], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the request is valid until %s, more than %v days ahead"
deny contains violation if {
	days := data.config.limits.action_window_days
	_end > moments.ahead(days)
	arguments := [input.change.after.not_after, days]
	violation := result.violation(rego.metadata.chain(), arguments, input.change.target)
}

_end := time.parse_rfc3339_ns(input.change.after.not_after) if {
	subject.is_action
	moments.is_moment(input.change.after.not_after)
}
