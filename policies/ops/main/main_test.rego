package ops.main_test

import data.ops.lib.fixtures
import data.ops.main

_decided(document) := decision if {
	decision := main.decisions["0"] with input as fixtures.asked(document)
}

_denied_by(document) := {violation.code | some violation in _decided(document).violations}

test_allow if {
	_decided(fixtures.flag) == {
		"schema": "coh.policy-decision/1",
		"outcome": "allow",
		"violations": set(),
		"approvals": {{
			"code": "change.approvals",
			"count": 1,
			"role": "ops_editor",
			"have": 1,
			"why": "a wrong change would be felt by operators",
			"target": "ops_module_webhooks",
		}},
		"rules_evaluated": {code | some code in data.config.rules},
	}
}

test_allow_every_fixture_in_both_phases if {
	every document in [fixtures.flag, fixtures.action, fixtures.guardrail, fixtures.document] {
		_decided(document).outcome == "allow"
		_decided(fixtures.at_apply(document)).outcome == "allow"
	}
}

test_needs_approval if {
	document := fixtures.replaced(fixtures.flag, {"facts/pull_request/reviews": []})
	_decided(document).outcome == "needs_approval"
	_decided(document).violations == set()
}

test_deny_beats_needs_approval if {
	document := fixtures.replaced(
		fixtures.flag,
		{"facts/pull_request/reviews": [], "facts/pull_request/draft": true},
	)
	_decided(document).outcome == "deny"
	_denied_by(document) == {"identity.not_draft"}
}

test_rules_about_the_change_and_the_request_speak if {
	document := fixtures.replaced(
		fixtures.flag,
		{"change/after/owner": "nobody", "facts/pull_request/from_fork": true},
	)
	_denied_by(document) == {"flags.owner", "identity.no_fork"}
}

test_every_index_has_a_decision if {
	odd := object.union(fixtures.asked(fixtures.flag), {"changes": [fixtures.flag.change, null, "text", {}]})
	decisions := main.decisions with input as odd
	{index: decision.outcome | some index, decision in decisions} == {
		"0": "allow",
		"1": "deny",
		"2": "deny",
		"3": "deny",
	}
}

test_deny_when_there_are_no_facts if {
	every key in ["schema", "policy_digest", "plan_digest", "facts"] {
		decisions := main.decisions with input as fixtures.without(fixtures.asked(fixtures.flag), key)
		decisions["0"].outcome == "deny"
	}
}

test_no_changes_no_decisions if {
	main.decisions == {} with input as {}
}

test_deny_when_a_rule_is_missing_or_not_listed if {
	every rules in [array.slice(data.config.rules, 1, 99), array.concat(data.config.rules, ["x.extra"]), []] {
		decisions := main.decisions with input as fixtures.asked(fixtures.flag) with data.config.rules as rules
		decisions["0"].outcome == "deny"
	}
}

test_deny_when_the_settings_are_gone if {
	decisions := main.decisions with input as fixtures.asked(fixtures.flag) with data.config as {}
	decisions["0"].outcome == "deny"
}

test_deny_when_an_approval_is_open_but_a_rule_is_missing if {
	document := fixtures.asked(fixtures.replaced(fixtures.flag, {"facts/pull_request/reviews": []}))
	decisions := main.decisions with input as document with data.config.rules as ["x.extra"]
	decisions["0"].outcome == "deny"
}

test_deny_when_there_are_no_rules if {
	decisions := main.decisions with input as fixtures.asked(fixtures.flag) with data.ops.rules as {} with data.config.rules as []
	decisions["0"].outcome == "deny"
}
