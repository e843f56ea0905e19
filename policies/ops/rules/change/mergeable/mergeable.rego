# METADATA
# title: It merges, or is merged
# description: >-
#   At check the request must merge without a conflict, else the plan shows another state than the
#   merge would bring. At apply it must be merged.
# schemas:
#   - input: schema.input
# custom:
#   code: change.mergeable
#   severity: error
#   failure_msg: "whether the pull request merges without a conflict is not known yet"
#   solution: "Run the check again in a minute; GitHub works it out in the background."
package ops.rules.change.mergeable

import data.ops.lib.result

deny_request contains violation if {
	not input.facts.phase == "apply"
	not is_boolean(object.get(input, ["facts", "pull_request", "mergeable"], null))
	violation := result.violation(rego.metadata.chain(), [], "")
}

# METADATA
# custom:
#   failure_msg: "the pull request is in conflict with its base branch"
#   solution: "Merge the base branch into the request and push the result."
deny_request contains violation if {
	not input.facts.phase == "apply"
	input.facts.pull_request.mergeable == false
	violation := result.violation(rego.metadata.chain(), [], "")
}

# METADATA
# custom:
#   failure_msg: "the pull request is not merged"
#   solution: "Merge the pull request; apply runs by itself after the merge."
deny_request contains violation if {
	input.facts.phase == "apply"
	not input.facts.pull_request.merged == true
	violation := result.violation(rego.metadata.chain(), [], "")
}
