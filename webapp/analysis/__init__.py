"""Find the calls, turns, tools and failures of a run, as values.

    assessing    filters of the list by severities of findings, and by failed calls
    checks       the usual faults of a completion, each explained in a sentence
    confidence   the log-probabilities of an answer
    differences  changes between two texts, JSON values, messages or completions
    failures     whether a result or an answer is a failure, by which rule, and what followed
    naming       the arguments of a call, the tool or program that it names, its first words
    runs         `Run`: messages and calls numbered through the transcript, and its tools
    searching    words and regular expressions in messages

Nothing here judges: a failure is a rule that fired, and the words of the result that it fired on.
"""

from webapp.analysis.failures import (
    FailingCalls,
    Failure,
    Step,
    find_answer_failure,
    find_result_failure,
)
from webapp.analysis.runs import Run, RunCall, RunMessage, analyze_run, find_call_failure

__all__ = [
    "Failure",
    "Run",
    "RunCall",
    "RunMessage",
    "FailingCalls",
    "Step",
    "analyze_run",
    "find_answer_failure",
    "find_call_failure",
    "find_result_failure",
]
