# METADATA
# title: Enough of the right people approve
# description: >-
#   How many people of which role must approve follows from kind, gate and risk (config/approvals).
#   An approval counts once per person, at the head, from a known user with the role who neither
#   wrote nor pushed the change.
# schemas:
#   - input: schema.input
# custom:
#   code: change.approvals
#   severity: error
#   failure_msg: "no approval rule covers kind %v with risk %v"
#   solution: "Add the kind or risk to policies/config/approvals in a pull request of its own."
package ops.rules.change.approvals

import data.ops.lib.people
import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	not _demand
	kind := object.get(input, ["change", "kind"], "")
	risk := object.get(input, ["change", "risk"], "")
	target := object.get(input, ["change", "target"], "")
	violation := result.violation(rego.metadata.chain(), [kind, risk], target)
}

require_approval contains approval if {
	_demand.count > 0
	have := count(people.approvers(_demand.role))
	approval := result.approval(rego.metadata.chain(), _demand, have, input.change.target)
}

_demand := demand if {
	demand := data.config.approvals.by_kind[input.change.kind]
} else := data.config.approvals.gate if {
	subject.is_gate
} else := data.config.approvals.by_risk.destructive if {
	subject.is_destructive
} else := data.config.approvals.by_risk.guarded if {
	input.change.risk == "safe"
	not _is_unattended
} else := data.config.approvals.by_risk[input.change.risk]

_is_unattended if input.change.environment in data.config.environments.unattended
