# METADATA
# title: It goes to the branch that is applied
# description: >-
#   The base of the request is the branch of config/branches, at check and at apply: what is merged
#   elsewhere was reviewed for something else and is never applied.
# schemas:
#   - input: schema.input
# custom:
#   code: change.base_branch
#   severity: error
#   failure_msg: "the pull request does not go to %v, the only branch that is applied"
#   solution: "Change the base of the pull request to that branch; if it is merged, raise a new one."
package ops.rules.change.base_branch

import data.ops.lib.result

deny_request contains violation if {
	not input.facts.pull_request.base_branch == data.config.branches.applied
	applied := object.get(data.config, ["branches", "applied"], null)
	violation := result.violation(rego.metadata.chain(), [applied], "")
}
