# METADATA
# title: Every fact of the request is there
# description: >-
#   A fact that is missing, of the wrong type or an unknown word is a no. Other rules may then read
#   facts without asking whether they exist. At apply the audit log must have been asked.
# schemas:
#   - input: schema.input
# custom:
#   code: facts.request_complete
#   severity: error
#   failure_msg: "%s is missing, of the wrong type or an unknown word"
#   solution: "Run the command again. If it stays, run `coh doctor`: a fact could not be read."
package ops.rules.facts.request_complete

import data.ops.lib.result
import data.ops.lib.shape

_text := {"string"}

_types := {
	"": {"schema": _text, "policy_digest": _text, "plan_digest": _text},
	"facts": {"phase": _text, "now": _text, "gates": {"object"}},
	"facts.plan": {
		"changes": {"number"},
		"environments": {"array"},
		"destructive": {"object"},
		"guardrail_paths": {"array"},
	},
	"facts.pull_request": {
		"number": {"number"},
		"head": _text,
		"base_branch": _text,
		"from_fork": {"boolean"},
		"draft": {"boolean"},
		"merged": {"boolean"},
		"mergeable": {"boolean", "null"},
		"reviews": {"array"},
	},
}

deny_request contains violation if {
	some path in _problems
	violation := result.violation(rego.metadata.chain(), [trim_left(path, ".")], "")
}

_problems contains sprintf("%s.%s", [path, key]) if {
	some path, types in _types
	some key in shape.wrong(_parts[path], types)
}

_problems contains sprintf("%s.%s", [path, key]) if {
	some path, keys in {"": ["policy_digest", "plan_digest"], "facts.pull_request": ["head"]}
	some key in shape.empty(_parts[path], keys)
}

_problems contains sprintf("%s.%s", [path, key]) if {
	some path, words in {"": {"schema": {"coh.policy-input/1"}}, "facts": {"phase": {"check", "apply"}}}
	some key in shape.unknown(_parts[path], words)
}

_problems contains "facts.recent" if {
	type := type_name(object.get(_parts.facts, "recent", false))
	not type in _recent_types
}

_problems contains sprintf("facts.recent.%s.%s", [environment, key]) if {
	input.facts.phase == "apply"
	some environment in input.facts.plan.environments
	recent := shape.part(shape.part(input.facts, "recent"), environment)
	some key in shape.wrong(recent, {"environment": {"number"}, "author": {"number"}})
}

_problems contains sprintf("facts.gates.%s.%s", [name, key]) if {
	some name, _ in input.facts.gates
	gate := shape.part(input.facts.gates, name)
	some key in shape.wrong(gate, {"declared": {"boolean", "null"}, "live": {"boolean", "null"}})
}

_parts := {"": input, "facts": facts, "facts.plan": plan, "facts.pull_request": pull} if {
	facts := shape.part(input, "facts")
	plan := shape.part(facts, "plan")
	pull := shape.part(facts, "pull_request")
}

_recent_types := {"object"} if {
	input.facts.phase == "apply"
} else := {"object", "null"}
