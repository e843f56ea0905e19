# METADATA
# title: One environment at a time
# description: >-
#   A request changes the state of one known environment. Rules, people, code and documents belong
#   to none.
# schemas:
#   - input: schema.input
# custom:
#   code: change.one_environment
#   severity: error
#   failure_msg: "the request changes several environments: %s"
#   solution: "Split it into one pull request per environment, sandbox and staging first."
package ops.rules.change.one_environment

import data.ops.lib.result
import data.ops.lib.subject

deny contains violation if {
	subject.is_operational
	count(input.facts.plan.environments) > 1
	violation := result.violation(rego.metadata.chain(), [concat(", ", input.facts.plan.environments)], "")
}

# METADATA
# custom:
#   failure_msg: "the environment %q is not known"
#   solution: "Write the change below infra/environments/<sandbox|staging|production>."
deny contains violation if {
	subject.is_operational
	not _is_known
	environment := object.get(input, ["change", "environment"], "")
	violation := result.violation(rego.metadata.chain(), [environment], input.change.target)
}

_is_known if {
	input.change.environment in data.config.environments.known
	input.change.environment in input.facts.plan.environments
}
