"""Who says yes: OPA judges the plan with facts; anything unexpected is a no with its own code."""

from ops_actions.decision.bundle import policy_digest, rule_codes, write_bundle
from ops_actions.decision.document import input_document
from ops_actions.decision.interpret import decide, interpret

__all__ = [
    "decide",
    "input_document",
    "interpret",
    "policy_digest",
    "rule_codes",
    "write_bundle",
]
