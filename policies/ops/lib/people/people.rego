# METADATA
# title: People
# description: >-
#   Who somebody is and whose word counts. Every predicate is positive: a missing fact makes it
#   undefined, and nobody counts.
# schemas:
#   - input: schema.input
package ops.lib.people

# METADATA
# title: A known person
# description: A user of GitHub whom the people list of the base commit knows.
is_known(person) if {
	person.kind == "user"
	person.login != ""
	is_string(person.sub)
	person.sub != ""
}

# METADATA
# title: A role that satisfies a demand
has_role(person, demanded) if {
	some role in person.roles
	role in data.config.roles.satisfied_by[demanded]
}

# METADATA
# title: Subs of the people whose approval at the head counts for a role
approvers(role) := {review.person.sub |
	some review in input.facts.pull_request.reviews
	review.state == "APPROVED"
	review.commit != ""
	review.commit == input.facts.pull_request.head
	is_known(review.person)
	has_role(review.person, role)
	_is_other(review.person, input.facts.pull_request.author)
	_is_other(review.person, input.facts.pull_request.last_pusher)
}

# METADATA
# title: Logins of the people who ask for changes
# description: >-
#   At any commit: a push answers nobody, as a yes must be for the head but a no stays until the same
#   person reviews again or it is dismissed. The last pusher's no counts; only a yes needs somebody
#   who did not write it.
objectors contains review.person.login if {
	some review in input.facts.pull_request.reviews
	review.state == "CHANGES_REQUESTED"
	is_known(review.person)
	has_role(review.person, "any")
	_is_other(review.person, input.facts.pull_request.author)
}

_is_other(person, one) if {
	lower(person.login) != lower(one.login)
	person.sub != one.sub
}
