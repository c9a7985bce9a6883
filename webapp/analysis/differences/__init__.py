"""Find the changes between two texts, JSON values, messages, transcripts or completions.

    aligning      the fewest changes between two sequences, within a budget
    texts         words or lines that were deleted and inserted
    values        members and items of exact JSON that were added, removed, changed or moved
    messages      the differences of two messages, and the alignment of two transcripts
    completions   the differences of two completions beside their messages
    preferences   two answers to one input as a line of training data

Every function returns values that contain both sides: applied to the first, they produce the
second.
"""

from webapp.analysis.differences.aligning import Budget, Span, align, count_common_ends
from webapp.analysis.differences.completions import (
    GROUPS,
    compare_choices,
    compare_settings,
    summarize_tools,
)
from webapp.analysis.differences.messages import (
    Difference,
    Fingerprint,
    Row,
    align_messages,
    compare_json,
    compare_messages,
)
from webapp.analysis.differences.preferences import NotAPair, write_preference
from webapp.analysis.differences.texts import Edit, TextDifference, compare_texts
from webapp.analysis.differences.values import Change, Step, compare_values, write_path

__all__ = [
    "GROUPS",
    "Budget",
    "NotAPair",
    "Change",
    "Difference",
    "Edit",
    "Fingerprint",
    "Row",
    "Span",
    "Step",
    "TextDifference",
    "align",
    "align_messages",
    "compare_choices",
    "compare_json",
    "compare_messages",
    "compare_settings",
    "compare_texts",
    "compare_values",
    "count_common_ends",
    "summarize_tools",
    "write_path",
    "write_preference",
]
