package ops.rules.facts.people_complete_test

import data.ops.lib.fixtures
import data.ops.rules.facts.people_complete

_said(document) := said if {
	said := fixtures.messages(people_complete.deny_request) with input as document
}

_missing(path) := {sprintf("%s is missing, of the wrong type, unknown or there twice", [path])}

_dotted(path) := concat(".", split(path, "/"))

test_allow_when_all_is_there if {
	every document in [fixtures.flag, fixtures.action, fixtures.guardrail, fixtures.document] {
		_said(document) == set()
		_said(fixtures.at_apply(document)) == set()
	}
}

test_whole_result if {
	people_complete.deny_request == {{
		"code": "facts.people_complete",
		"severity": "error",
		"msg": "facts.pull_request.author.sub is missing, of the wrong type, unknown or there twice",
		"solution": "Run the command again. If it stays, run `coh doctor`: a fact could not be read.",
		"target": "",
	}} with input as fixtures.without(fixtures.flag, "facts/pull_request/author/sub")
}

test_deny_when_a_fact_is_missing if {
	every path in [
		"facts/pull_request/author/login",
		"facts/pull_request/author/kind",
		"facts/pull_request/last_pusher/sub",
		"facts/pull_request/last_pusher/roles",
		"facts/pull_request/reviews/0/state",
		"facts/pull_request/reviews/0/commit",
		"facts/pull_request/reviews/0/person/kind",
		"facts/pull_request/reviews/0/person/sub",
	] {
		_said(fixtures.without(fixtures.action, path)) == _missing(_dotted(path))
	}
}

test_deny_when_the_type_is_wrong if {
	every path, value in {
		"facts/pull_request/author/kind": "robot",
		"facts/pull_request/author/sub": "",
		"facts/pull_request/last_pusher/login": null,
		"facts/pull_request/reviews/0/state": "",
	} {
		_said(fixtures.replaced(fixtures.document, {path: value})) == _missing(_dotted(path))
	}
}

test_deny_when_somebody_is_missing if {
	count(_said(fixtures.without(fixtures.flag, "facts/pull_request/author"))) == 4
	count(_said(fixtures.without(fixtures.flag, "facts/pull_request/reviews/0/person"))) == 4
	count(_said(fixtures.replaced(fixtures.flag, {"facts/pull_request/author": "tariq-noor"}))) == 4
}

test_deny_when_there_is_nothing if {
	count(_said({})) == 8
}

test_deny_when_a_person_has_two_verdicts if {
	twin := fixtures.approval(object.union(fixtures.admin, {"login": "Mara-Lind"}))
	document := fixtures.replaced(
		fixtures.flag,
		{"facts/pull_request/reviews": [fixtures.approval(fixtures.admin), twin]},
	)
	_said(document) == _missing("facts.pull_request.reviews.1.person.login")
}

test_allow_when_two_deleted_accounts_reviewed if {
	deleted := {"login": "", "kind": "unknown", "sub": null, "roles": []}
	document := fixtures.replaced(
		fixtures.flag,
		{"facts/pull_request/reviews": [fixtures.approval(deleted), fixtures.approval(deleted)]},
	)
	_said(document) == set()
}

test_allow_when_two_people_reviewed if {
	document := fixtures.replaced(
		fixtures.flag,
		{"facts/pull_request/reviews": [fixtures.approval(fixtures.admin), fixtures.approval(fixtures.viewer)]},
	)
	_said(document) == set()
}
