package ops.rules.identity.author_role_test

import data.ops.lib.fixtures
import data.ops.rules.identity.author_role

_by(document, author) := fixtures.replaced(document, {"facts/pull_request/author": author})

test_allow_when_an_editor_or_admin_asks if {
	every author in [fixtures.editor, fixtures.admin] {
		count(author_role.deny) == 0 with input as _by(fixtures.flag, author)
	}
}

test_allow_when_any_known_person_changes_a_document if {
	every roles in [[], ["ops_viewer"], ["ops_finance"]] {
		author := fixtures.person("li-wen", "auth0|li", roles)
		count(author_role.deny) == 0 with input as _by(fixtures.document, author)
		count(author_role.deny_request) == 0 with input as _by(fixtures.document, author)
	}
}

test_deny_when_the_role_is_not_enough if {
	every roles in [[], ["ops_viewer"], ["ops_finance"], ["owner"]] {
		author := fixtures.person("li-wen", "auth0|li", roles)
		author_role.deny == {{
			"code": "identity.author_role",
			"severity": "error",
			"msg": `the author "li-wen" holds no role that may ask for this change`,
			"solution": "Ask an ops_admin to add the account to access.yaml of the environment, then raise the request again.",
			"target": "",
		}} with input as _by(fixtures.flag, author)
	}
}

test_deny_when_the_author_is_no_known_user if {
	every author in [
		object.union(fixtures.admin, {"kind": "bot"}),
		object.union(fixtures.admin, {"kind": "unknown"}),
		object.union(fixtures.admin, {"sub": null}),
		object.union(fixtures.admin, {"sub": ""}),
		object.remove(fixtures.admin, ["sub"]),
		object.remove(fixtures.admin, ["kind"]),
	] {
		said := fixtures.messages(author_role.deny_request) with input as _by(fixtures.document, author)
		said == {`the author "mara-lind" is no user that the people list knows`}
	}
}

test_deny_when_the_account_is_deleted if {
	said := fixtures.messages(author_role.deny_request) with input as _by(
		fixtures.flag,
		object.union(fixtures.admin, {"login": ""}),
	)
	said == {`the author "" is no user that the people list knows`}
}

test_deny_when_the_author_is_missing if {
	document := fixtures.without(fixtures.flag, "facts/pull_request/author")
	count(author_role.deny) == 1 with input as document
	count(author_role.deny_request) == 1 with input as document
}
