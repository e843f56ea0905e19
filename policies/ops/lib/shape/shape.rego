# METADATA
# title: Shapes
# description: >-
#   Finds keys that are missing, of the wrong type, empty or outside the known words. Rules read facts
#   without asking whether they exist; the rules that use this are the ones that ask.
package ops.lib.shape

# METADATA
# title: Keys of an object whose value is missing or of no type that is listed
# description: types_by_key maps a key to a set of type names. What is no object has no keys.
wrong(value, types_by_key) := {key |
	some key, types in types_by_key
	type := type_name(object.get(value, key, _nothing))
	not type in types
}

# METADATA
# title: Keys of an object whose value is an empty text
empty(value, keys) := {key |
	some key in keys
	object.get(value, key, _nothing) == ""
}

# METADATA
# title: Keys of an object whose value is no known word
# description: words_by_key maps a key to a set of words.
unknown(value, words_by_key) := {key |
	some key, words in words_by_key
	word := object.get(value, key, _nothing)
	not word in words
}

# METADATA
# title: The object behind a key, empty when there is none
part(value, key) := found if {
	found := object.get(value, key, _nothing)
	is_object(found)
} else := {}

# JSON has no sets, so this is no value of an input.
_nothing := set()
