"""Check a completion for what usually breaks one, and explain each finding in a sentence.

    subject     what the rules read, and what a server may not have sent
    rules       `Rule`, `Finding`, and the registry of all rules
    calls       calls and their results
    arguments   the arguments of calls
    schemas     JSON Schema, within bounds and without fetching anything
    tools       the definitions of tools, and what the request asked of them
    outputs     answers that are cut, empty, leaked or not in the form that was asked for
    behavior    loops, repetition and failures in a row
    content     media, hidden characters, citations and secrets
    limits      documented limits of the API, and fields it no longer recommends

A rule declares what it needs. If the server does not send that, the report lists the rule as not
checkable, once, and the rule finds nothing. A completion that OpenAI stored was accepted by
OpenAI, so rules on the form of a request explain what happens if the conversation goes on.
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
from webapp.analysis.checks.rules import RULES, Finding, Report, Rule, Severity, check
from webapp.analysis.checks.subject import Need, Subject

__all__ = ["RULES", "Finding", "Need", "Report", "Rule", "Severity", "Subject", "check"]
