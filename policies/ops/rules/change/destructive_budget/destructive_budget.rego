# METADATA
# title: Few destructive changes in an hour
# description: >-
#   Destructive changes of the last hour (from the audit log) and of this plan stay within a budget,
#   for the environment and for the author in it. At apply an audit log that was not asked is a no.
# schemas:
#   - input: schema.input
# custom:
#   code: change.destructive_budget
#   severity: error
#   failure_msg: "%v destructive changes of the %s in %s within an hour, at most %v are allowed"
#   solution: "Wait until the hour has passed, or split the request. See `coh audit tail`."
package ops.rules.change.destructive_budget

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	_counted
	some whose in ["environment", "author"]
	total := input.facts.recent[input.change.environment][whose] + _planned
	limit := data.config.limits.destructive_per_hour
	total > limit
	arguments := [total, whose, input.change.environment, limit]
	violation := result.violation(rego.metadata.chain(), arguments, "")
}

# METADATA
# custom:
#   failure_msg: "the destructive changes of the last hour in %q are not known"
#   solution: "Run `coh doctor`: the audit log could not be read."
deny contains violation if {
	_counted
	_must_be_known
	not _is_counted
	violation := result.violation(rego.metadata.chain(), [input.change.environment], "")
}

_counted if {
	subject.is_operational
	subject.is_destructive
}

_must_be_known if input.facts.phase != "check"

_must_be_known if input.facts.recent != null

_must_be_known if not _planned

_is_counted if {
	recent := input.facts.recent[input.change.environment]
	is_number(recent.environment)
	is_number(recent.author)
	_planned
}

_planned := planned if {
	planned := input.facts.plan.destructive[input.change.environment]
	is_number(planned)
	planned > 0
}
