# METADATA
# title: A flag expires
# description: >-
#   A flag carries a date after today and not too far ahead. Types that may live for ever
#   (config/flags) are left alone, so that an emergency switch always works.
# schemas:
#   - input: schema.input
# custom:
#   code: flags.expiry
#   severity: error
#   failure_msg: "the flag %q has no expiry date"
#   solution: "Write `expires: YYYY-MM-DD`, or remove the flag with `coh flag archive`."
package ops.rules.flags.expiry

import data.ops.lib.moments
import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	_must_expire
	not moments.is_date(object.get(input, ["change", "after", "expires"], null))
	violation := result.violation(rego.metadata.chain(), [input.change.target], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the flag %q expires on %s, which is not after today"
deny contains violation if {
	_must_expire
	_date <= moments.today
	violation := result.violation(rego.metadata.chain(), [input.change.target, _date], input.change.target)
}

# METADATA
# custom:
#   failure_msg: "the flag %q expires on %s, the furthest date is %s"
deny contains violation if {
	_must_expire
	furthest := moments.date_ahead(data.config.limits.flag_expiry_days)
	_date > furthest
	arguments := [input.change.target, _date, furthest]
	violation := result.violation(rego.metadata.chain(), arguments, input.change.target)
}

_must_expire if {
	subject.sets_flag
	not _may_stay
}

_may_stay if input.change.after.type in data.config.flags.without_expiry

_date := date if {
	date := input.change.after.expires
	moments.is_date(date)
}
