# METADATA
# title: The decision
# description: >-
#   The only entry. Judges the request once and every change of it with every rule below
#   data.ops.rules; a rule takes part by being there. `deny_request` of a rule is about the pull
#   request as a whole and doesn't see input.change; `deny` and `require_approval` are about
#   input.change. An answer that isn't plainly an allow is a deny.
# schemas:
#   - input: schema.input
package ops.main

# METADATA
# title: Decisions by index
# description: >-
#   Maps the index of each change, as text, to the decision on it. The changes are taken out of the
#   input of a rule: OPA would copy all of them for each one.
# entrypoint: true
decisions := {sprintf("%d", [index]): decision |
	some index, change in input.changes
	judged := _judged with input as {
		"schema": object.get(input, "schema", null),
		"policy_digest": object.get(input, "policy_digest", null),
		"plan_digest": object.get(input, "plan_digest", null),
		"facts": object.get(input, "facts", null),
		"change": change,
	}
	violations := _request_violations | judged.violations
	decision := {
		"schema": "coh.policy-decision/1",
		"outcome": _outcome(violations, judged.approvals),
		"violations": violations,
		"approvals": judged.approvals,
		"rules_evaluated": _rules,
	}
}

_judged := {"violations": _violations, "approvals": _approvals}

_violations contains violation if some violation in data.ops.rules[_][_].deny

_approvals contains approval if some approval in data.ops.rules[_][_].require_approval

_request_violations contains violation if some violation in data.ops.rules[_][_].deny_request

_rules contains sprintf("%s.%s", [domain, rule]) if {
	some domain, rule
	data.ops.rules[domain][rule].deny
}

_rules contains sprintf("%s.%s", [domain, rule]) if {
	some domain, rule
	data.ops.rules[domain][rule].deny_request
}

default _outcome(_, _) := "deny"

_outcome(violations, approvals) := "allow" if {
	count(violations) == 0
	_is_whole
	every approval in approvals { approval.have >= approval.count }
}

_outcome(violations, approvals) := "needs_approval" if {
	count(violations) == 0
	_is_whole
	some approval in approvals
	approval.have < approval.count
}

# A rule that went missing is a no, not a silent yes.
_is_whole if {
	count(_rules) > 0
	_rules == {code | some code in data.config.rules}
}
