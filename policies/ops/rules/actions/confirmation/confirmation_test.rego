package ops.rules.actions.confirmation_test

import data.ops.lib.fixtures
import data.ops.rules.actions.confirmation

test_allow_when_the_target_is_typed_again if {
	count(confirmation.deny) == 0 with input as fixtures.action
}

test_deny_when_it_is_not if {
	confirmation.deny == {{
		"code": "actions.confirmation",
		"severity": "error",
		"msg": `confirm in ops_actions/requests/production/20261124-rollback-web.yaml must repeat the target "clarivum-web"`,
		"solution": "Add a new request with the target typed again as confirm.",
		"target": "clarivum-web",
	}} with input as fixtures.replaced(fixtures.action, {"change/after/confirm": "clarivum-api"})
}

test_no_free_text_of_the_request_is_repeated if {
	every path in ["change/after/confirm", "change/after/target"] {
		document := fixtures.replaced(fixtures.action, {path: "<!channel> <https://evil.example|click> jane@example.org"})
		said := fixtures.messages(confirmation.deny) with input as document
		count(said) == 1
		every message in said { not regex.match(`channel|evil|jane`, message) }
	}
}

test_deny_when_the_path_is_missing if {
	document := fixtures.without(fixtures.replaced(fixtures.action, {"change/after/confirm": null}), "change/path")
	said := fixtures.messages(confirmation.deny) with input as document
	said == {`confirm in the request file must repeat the target "clarivum-web"`}
}

test_deny_when_it_is_null_or_missing if {
	count(confirmation.deny) == 1 with input as fixtures.replaced(fixtures.action, {"change/after/confirm": null})
	count(confirmation.deny) == 1 with input as fixtures.without(fixtures.action, "change/after/confirm")
}

test_allow_without_when_nothing_is_destroyed if {
	count(confirmation.deny) == 0 with input as fixtures.replaced(
		fixtures.action,
		{"change/risk": "guarded", "change/after/confirm": null},
	)
}

test_deny_when_the_request_is_about_another_target if {
	said := fixtures.messages(confirmation.deny) with input as fixtures.replaced(
		fixtures.action,
		{"change/after/target": "clarivum-api", "change/risk": "guarded"},
	)
	said == {`target in ops_actions/requests/production/20261124-rollback-web.yaml is not the target "clarivum-web" of the plan`}
}

test_deny_when_the_target_is_missing if {
	count(confirmation.deny) == 1 with input as fixtures.without(fixtures.action, "change/after/target")
}

test_allow_when_it_is_no_action if {
	count(confirmation.deny) == 0 with input as fixtures.replaced(fixtures.flag, {"change/risk": "destructive"})
}
