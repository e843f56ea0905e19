# METADATA
# title: Moments and dates
# description: >-
#   Time is a fact: input.facts.now. Days are 24 hours, in UTC. Dates compare as text, since
#   YYYY-MM-DD sorts by time.
# schemas:
#   - input: schema.input
package ops.lib.moments

# METADATA
# title: The moment of the decision, in nanoseconds since 1970
now := time.parse_rfc3339_ns(input.facts.now)

# METADATA
# title: The date of the decision
today := date_ahead(0)

# METADATA
# title: The date some days after the decision
date_ahead(days) := time.format([ahead(days), "UTC", "2006-01-02"])

# METADATA
# title: The moment some days after the decision, in nanoseconds since 1970
ahead(days) := now + (((days * 24) * 3600) * 1000000000)

# METADATA
# title: A date written YYYY-MM-DD
is_date(text) if {
	is_string(text)
	regex.match(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`, text)
}

# METADATA
# title: A moment written as RFC 3339
# description: Strict enough that time.parse_rfc3339_ns fails only for a day the month does not have.
is_moment(text) if {
	is_string(text)
	regex.match(
		concat("", [
			`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`,
			`T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`,
		]),
		text,
	)
}
