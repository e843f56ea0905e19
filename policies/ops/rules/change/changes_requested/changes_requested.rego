# METADATA
# title: Nobody asks for changes
# description: >-
#   One known person who asks for changes stops the request, whoever approved and whatever was pushed
#   since: only a new review of the same person or a dismissal clears it.
# schemas:
#   - input: schema.input
# custom:
#   code: change.changes_requested
#   severity: error
#   failure_msg: "%s asks for changes"
#   solution: "Settle it with the reviewer; a new review or its dismissal clears this."
package ops.rules.change.changes_requested

import data.ops.lib.people
import data.ops.lib.result

deny_request contains violation if {
	some login in people.objectors
	violation := result.violation(rego.metadata.chain(), [login], "")
}
