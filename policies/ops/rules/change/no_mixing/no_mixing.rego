# METADATA
# title: State and rules don't change together
# description: >-
#   A request that changes rules, people or code changes no state, so that each is read for what it
#   is by the people it needs.
# schemas:
#   - input: schema.input
# custom:
#   code: change.no_mixing
#   severity: error
#   failure_msg: "the request also changes guarded paths: %s"
#   solution: "Move the guarded paths into a pull request of their own."
package ops.rules.change.no_mixing

import data.ops.lib.result
import data.ops.lib.subject

# How many paths a message names; a long list is no help to a reader.
_shown := 5

deny contains violation if {
	subject.is_operational
	count(input.facts.plan.guardrail_paths) > 0
	paths := concat(", ", array.slice(input.facts.plan.guardrail_paths, 0, _shown))
	violation := result.violation(rego.metadata.chain(), [paths], input.change.target)
}
