package ops.rules.change.no_mixing_test

import data.ops.lib.fixtures
import data.ops.rules.change.no_mixing

_mixed(document, paths) := fixtures.replaced(document, {"facts/plan/guardrail_paths": paths})

test_allow_when_only_state_changes if {
	count(no_mixing.deny) == 0 with input as fixtures.flag
}

test_allow_when_only_rules_change if {
	count(no_mixing.deny) == 0 with input as fixtures.guardrail
}

test_allow_when_a_document_changes_beside_rules if {
	count(no_mixing.deny) == 0 with input as _mixed(fixtures.document, ["scripts/lint"])
}

test_deny_when_state_and_rules_change if {
	no_mixing.deny == {{
		"code": "change.no_mixing",
		"severity": "error",
		"msg": "the request also changes guarded paths: scripts/lint",
		"solution": "Move the guarded paths into a pull request of their own.",
		"target": "ops_module_webhooks",
	}} with input as _mixed(fixtures.flag, ["scripts/lint"])
}

test_message_names_five_paths if {
	said := fixtures.messages(no_mixing.deny) with input as _mixed(fixtures.action, ["a", "b", "c", "d", "e", "f"])
	said == {"the request also changes guarded paths: a, b, c, d, e"}
}
