package ops.rules.change.changes_requested_test

import data.ops.lib.fixtures
import data.ops.rules.change.changes_requested

_reviewed(person, state, commit) := fixtures.replaced(
	fixtures.flag,
	{"facts/pull_request/reviews": [{"person": person, "state": state, "commit": commit}]},
)

test_allow_when_nobody_objects if {
	count(changes_requested.deny_request) == 0 with input as fixtures.flag
}

test_deny_when_somebody_asks_for_changes if {
	changes_requested.deny_request == {{
		"code": "change.changes_requested",
		"severity": "error",
		"msg": "li-wen asks for changes",
		"solution": "Settle it with the reviewer; a new review or its dismissal clears this.",
		"target": "",
	}} with input as _reviewed(fixtures.viewer, "CHANGES_REQUESTED", fixtures.head)
}

test_deny_whatever_was_pushed_since if {
	every commit in ["2222222222222222222222222222222222222222", ""] {
		document := _reviewed(fixtures.viewer, "CHANGES_REQUESTED", commit)
		fixtures.messages(changes_requested.deny_request) == {"li-wen asks for changes"} with input as document
	}
}

test_allow_when_the_same_person_approved_since if {
	count(changes_requested.deny_request) == 0 with input as _reviewed(fixtures.viewer, "APPROVED", fixtures.head)
}

test_deny_when_the_last_pusher_asks_for_changes if {
	document := fixtures.replaced(
		_reviewed(fixtures.admin, "CHANGES_REQUESTED", fixtures.head),
		{"facts/pull_request/last_pusher": fixtures.admin},
	)
	fixtures.messages(changes_requested.deny_request) == {"mara-lind asks for changes"} with input as document
}

test_allow_when_the_objection_does_not_count if {
	every document in [
		_reviewed(fixtures.admin, "DISMISSED", fixtures.head),
		_reviewed(object.union(fixtures.admin, {"sub": null}), "CHANGES_REQUESTED", fixtures.head),
		_reviewed(object.union(fixtures.admin, {"roles": []}), "CHANGES_REQUESTED", fixtures.head),
		_reviewed(fixtures.editor, "CHANGES_REQUESTED", fixtures.head),
	] {
		count(changes_requested.deny_request) == 0 with input as document
	}
}

test_allow_when_there_are_no_reviews if {
	count(changes_requested.deny_request) == 0 with input as fixtures.without(fixtures.flag, "facts/pull_request/reviews")
}
