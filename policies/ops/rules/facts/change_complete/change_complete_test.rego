package ops.rules.facts.change_complete_test

import data.ops.lib.fixtures
import data.ops.rules.facts.change_complete

_said(document) := said if {
	said := fixtures.messages(change_complete.deny) with input as document
}

_missing(path) := {sprintf("%s is missing, of the wrong type or an unknown word", [path])}

_dotted(path) := concat(".", split(path, "/"))

test_allow_when_all_is_there if {
	every document in [fixtures.flag, fixtures.action, fixtures.guardrail, fixtures.document] {
		_said(document) == set()
	}
}

test_whole_result if {
	change_complete.deny == {{
		"code": "facts.change_complete",
		"severity": "error",
		"msg": "change.gate is missing, of the wrong type or an unknown word",
		"solution": "Run `coh plan` again; if it stays, this is a bug of the plan.",
		"target": "ops_module_webhooks",
	}} with input as fixtures.without(fixtures.flag, "change/gate")
}

test_deny_when_a_key_is_missing if {
	every path in [
		"change/target",
		"change/verb",
		"change/kind",
		"change/risk",
		"change/environment",
		"change/path",
		"change/before",
		"change/after",
		"change/expected_live",
		"change/desired_live",
		"change/summary",
		"change/inverse",
		"change/reversible",
		"change/action",
		"change/gate",
	] {
		_said(fixtures.without(fixtures.document, path)) == _missing(_dotted(path))
	}
}

test_deny_when_an_action_lacks_a_key if {
	every key in ["action", "target", "params", "reason", "incident", "ticket", "not_after", "confirm"] {
		path := concat("/", ["change/after", key])
		_said(fixtures.without(fixtures.action, path)) == _missing(_dotted(path))
	}
	_said(fixtures.replaced(fixtures.action, {"change/after/reason": ""})) == _missing("change.after.reason")
	count(_said(fixtures.replaced(fixtures.action, {"change/after": null}))) == 8
}

test_deny_when_a_flag_lacks_a_key if {
	every side in ["before", "after"] {
		every key in ["enabled", "type", "owner", "expires", "reason", "ticket", "value"] {
			path := concat("/", ["change", side, key])
			_said(fixtures.without(fixtures.flag, path)) == _missing(_dotted(path))
		}
	}
}

test_the_side_that_is_not_there_is_not_judged if {
	_said(fixtures.replaced(fixtures.flag, {"change/verb": "create", "change/before": null})) == set()
	_said(fixtures.replaced(fixtures.flag, {"change/verb": "delete", "change/after": null})) == set()
	count(_said(fixtures.replaced(fixtures.flag, {"change/after": null}))) == 7
}

test_deny_when_the_value_is_wrong if {
	every path, value in {
		"change/verb": "run",
		"change/kind": "other",
		"change/risk": "low",
		"change/target": null,
		"change/path": "",
		"change/reversible": "yes",
		"change/gate": "",
	} {
		_said(fixtures.replaced(fixtures.document, {path: value})) == _missing(_dotted(path))
	}
	every path, value in {
		"change/after/type": "temporary",
		"change/after/enabled": "true",
		"change/before/reason": "",
		"change/after/expires": 20270201,
	} {
		_said(fixtures.replaced(fixtures.flag, {path: value})) == _missing(_dotted(path))
	}
}

test_deny_when_there_is_nothing if {
	count(_said({})) == 15
	count(_said({"change": "flag"})) == 15
}
