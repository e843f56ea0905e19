# METADATA
# title: The subject
# description: What input.change is, in the words that rules use.
# schemas:
#   - input: schema.input
package ops.lib.subject

# METADATA
# title: It changes state of an environment
# description: In contrast to rules, people, code and documents.
is_operational if input.change.kind in {"action", "flag", "platform"}

# METADATA
# title: It destroys or replaces something
# description: The verb counts as well, whatever risk the plan gave.
is_destructive if input.change.risk == "destructive"

is_destructive if input.change.verb in {"delete", "replace"}

# METADATA
# title: It sets the declared value of a flag
sets_flag if {
	input.change.kind == "flag"
	input.change.verb in {"create", "update", "replace"}
}

# METADATA
# title: It asks for an action
is_action if input.change.kind == "action"

# METADATA
# title: It touches a gate of destructive actions
# description: Before, after or by name, so that no change of type slips out of it.
is_gate if {
	input.change.kind == "flag"
	some side in ["before", "after"]
	input.change[side].type == "destructive_gate"
}

is_gate if {
	input.change.kind == "flag"
	startswith(input.change.target, "ops_gate_")
}
