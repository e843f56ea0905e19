# METADATA
# title: The author may ask for this
# description: >-
#   Changes come from a user of GitHub whom the people list of the base commit knows. Whoever changes
#   more than documents needs a role that may ask for changes.
# schemas:
#   - input: schema.input
# custom:
#   code: identity.author_role
#   severity: error
#   failure_msg: "the author %q is no user that the people list knows"
#   solution: "Ask an ops_admin to add the account to access.yaml of the environment, then raise the request again."
package ops.rules.identity.author_role

import data.ops.lib.people
import data.ops.lib.result

deny_request contains violation if {
	not _is_known
	login := object.get(input, ["facts", "pull_request", "author", "login"], "")
	violation := result.violation(rego.metadata.chain(), [login], "")
}

# METADATA
# custom:
#   failure_msg: "the author %q holds no role that may ask for this change"
deny contains violation if {
	not input.change.kind == "document"
	not _may_ask
	login := object.get(input, ["facts", "pull_request", "author", "login"], "")
	violation := result.violation(rego.metadata.chain(), [login], "")
}

_is_known if people.is_known(input.facts.pull_request.author)

_may_ask if {
	some role in input.facts.pull_request.author.roles
	role in data.config.roles.authors
}
