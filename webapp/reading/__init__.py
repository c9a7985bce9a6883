"""What one page of a transcript needs: upstream calls, made side by side, put together.

    sections    `PageRequest`, what the reader asked for, and `TranscriptPage`, what came of it
    calls       the upstream calls about one completion
    places      where the messages of a page stand in their transcript
    alone       one message as a section of its own, and a window on its pieces
    reader      `TranscriptLoader`: calls to sections

The places where servers differ meet here: whether the answer is among the messages, whether
ids tell positions, whether a call is there at all. Knows nothing of HTTP towards the reader.
"""

from webapp.reading.reader import TranscriptLoader
from webapp.reading.sections import Order, PageRequest, TranscriptPage

__all__ = ["Order", "TranscriptLoader", "TranscriptPage", "PageRequest"]
