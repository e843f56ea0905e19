# METADATA
# title: The last pusher is known
# description: >-
#   Whoever moved the head last can't approve it. That can only be judged when GitHub says who it
#   was and the people list knows them.
# schemas:
#   - input: schema.input
# custom:
#   code: change.last_pusher_known
#   severity: error
#   failure_msg: "the head was last pushed by %q, which is no user that the people list knows"
#   solution: "Push an empty commit from a known account and ask for the approvals again."
package ops.rules.change.last_pusher_known

import data.ops.lib.people
import data.ops.lib.result

deny_request contains violation if {
	not _is_known
	login := object.get(input, ["facts", "pull_request", "last_pusher", "login"], "")
	violation := result.violation(rego.metadata.chain(), [login], "")
}

_is_known if people.is_known(input.facts.pull_request.last_pusher)
