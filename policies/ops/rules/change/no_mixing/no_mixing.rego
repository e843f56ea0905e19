# METADATA
# title: State and rules don't change together
# description: >-
#   A request that changes rules, people or code changes no state, and one that changes the people of
#   an environment changes nothing else that is guarded: each is read for what it is, by the people
#   it needs, and judged by one list of people.
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
	violation := result.violation(rego.metadata.chain(), [_names(input.facts.plan.guardrail_paths)], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the request changes people and also other guarded paths: %s"
#   solution: "Change the people of one environment in a pull request of its own."
deny contains violation if {
	input.change.kind == "access"
	others := [path |
		some path in input.facts.plan.guardrail_paths
		path != input.change.path
	]
	count(others) > 0
	violation := result.violation(rego.metadata.chain(), [_names(others)], "")
}

_names(paths) := concat(", ", array.slice(paths, 0, _shown))
