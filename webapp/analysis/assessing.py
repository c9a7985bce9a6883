"""Assess a stored completion for the filters of the list."""

from __future__ import annotations

from webapp.analysis.checks import Subject, check
from webapp.analysis.runs import find_call_failure
from webapp.exact_json import parse


def assess_completion(text: str) -> tuple[str, ...]:
    """List the severity of each finding in a completion with its messages, as JSON.

    `failed call` is among them once for each call whose result reports a failure.
    """
    subject = Subject.from_document(parse(text))
    failed = sum(find_call_failure(call) is not None for call in subject.iter_calls())
    severities = (finding.severity for finding in check(subject).findings)
    return (*severities, *("failed call",) * failed)
