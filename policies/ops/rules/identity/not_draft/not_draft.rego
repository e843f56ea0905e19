# METADATA
# title: No draft
# description: A draft says itself that it is not meant yet.
# schemas:
#   - input: schema.input
# custom:
#   code: identity.not_draft
#   severity: error
#   failure_msg: "the pull request is a draft"
#   solution: "Mark the pull request as ready for review."
package ops.rules.identity.not_draft

import data.ops.lib.result

deny_request contains violation if {
	not input.facts.pull_request.draft == false
	violation := result.violation(rego.metadata.chain(), [], "")
}
