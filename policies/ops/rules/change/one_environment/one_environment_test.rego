package ops.rules.change.one_environment_test

import data.ops.lib.fixtures
import data.ops.rules.change.one_environment

test_allow_when_there_is_one if {
	every document in [fixtures.flag, fixtures.action] {
		count(one_environment.deny) == 0 with input as document
	}
}

test_allow_when_it_belongs_to_none if {
	every document in [fixtures.guardrail, fixtures.document] {
		count(one_environment.deny) == 0 with input as document
	}
}

test_deny_when_there_are_two if {
	one_environment.deny == {{
		"code": "change.one_environment",
		"severity": "error",
		"msg": "the request changes several environments: production, staging",
		"solution": "Split it into one pull request per environment, sandbox and staging first.",
		"target": "",
	}} with input as fixtures.replaced(fixtures.flag, {"facts/plan/environments": ["production", "staging"]})
}

test_deny_when_it_is_not_known if {
	every name in ["", "prod"] {
		said := fixtures.messages(one_environment.deny) with input as fixtures.replaced(
			fixtures.flag,
			{"change/environment": name, "facts/plan/environments": [name]},
		)
		said == {sprintf("the environment %q is not known", [name])}
	}
}

test_deny_when_the_plan_does_not_name_it if {
	said := fixtures.messages(one_environment.deny) with input as fixtures.replaced(
		fixtures.flag,
		{"facts/plan/environments": ["staging"]},
	)
	said == {`the environment "production" is not known`}
}

test_deny_when_the_environment_is_missing if {
	count(one_environment.deny) == 1 with input as fixtures.without(fixtures.flag, "change/environment")
	count(one_environment.deny) == 1 with input as fixtures.without(fixtures.flag, "facts/plan/environments")
}

test_allow_a_document_beside_two_environments if {
	document := fixtures.replaced(fixtures.document, {"facts/plan/environments": ["production", "staging"]})
	count(one_environment.deny) == 0 with input as document
}
