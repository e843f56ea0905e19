package ops.rules.facts.request_complete_test

import data.ops.lib.fixtures
import data.ops.rules.facts.request_complete

_said(document) := said if {
	said := fixtures.messages(request_complete.deny_request) with input as document
}

_missing(path) := {sprintf("%s is missing, of the wrong type or an unknown word", [path])}

_dotted(path) := concat(".", split(path, "/"))

test_allow_when_all_is_there if {
	every document in [fixtures.flag, fixtures.action, fixtures.guardrail, fixtures.document] {
		_said(document) == set()
		_said(fixtures.at_apply(document)) == set()
	}
}

test_whole_result if {
	request_complete.deny_request == {{
		"code": "facts.request_complete",
		"severity": "error",
		"msg": "plan_digest is missing, of the wrong type or an unknown word",
		"solution": "Run the command again. If it stays, run `coh doctor`: a fact could not be read.",
		"target": "",
	}} with input as fixtures.without(fixtures.flag, "plan_digest")
}

test_deny_when_a_fact_is_missing if {
	every path in [
		"schema",
		"policy_digest",
		"facts/phase",
		"facts/now",
		"facts/gates",
		"facts/recent",
		"facts/plan/changes",
		"facts/plan/environments",
		"facts/plan/destructive",
		"facts/plan/guardrail_paths",
		"facts/pull_request/number",
		"facts/pull_request/head",
		"facts/pull_request/base_branch",
		"facts/pull_request/from_fork",
		"facts/pull_request/draft",
		"facts/pull_request/merged",
		"facts/pull_request/mergeable",
		"facts/pull_request/reviews",
	] {
		_said(fixtures.without(fixtures.action, path)) == _missing(_dotted(path))
	}
}

test_deny_when_the_type_is_wrong if {
	every path, value in {
		"schema": "coh.policy-input/2",
		"policy_digest": "",
		"plan_digest": 5,
		"facts/phase": "later",
		"facts/now": 5,
		"facts/gates": null,
		"facts/recent": [],
		"facts/plan/changes": "1",
		"facts/pull_request/head": "",
		"facts/pull_request/from_fork": "false",
		"facts/pull_request/draft": 0,
		"facts/pull_request/merged": null,
		"facts/pull_request/mergeable": "true",
		"facts/pull_request/reviews": {},
	} {
		_said(fixtures.replaced(fixtures.document, {path: value})) == _missing(_dotted(path))
	}
}

test_deny_when_a_part_is_missing if {
	count(_said(fixtures.without(fixtures.flag, "facts/plan"))) == 4
}

test_deny_when_the_log_was_not_asked_at_apply if {
	document := fixtures.replaced(fixtures.at_apply(fixtures.flag), {"facts/recent": null})
	"facts.recent is missing, of the wrong type or an unknown word" in _said(document)
}

test_deny_when_an_environment_of_the_plan_was_not_counted_at_apply if {
	every key in ["environment", "author"] {
		path := concat("/", ["facts/recent/production", key])
		_said(fixtures.without(fixtures.at_apply(fixtures.flag), path)) == _missing(_dotted(path))
	}
	count(_said(fixtures.replaced(fixtures.at_apply(fixtures.flag), {"facts/recent": {}}))) == 2
	count(_said(fixtures.replaced(fixtures.flag, {"facts/recent": {}}))) == 0
}

test_deny_when_a_gate_lacks_a_state if {
	every key in ["declared", "live"] {
		path := concat("/", ["facts/gates/ops_gate_deployment_rollback", key])
		_said(fixtures.without(fixtures.action, path)) == _missing(_dotted(path))
		_said(fixtures.replaced(fixtures.action, {path: "on"})) == _missing(_dotted(path))
	}
	count(_said(fixtures.replaced(fixtures.action, {"facts/gates": {"ops_gate_x": true}}))) == 2
}

test_deny_when_there_is_nothing if {
	count(_said({})) == 19
}
