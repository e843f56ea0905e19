# METADATA
# title: The policies' own settings are there
# description: >-
#   A limit or list that is missing makes comparisons undefined, and undefined is silent. So every
#   setting that a rule reads must exist.
# custom:
#   code: facts.config_complete
#   severity: error
#   failure_msg: "the policies have no usable setting %s"
#   solution: "Restore policies/config at the base commit and run `scripts/policy-check`."
package ops.rules.facts.config_complete

import data.ops.lib.result

_settings := {
	["limits", "destructive_per_hour"]: "number",
	["limits", "flag_expiry_days"]: "number",
	["limits", "action_window_days"]: "number",
	["branches", "applied"]: "string",
	["owners"]: "array",
	["environments", "known"]: "array",
	["environments", "unattended"]: "array",
	["roles", "authors"]: "array",
	["roles", "satisfied_by"]: "object",
	["approvals", "by_kind", "access"]: "object",
	["approvals", "by_kind", "document"]: "object",
	["approvals", "by_kind", "guardrail"]: "object",
	["approvals", "by_risk", "safe"]: "object",
	["approvals", "by_risk", "guarded"]: "object",
	["approvals", "by_risk", "destructive"]: "object",
	["approvals", "gate"]: "object",
	["flags", "types"]: "array",
	["flags", "without_expiry"]: "array",
	["actions"]: "object",
	["rules"]: "array",
}

deny_request contains violation if {
	some path, type in _settings
	not _is_there(path, type)
	violation := result.violation(rego.metadata.chain(), [concat(".", path)], "")
}

_is_there(path, type) if type_name(object.get(data.config, path, null)) == type
