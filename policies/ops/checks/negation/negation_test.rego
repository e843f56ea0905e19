package ops.checks.negation_test

import data.ops.checks.negation

_name(parts) := {"type": "ref", "value": [{"type": "var", "value": part} | some part in parts]}

_fact := _name(["input", "x"])

_call(terms) := {"type": "call", "value": terms}

_problems(expression) := problems if {
	module := {"rules": [{"head": {"ref": [{"type": "var", "value": "deny"}]}, "body": [expression]}]}
	problems := negation.problems with input as {"modules": {"a.rego": module}}
}

_found := {"a.rego: rule deny negates a call with a reference as argument"}

test_deny_when_a_reference_is_an_argument if {
	_problems({"negated": true, "terms": [_name(["f"]), _fact]}) == _found
	_problems({"negated": true, "terms": [_name(["internal", "member_2"]), {"type": "var", "value": "x"}, _fact]}) == _found
}

test_deny_when_it_is_inside_a_call if {
	inner := _call([_name(["count"]), _fact])
	_problems({"negated": true, "terms": [_name(["equal"]), inner, {"type": "number", "value": 1}]}) == _found
	_problems({"negated": true, "terms": [_name(["f"]), inner]}) == _found
}

test_allow_when_a_side_of_an_equation_is_a_reference if {
	_problems({"negated": true, "terms": [_name(["equal"]), _fact, {"type": "boolean", "value": true}]}) == set()
}

test_allow_when_a_rule_is_negated if {
	_problems({"negated": true, "terms": {"type": "var", "value": "_is_known"}}) == set()
	_problems({"negated": true, "terms": _fact}) == set()
}

test_allow_when_the_reference_names_a_function if {
	inner := _call([_name(["object", "get"]), _name(["input"]), {"type": "string", "value": "x"}])
	_problems({"negated": true, "terms": [_name(["lib", "f"]), inner]}) == set()
	_problems({"negated": true, "terms": [_name(["equal"]), inner, {"type": "null"}]}) == set()
}

test_allow_when_nothing_is_negated if {
	_problems({"terms": [_name(["f"]), _fact]}) == set()
}

test_deny_when_there_is_nothing_to_judge if {
	negation.problems == {"there are no modules"} with input as {}
}
