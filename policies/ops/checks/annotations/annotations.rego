# METADATA
# title: Every rule explains itself
# description: >-
#   Judges the output of `opa inspect --annotations --format json`: each package below ops.rules
#   carries the METADATA that results and the rule catalogue are made of, and its code is its path.
package ops.checks.annotations

_severities := {"error", "warning"}

_required := ["code", "failure_msg", "severity", "solution"]

# METADATA
# title: What is wrong with the annotations
problems contains sprintf("%s: METADATA lacks %s", [name, key]) if {
	some name, annotations in _packages
	some key in ["title", "description"]
	object.get(annotations, [key], "") == ""
}

problems contains sprintf("%s: METADATA lacks custom.%s", [name, key]) if {
	some name, annotations in _packages
	some key in _required
	object.get(annotations, ["custom", key], "") == ""
}

problems contains sprintf("%s: custom.code is %s", [name, code]) if {
	some name, annotations in _packages
	code := annotations.custom.code
	code != name
}

problems contains sprintf("%s: custom.severity is %s", [name, severity]) if {
	some name, annotations in _packages
	severity := annotations.custom.severity
	not severity in _severities
}

problems contains sprintf("%s has no METADATA", [name]) if {
	some name in _rules
	not name in object.keys(_packages)
}

problems contains sprintf("%s is not listed in config/rules", [name]) if {
	some name in _rules
	not _is_listed(name)
}

problems contains sprintf("%s is listed in config/rules but does not exist", [name]) if {
	some name in data.config.rules
	not name in _rules
}

problems contains "there are no rules" if count(_rules) == 0

_rules contains name if {
	some namespace, _ in input.namespaces
	name := _name(split(namespace, "."))
}

_packages[name] := annotation.annotations if {
	some annotation in input.annotations
	annotation.annotations.scope == "package"
	name := _name([segment.value | some segment in annotation.path])
}

_name(path) := concat(".", array.slice(path, 3, 5)) if {
	array.slice(path, 0, 3) == ["data", "ops", "rules"]
	rule := path[4]
	not endswith(rule, "_test")
}

_is_listed(name) if name in data.config.rules
