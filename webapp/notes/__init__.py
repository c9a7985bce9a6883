"""Notes of readers on messages, ranges of them and answers; they are not part of the completion.

values  a note, and its form in the snapshot of a share
store   the table, and the notes in it
"""

from webapp.notes.store import MAX_CHARACTERS, MAX_NOTES, SCHEMA, Notes
from webapp.notes.values import MEMBER, Note, read_notes, write_notes

__all__ = [
    "MEMBER",
    "MAX_CHARACTERS",
    "MAX_NOTES",
    "SCHEMA",
    "Note",
    "Notes",
    "read_notes",
    "write_notes",
]
