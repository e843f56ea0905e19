# METADATA
# title: Every fact of the change is there
# description: >-
#   A change is judged when all of it is known: its keys, and those of the flag before and after or
#   of the action's request file.
# schemas:
#   - input: schema.input
# custom:
#   code: facts.change_complete
#   severity: error
#   failure_msg: "%s is missing, of the wrong type or an unknown word"
#   solution: "Run `coh plan` again; if it stays, this is a bug of the plan."
package ops.rules.facts.change_complete

import data.ops.lib.result
import data.ops.lib.shape

_text := {"string"}

_text_or_null := {"string", "null"}

_any := {"object", "array", "string", "number", "boolean", "null"}

_types := {
	"target": _text,
	"path": _text,
	"environment": _text,
	"summary": _text,
	"inverse": _text,
	"reversible": {"boolean"},
	"before": _any,
	"after": _any,
	"expected_live": _any,
	"desired_live": _any,
	"action": _text_or_null,
	"gate": _text_or_null,
}

_words := {
	"verb": {"create", "update", "replace", "delete", "act"},
	"kind": {"flag", "access", "platform", "action", "guardrail", "document"},
	"risk": {"safe", "guarded", "destructive"},
}

_flag := {
	"enabled": {"boolean"},
	"owner": _text_or_null,
	"expires": _text_or_null,
	"reason": _text,
	"ticket": _text_or_null,
	"value": _text_or_null,
}

_action := {
	"action": _text,
	"target": _text,
	"params": {"object"},
	"reason": _text,
	"incident": _text_or_null,
	"ticket": _text_or_null,
	"not_after": _text,
	"confirm": _text_or_null,
}

deny contains violation if {
	some path in _problems
	target := object.get(_change, "target", "")
	violation := result.violation(rego.metadata.chain(), [path], target)
}

_problems contains sprintf("change.%s", [key]) if {
	some key in (shape.wrong(_change, _types) | shape.unknown(_change, _words))
}

_problems contains sprintf("change.%s", [key]) if {
	some key in shape.empty(_change, ["target", "path", "summary", "action", "gate"])
}

_problems contains sprintf("change.%s.%s", [side, key]) if {
	input.change.kind == "flag"
	some side, verb in {"before": "create", "after": "delete"}
	input.change.verb != verb
	some key in _wrong_in_flag(shape.part(input.change, side))
}

_problems contains sprintf("change.after.%s", [key]) if {
	input.change.kind == "action"
	after := shape.part(input.change, "after")
	some key in (shape.wrong(after, _action) | shape.empty(after, ["reason"]))
}

_change := shape.part(input, "change")

_wrong_in_flag(value) := (shape.wrong(value, _flag) | shape.empty(value, ["reason"])) | {"type" |
	type := object.get(value, "type", null)
	not _is_flag_type(type)
}

_is_flag_type(type) if type in data.config.flags.types
