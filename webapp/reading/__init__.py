"""Read the transcripts and the list rows that pages show, from one upstream.

transcript_page      `TranscriptRequest`, the messages a reader asked for, and `TranscriptPage`
loader               `TranscriptLoader`: requests the one for the other
completion_requests  the upstream requests about one completion
building             a `TranscriptPage` from messages and completion, or from one message
whole                `WholeReader`: the events of a whole run
kept                 messages of whole transcripts, kept on disk
streaming            a whole transcript, a page at a time
comparing            two completions, or two choices of one, message by message
listing              a page of the list, with completions that are too large to be read
previews             the first words of question and answer in a list
pasted               the completion that a pasted text names
"""

from webapp.reading.loader import TranscriptLoader
from webapp.reading.transcript_page import MAX_LIMIT, Order, TranscriptPage, TranscriptRequest

__all__ = ["MAX_LIMIT", "Order", "TranscriptRequest", "TranscriptLoader", "TranscriptPage"]
