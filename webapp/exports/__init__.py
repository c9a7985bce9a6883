"""Write transcripts and lists of completions in forms for other programs and for people.

    transcript  `Transcript`: a completion and its messages, read once; numbers and pairs them
    exact       JSON: the completion with its messages, every character as the server sent it
    training    messages JSONL for trainers, with a report of the members that they cannot take
    markdown    Markdown, in which each text stays by itself
    html        one HTML file that needs nothing else
    promptfoo   a configuration of promptfoo
    table       CSV and JSONL of a list

Every writer is a generator of pieces of text and holds one message at a time. Lone surrogates
are encoded as they came (`encode`). Nothing here requests anything or knows Flask.
"""

from webapp.exports.exact import iter_json, iter_json_line
from webapp.exports.html import iter_html
from webapp.exports.markdown import iter_markdown
from webapp.exports.promptfoo import iter_promptfoo
from webapp.exports.table import iter_csv
from webapp.exports.training import LeftOut, iter_training_line
from webapp.exports.transcript import Span, Transcript, encode

__all__ = [
    "LeftOut",
    "Span",
    "Transcript",
    "encode",
    "iter_csv",
    "iter_html",
    "iter_json",
    "iter_json_line",
    "iter_markdown",
    "iter_promptfoo",
    "iter_training_line",
]
