# METADATA
# title: No request from a fork
# description: The head must be a branch of this repository, where branch rules and the push log hold.
# schemas:
#   - input: schema.input
# custom:
#   code: identity.no_fork
#   severity: error
#   failure_msg: "the head of the pull request is in a fork"
#   solution: "Push the branch to this repository and raise the pull request from there."
package ops.rules.identity.no_fork

import data.ops.lib.result

deny_request contains violation if {
	not input.facts.pull_request.from_fork == false
	violation := result.violation(rego.metadata.chain(), [], "")
}
