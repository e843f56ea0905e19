# METADATA
# title: Nothing undefined is negated
# description: >-
#   In `not f(input.x)` and `not input.x in data.y` OPA looks the arguments up before it negates: when
#   one is missing, the whole body is undefined and the rule keeps silent. A refusal must speak then,
#   so a negated call takes no references as arguments; the question moves into a rule of its own,
#   and that rule is negated. Judges {"modules": {path: output of `opa parse --format json`}}.
package ops.checks.negation

# METADATA
# title: Where a negated call would keep silent
problems contains sprintf("%s: rule %s negates a call with a reference as argument", [path, name]) if {
	some path, module in input.modules
	some rule in module.rules
	name := rule.head.ref[0].value
	[_, expression] := walk(rule)
	expression.negated == true
	some argument in _arguments(expression.terms)
	_refers(argument)
}

problems contains "there are no modules" if object.get(input, ["modules"], {}) == {}

# Both sides of `==` are looked up inside the negation, unless they are calls themselves.
_arguments(terms) := [term |
	some term in array.slice(terms, 1, count(terms))
	term.type == "call"
] if {
	is_array(terms)
	terms[0].value[0].value == "equal"
} else := array.slice(terms, 1, count(terms)) if {
	is_array(terms)
} else := []

_refers(argument) if {
	[_, term] := walk(argument)
	term.type == "ref"
	count(term.value) > 1
	not _is_called(argument, term)
}

# The name of a called function is a reference as well.
_is_called(argument, term) if {
	[_, call] := walk(argument)
	call.type == "call"
	call.value[0] == term
}
