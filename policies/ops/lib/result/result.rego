# METADATA
# title: Results
# description: >-
#   Builds violations and approvals from the METADATA of the rule that calls, so that the code, the
#   words and the way out of a refusal live in one place. Never undefined: a refusal whose METADATA
#   is broken is still a refusal.
package ops.lib.result

# METADATA
# title: A violation
# description: >-
#   chain is rego.metadata.chain() of the caller; arguments fill custom.failure_msg; target names the
#   object it is about, empty for the pull request as a whole.
violation(chain, arguments, target) := {
	"code": _code(chain),
	"severity": _custom(chain, "severity", "error"),
	"msg": sprintf(_custom(chain, "failure_msg", "refused"), arguments),
	"solution": _custom(chain, "solution", "Run `coh explain` with the code of this rule."),
	"target": target,
}

# METADATA
# title: An approval that is needed
approval(chain, demand, have, target) := {
	"code": _code(chain),
	"count": demand.count,
	"role": demand.role,
	"have": have,
	"why": demand.why,
	"target": target,
}

# data.ops.rules.<domain>.<rule> is judged as <domain>.<rule>; checks/annotations.rego makes sure that
# custom.code says the same.
_code(chain) := concat(".", array.slice(chain[0].path, 2, 4))

# The nearest word wins: the rule's own METADATA before that of its package.
_custom(chain, key, fallback) := [value |
	some link in array.concat(chain, [{"annotations": {"custom": {key: fallback}}}])
	value := link.annotations.custom[key]
][0]
