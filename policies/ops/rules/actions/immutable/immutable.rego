# METADATA
# title: A request file is only ever added
# description: >-
#   What was asked stays readable as it was asked. A request file that is changed or removed asks
#   for nothing and rewrites history.
# schemas:
#   - input: schema.input
# custom:
#   code: actions.immutable
#   severity: error
#   failure_msg: "%s changes or removes a request file that exists"
#   solution: "Restore the file and add a new one with `coh action run`."
package ops.rules.actions.immutable

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.is_action
	not _is_new
	path := object.get(input, ["change", "path"], "")
	violation := result.violation(rego.metadata.chain(), [path], input.change.target)
}

_is_new if {
	input.change.verb == "act"
	input.change.before == null
	is_object(input.change.after)
}
