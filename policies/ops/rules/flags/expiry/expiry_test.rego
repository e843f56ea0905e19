package ops.rules.flags.expiry_test

import data.ops.lib.fixtures
import data.ops.rules.flags.expiry

_until(date) := fixtures.replaced(fixtures.flag, {"change/after/expires": date})

test_allow_within_the_limits if {
	every date in ["2026-11-25", "2027-02-01", "2027-12-29"] {
		count(expiry.deny) == 0 with input as _until(date)
	}
}

test_deny_when_there_is_no_date if {
	every document in [_until(null), _until("soon"), _until("2027-13-01"), fixtures.without(fixtures.flag, "change/after/expires")] {
		expiry.deny == {{
			"code": "flags.expiry",
			"severity": "error",
			"msg": `the flag "ops_module_webhooks" has no expiry date`,
			"solution": "Write `expires: YYYY-MM-DD`, or remove the flag with `coh flag archive`.",
			"target": "ops_module_webhooks",
		}} with input as document
	}
}

test_deny_when_it_is_today_or_past if {
	every date in ["2026-11-24", "2026-11-23", "2025-12-31"] {
		said := fixtures.messages(expiry.deny) with input as _until(date)
		said == {sprintf(`the flag "ops_module_webhooks" expires on %s, which is not after today`, [date])}
	}
}

test_deny_when_it_is_too_far_ahead if {
	said := fixtures.messages(expiry.deny) with input as _until("2027-12-30")
	said == {`the flag "ops_module_webhooks" expires on 2027-12-30, the furthest date is 2027-12-29`}
}

test_allow_without_date_when_the_type_may_live_for_ever if {
	every type in ["kill_switch", "permission"] {
		every date in [null, "2020-01-01", "2099-01-01"] {
			document := fixtures.replaced(_until(date), {"change/after/type": type})
			count(expiry.deny) == 0 with input as document
		}
	}
}

test_deny_when_a_gate_has_no_date if {
	document := fixtures.replaced(_until(null), {"change/after/type": "destructive_gate"})
	count(expiry.deny) == 1 with input as document
}

test_deny_when_the_type_is_missing if {
	count(expiry.deny) == 1 with input as fixtures.without(_until(null), "change/after/type")
}

test_allow_when_it_is_removed if {
	document := fixtures.replaced(_until(null), {"change/verb": "delete"})
	count(expiry.deny) == 0 with input as document
}
