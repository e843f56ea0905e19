package ops.checks.annotations_test

import data.ops.checks.annotations

_path(rule) := [{"type": "string", "value": part} | some part in ["data", "ops", "rules", "flags", rule]]

_inspected := {
	"namespaces": {
		"data.config.rules": ["config/rules/data.json"],
		"data.ops.rules.flags.owner": ["owner.rego"],
		"data.ops.rules.flags.owner_test": ["owner_test.rego"],
	},
	"annotations": [
		{"path": _path("owner"), "annotations": {
			"scope": "package",
			"title": "A flag has an owner",
			"description": "A team answers for it.",
			"custom": {"code": "flags.owner", "severity": "error", "failure_msg": "no", "solution": "do"},
		}},
		{"path": array.concat(_path("owner"), [{"type": "string", "value": "deny"}]), "annotations": {
			"scope": "rule",
			"custom": {"failure_msg": "no"},
		}},
	],
}

_problems(changes) := problems if {
	problems := annotations.problems with input as json.patch(_inspected, changes) with data.config.rules as ["flags.owner"]
}

test_allow_when_all_is_there if {
	_problems([]) == set()
}

test_deny_when_a_key_is_missing if {
	every key in ["title", "description"] {
		_problems([{"op": "remove", "path": concat("/", ["annotations/0/annotations", key])}]) == {sprintf("flags.owner: METADATA lacks %s", [key])}
	}
	every key in ["code", "severity", "failure_msg", "solution"] {
		_problems([{"op": "remove", "path": concat("/", ["annotations/0/annotations/custom", key])}]) == {sprintf("flags.owner: METADATA lacks custom.%s", [key])}
	}
}

test_deny_when_the_code_is_not_the_path if {
	_problems([{"op": "replace", "path": "annotations/0/annotations/custom/code", "value": "flags.other"}]) == {"flags.owner: custom.code is flags.other"}
}

test_deny_when_the_severity_is_odd if {
	_problems([{"op": "replace", "path": "annotations/0/annotations/custom/severity", "value": "bad"}]) == {"flags.owner: custom.severity is bad"}
}

test_deny_when_there_is_no_metadata if {
	_problems([{"op": "remove", "path": "annotations/0"}]) == {"flags.owner has no METADATA"}
}

test_deny_when_the_list_differs if {
	_problems([{"op": "add", "path": "namespaces/data.ops.rules.flags.extra", "value": []}]) == {
		"flags.extra has no METADATA",
		"flags.extra is not listed in config/rules",
	}
	_problems([{"op": "remove", "path": "namespaces/data.ops.rules.flags.owner"}]) == {
		"flags.owner is listed in config/rules but does not exist",
		"there are no rules",
	}
}
