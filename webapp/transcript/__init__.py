"""Arrange input messages and output choices as a transcript, with calls beside their results.

    entries     messages in order with their numbers, and tool calls with their results
    pairing     the call that each result answers, and the turn that a message belongs to
    outputs     the choices that are not among the messages

Pure functions that never drop or reorder a message. A result is shown under its call; if it came
out of order, its place says so.
"""

from webapp.transcript.entries import CallEntry, Entry, find_first_number, select_top_level
from webapp.transcript.outputs import build_output_entries, mark_outputs
from webapp.transcript.pairing import (
    Pairing,
    arrange,
    count_cut_off,
    count_turn_before,
    find_last_turn,
)

__all__ = [
    "CallEntry",
    "Entry",
    "Pairing",
    "arrange",
    "count_cut_off",
    "count_turn_before",
    "find_first_number",
    "find_last_turn",
    "mark_outputs",
    "build_output_entries",
    "select_top_level",
]
