"""Check a completion for the usual faults, and explain each finding in a sentence.

    subject     the completion that the rules read, and the data that a server may lack
    rules       `Rule`, `Finding`, and the registry of all rules
    calls       calls and their results
    arguments   the arguments of calls
    schemas     JSON Schema, within bounds and without fetching anything
    tools       the definitions of tools, and the request's settings for them
    outputs     answers that are cut, empty, leaked or not in the requested form
    behavior    loops, repetition and failures in a row
    content     media, hidden characters, citations and secrets
    limits      limits of the API, fields it no longer recommends, models it shuts down

A rule declares its needs. If the server does not send one of them, the rule is not run, and the
report lists it once as not checkable. Rules about calls or tools are not run on a completion
without any. OpenAI has accepted the completions that it stores, so rules on the form of a request
explain the consequences if the conversation goes on.
"""

from webapp.analysis.checks import (  # noqa: F401  the rules register themselves
    arguments,
    behavior,
    calls,
    content,
    limits,
    outputs,
    tools,
)
from webapp.analysis.checks.rules import (
    CHECKS_VERSION,
    RULES,
    SEVERITIES,
    Finding,
    Report,
    Rule,
    Severity,
    check,
)
from webapp.analysis.checks.subject import Need, Subject

__all__ = [
    "RULES",
    "SEVERITIES",
    "CHECKS_VERSION",
    "Finding",
    "Need",
    "Report",
    "Rule",
    "Severity",
    "Subject",
    "check",
]
