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

test_allow_when_several_rules_change if {
	paths := ["policies/config/limits/data.yaml", "scripts/lint"]
	count(no_mixing.deny) == 0 with input as _mixed(fixtures.guardrail, paths)
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

_staging := "infra/environments/staging/access.yaml"

_production := "infra/environments/production/access.yaml"

_access(paths) := fixtures.replaced(fixtures.guardrail, {
	"change/kind": "access",
	"change/environment": "staging",
	"change/target": "auth0|li",
	"change/path": _staging,
	"facts/plan/environments": ["staging"],
	"facts/plan/guardrail_paths": paths,
})

test_allow_when_only_people_of_one_environment_change if {
	count(no_mixing.deny) == 0 with input as _access([_staging])
}

test_deny_when_people_and_rules_change if {
	no_mixing.deny == {{
		"code": "change.no_mixing",
		"severity": "error",
		"msg": "the request changes people and also other guarded paths: policies/ops/main/main.rego",
		"solution": "Change the people of one environment in a pull request of its own.",
		"target": "",
	}} with input as _access([_staging, "policies/ops/main/main.rego"])
}

test_deny_when_people_of_two_environments_change if {
	said := fixtures.messages(no_mixing.deny) with input as _access([_production, _staging])
	said == {sprintf("the request changes people and also other guarded paths: %s", [_production])}
}

test_message_about_people_names_five_paths if {
	said := fixtures.messages(no_mixing.deny) with input as _access(["a", "b", "c", "d", "e", "f", _staging])
	said == {"the request changes people and also other guarded paths: a, b, c, d, e"}
}
