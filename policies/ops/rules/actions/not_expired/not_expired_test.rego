package ops.rules.actions.not_expired_test

import data.ops.lib.fixtures
import data.ops.rules.actions.not_expired

_until(moment) := fixtures.replaced(fixtures.action, {"change/after/not_after": moment})

test_allow_inside_the_window if {
	every moment in [
		"2026-11-24T09:00:00.000001Z",
		"2026-11-24T09:00:01Z",
		"2026-11-24T10:30:00+01:00",
		"2026-12-01T09:00:00Z",
	] {
		count(not_expired.deny) == 0 with input as _until(moment)
	}
}

test_deny_when_it_has_passed if {
	not_expired.deny == {{
		"code": "actions.not_expired",
		"severity": "error",
		"msg": "the request was valid until 2026-11-24T09:00:00Z",
		"solution": "Add a new request with a not_after within the allowed days, see `coh action run --help`.",
		"target": "clarivum-web",
	}} with input as _until("2026-11-24T09:00:00Z")
	count(not_expired.deny) == 1 with input as _until("2026-11-24T09:30:00+01:00")
}

test_deny_when_it_is_too_far_ahead if {
	said := fixtures.messages(not_expired.deny) with input as _until("2026-12-01T09:00:00.000001Z")
	said == {"the request is valid until 2026-12-01T09:00:00.000001Z, more than 7 days ahead"}
}

test_deny_when_it_is_no_moment if {
	every moment in [null, "", "tomorrow", "2026-11-24", "2026-11-24T18:00:00", "2026-11-24T24:00:00Z", 5] {
		said := fixtures.messages(not_expired.deny) with input as _until(moment)
		said == {"not_after of the request is no moment such as 2026-11-24T18:00:00Z"}
	}
}

test_deny_when_it_is_missing if {
	count(not_expired.deny) == 1 with input as fixtures.without(fixtures.action, "change/after/not_after")
}

test_allow_when_it_is_no_action if {
	count(not_expired.deny) == 0 with input as fixtures.replaced(_until("2020-01-01T00:00:00Z"), {"change/kind": "flag"})
}
