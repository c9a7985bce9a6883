"""Searches over all stored completions: the words of a reader, and the results.

Pages and commands know these values alone; `webapp/embedded/finding/searching.py` finds.
"""

from webapp.finding.folding import FoldedText, fold_text
from webapp.finding.query import (
    MAX_QUERY,
    BadQuery,
    Query,
    parse_query,
    split_words,
    write_filter,
    write_moment,
)
from webapp.finding.results import (
    Cursor,
    Finder,
    Found,
    Hit,
    Results,
    RowNumbers,
    cut_after,
    cut_before,
)

__all__ = [
    "MAX_QUERY",
    "BadQuery",
    "Cursor",
    "Finder",
    "FoldedText",
    "Found",
    "Hit",
    "Query",
    "Results",
    "RowNumbers",
    "cut_after",
    "cut_before",
    "fold_text",
    "parse_query",
    "split_words",
    "write_filter",
    "write_moment",
]
