package ops.rules.change.last_pusher_known_test

import data.ops.lib.fixtures
import data.ops.rules.change.last_pusher_known

test_allow_when_a_known_user_pushed if {
	count(last_pusher_known.deny_request) == 0 with input as fixtures.flag
}

test_deny_when_the_pusher_is_no_known_user if {
	every change in [{"kind": "bot"}, {"kind": "unknown"}, {"sub": null}] {
		last_pusher_known.deny_request == {{
			"code": "change.last_pusher_known",
			"severity": "error",
			"msg": `the head was last pushed by "tariq-noor", which is no user that the people list knows`,
			"solution": "Push an empty commit from a known account and ask for the approvals again.",
			"target": "",
		}} with input as fixtures.replaced(
			fixtures.flag,
			{"facts/pull_request/last_pusher": object.union(fixtures.editor, change)},
		)
	}
}

test_deny_when_the_pusher_is_missing if {
	said := fixtures.messages(last_pusher_known.deny_request) with input as fixtures.without(
		fixtures.flag,
		"facts/pull_request/last_pusher",
	)
	said == {`the head was last pushed by "", which is no user that the people list knows`}
}
