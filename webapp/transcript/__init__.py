"""A transcript: input messages and output choices in reading order, calls beside results.

    entries     one message, or one tool call, at its place
    numbering   the places that message ids tell
    pairing     which result answers which call
    outputs     which choices are not among the messages

Pure: takes values, gives values. It never drops or reorders a message. A result stands under
its call only where that keeps the order of the messages; elsewhere the two name each other.
"""

from webapp.transcript.entries import CallEntry, Entry, top_level
from webapp.transcript.numbering import first_number
from webapp.transcript.outputs import mark_outputs, output_entries
from webapp.transcript.pairing import arrange

__all__ = [
    "CallEntry",
    "Entry",
    "arrange",
    "first_number",
    "mark_outputs",
    "output_entries",
    "top_level",
]
