package ops.rules.change.approvals_test

import data.ops.lib.fixtures
import data.ops.rules.change.approvals

_reviewed(document, reviews) := fixtures.replaced(document, {"facts/pull_request/reviews": reviews})

_sandbox(document, risk) := fixtures.replaced(document, {
	"change/environment": "sandbox",
	"change/risk": risk,
	"facts/plan/environments": ["sandbox"],
})

_need(document) := {[need.count, need.role, need.have] | some need in needs} if {
	needs := approvals.require_approval with input as document
}

test_whole_result if {
	approvals.require_approval == {{
		"code": "change.approvals",
		"count": 1,
		"role": "ops_editor",
		"have": 1,
		"why": "a wrong change would be felt by operators",
		"target": "ops_module_webhooks",
	}} with input as fixtures.flag
}

test_nobody_for_a_safe_change_of_an_unattended_environment if {
	_need(_sandbox(fixtures.flag, "safe")) == set()
	_need(fixtures.replaced(_sandbox(fixtures.flag, "safe"), {"change/environment": "staging"})) == set()
}

test_editor_for_a_safe_change_elsewhere if {
	_need(fixtures.replaced(fixtures.flag, {"change/risk": "safe"})) == {[1, "ops_editor", 1]}
	_need(fixtures.without(_sandbox(fixtures.flag, "safe"), "change/environment")) == {[1, "ops_editor", 1]}
}

test_editor_or_admin_for_a_guarded_change if {
	every who in [fixtures.second_editor, fixtures.admin] {
		_need(_reviewed(fixtures.flag, [fixtures.approval(who)])) == {[1, "ops_editor", 1]}
	}
	_need(_reviewed(_sandbox(fixtures.flag, "guarded"), [])) == {[1, "ops_editor", 0]}
}

test_admin_for_a_destructive_change if {
	_need(fixtures.action) == {[1, "ops_admin", 1]}
	_need(_reviewed(fixtures.action, [fixtures.approval(fixtures.second_editor)])) == {[1, "ops_admin", 0]}
}

test_admin_when_the_verb_destroys_whatever_the_risk if {
	every verb in ["delete", "replace"] {
		_need(fixtures.replaced(_sandbox(fixtures.flag, "safe"), {"change/verb": verb})) == {[1, "ops_admin", 1]}
	}
}

test_admin_for_rules_and_people if {
	_need(fixtures.guardrail) == {[1, "ops_admin", 1]}
	_need(fixtures.replaced(fixtures.guardrail, {"change/kind": "access"})) == {[1, "ops_admin", 1]}
	_need(_reviewed(fixtures.guardrail, [fixtures.approval(fixtures.second_editor)])) == {[1, "ops_admin", 0]}
}

test_admin_for_a_gate_before_after_or_by_name if {
	every values in [
		{"change/before/type": "destructive_gate"},
		{"change/after/type": "destructive_gate"},
		{"change/target": "ops_gate_deployment_rollback"},
	] {
		_need(fixtures.replaced(_sandbox(fixtures.flag, "safe"), values)) == {[1, "ops_admin", 1]}
	}
}

test_anybody_with_a_role_for_a_document if {
	_need(_reviewed(fixtures.document, [fixtures.approval(fixtures.viewer)])) == {[1, "any", 1]}
	roleless := fixtures.person("li-wen", "auth0|li", [])
	_need(_reviewed(fixtures.document, [fixtures.approval(roleless)])) == {[1, "any", 0]}
}

test_approval_does_not_count if {
	every review in [
		object.union(fixtures.approval(fixtures.admin), {"state": "DISMISSED"}),
		object.union(fixtures.approval(fixtures.admin), {"state": "COMMENTED"}),
		object.union(fixtures.approval(fixtures.admin), {"commit": "2222222222222222222222222222222222222222"}),
		fixtures.approval(fixtures.viewer),
		fixtures.approval(fixtures.editor),
		fixtures.approval(object.union(fixtures.admin, {"kind": "bot"})),
		fixtures.approval(object.union(fixtures.admin, {"kind": "unknown"})),
		fixtures.approval(object.union(fixtures.admin, {"sub": null})),
		fixtures.approval(object.union(fixtures.admin, {"login": ""})),
		fixtures.approval(object.union(fixtures.admin, {"login": "Tariq-Noor"})),
		fixtures.approval(object.union(fixtures.admin, {"sub": "auth0|tariq"})),
		fixtures.approval(object.remove(fixtures.admin, ["roles"])),
	] {
		_need(_reviewed(fixtures.flag, [review])) == {[1, "ops_editor", 0]}
	}
}

test_last_pusher_does_not_count if {
	pushed := fixtures.replaced(fixtures.flag, {"facts/pull_request/last_pusher": fixtures.admin})
	_need(pushed) == {[1, "ops_editor", 0]}
}

test_nobody_counts_when_author_or_pusher_is_missing if {
	every path in ["facts/pull_request/author", "facts/pull_request/last_pusher", "facts/pull_request/head"] {
		_need(fixtures.without(fixtures.flag, path)) == {[1, "ops_editor", 0]}
	}
}

test_nobody_counts_for_an_empty_head if {
	review := object.union(fixtures.approval(fixtures.admin), {"commit": ""})
	document := fixtures.replaced(_reviewed(fixtures.flag, [review]), {"facts/pull_request/head": ""})
	_need(document) == {[1, "ops_editor", 0]}
}

test_one_person_counts_once if {
	twin := object.union(fixtures.admin, {"login": "mara-two"})
	_need(_reviewed(fixtures.flag, [fixtures.approval(fixtures.admin), fixtures.approval(twin)])) == {[1, "ops_editor", 1]}
	two := [fixtures.approval(fixtures.admin), fixtures.approval(fixtures.second_editor)]
	_need(_reviewed(fixtures.flag, two)) == {[1, "ops_editor", 2]}
}

test_allow_when_a_rule_covers_it if {
	count(approvals.deny) == 0 with input as fixtures.flag
}

test_deny_when_no_rule_covers_it if {
	said := fixtures.messages(approvals.deny) with input as fixtures.replaced(fixtures.flag, {"change/risk": "odd"})
	said == {"no approval rule covers kind flag with risk odd"}
	count(approvals.deny) == 1 with input as fixtures.without(fixtures.flag, "change/risk")
}

test_only_a_flag_is_a_gate if {
	document := fixtures.replaced(fixtures.flag, {
		"change/kind": "platform",
		"change/target": "ops_gate_deployment_rollback",
		"change/after/type": "destructive_gate",
	})
	_need(document) == {[1, "ops_editor", 1]}
}
