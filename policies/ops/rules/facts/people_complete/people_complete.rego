# METADATA
# title: Everybody of the request is described
# description: >-
#   Author, last pusher and reviewers carry what decides whether their word counts, and each of them
#   gave at most one verdict.
# schemas:
#   - input: schema.input
# custom:
#   code: facts.people_complete
#   severity: error
#   failure_msg: "%s is missing, of the wrong type, unknown or there twice"
#   solution: "Run the command again. If it stays, run `coh doctor`: a fact could not be read."
package ops.rules.facts.people_complete

import data.ops.lib.result
import data.ops.lib.shape

_text := {"string"}

_person := {"login": _text, "sub": {"string", "null"}, "roles": {"array"}}

deny_request contains violation if {
	some path in _problems
	violation := result.violation(rego.metadata.chain(), [path], "")
}

_problems contains sprintf("facts.pull_request.%s.%s", [side, key]) if {
	some side in ["author", "last_pusher"]
	some key in _wrong_in_person(shape.part(_pull, side))
}

_problems contains sprintf("facts.pull_request.reviews.%d.%s", [index, key]) if {
	some index, review in _reviews
	some key in (shape.wrong(review, {"state": _text, "commit": _text}) | shape.empty(review, ["state"]))
}

_problems contains sprintf("facts.pull_request.reviews.%d.person.%s", [index, key]) if {
	some index, review in _reviews
	some key in _wrong_in_person(shape.part(review, "person"))
}

# Only the latest verdict of a person is a fact; two of them would let an old yes hide a new no.
_problems contains sprintf("facts.pull_request.reviews.%d.person.login", [index]) if {
	some index, review in _reviews
	some other in array.slice(_reviews, 0, index)
	other.person.login != ""
	lower(other.person.login) == lower(review.person.login)
}

_pull := shape.part(shape.part(input, "facts"), "pull_request")

_reviews := input.facts.pull_request.reviews

_wrong_in_person(person) := (shape.wrong(person, _person) | shape.empty(person, ["sub"])) | shape.unknown(
	person,
	{"kind": {"user", "bot", "unknown"}},
)
