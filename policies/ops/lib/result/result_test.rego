package ops.lib.result_test

import data.ops.lib.result

_chain := [{"path": ["ops", "rules", "flags", "owner", "deny"]}]

test_a_refusal_without_words_is_still_a_refusal if {
	result.violation(_chain, [], "x") == {
		"code": "flags.owner",
		"severity": "error",
		"msg": "refused",
		"solution": "Run `coh explain` with the code of this rule.",
		"target": "x",
	}
}

test_the_nearest_word_wins if {
	chain := array.concat(
		[{"path": ["ops", "rules", "flags", "owner", "deny"], "annotations": {"custom": {"failure_msg": "near %s"}}}],
		[{"annotations": {"custom": {"failure_msg": "far", "severity": "warning"}}}],
	)
	violation := result.violation(chain, ["by"], "")
	[violation.msg, violation.severity] == ["near by", "warning"]
}
