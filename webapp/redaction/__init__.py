"""Mask secrets and personal data: in JSON values that are shared, and in the texts of others.

    redactor      `Redactor`, for JSON values: finds secrets, and masks each wherever it occurs
    documents     rewrites the strings of a value: JSON in strings, tokens and streams as one text
    pieces        strings that belong together, and how they are written
    ranges        the ranges of a text that citations have, after it was masked
    detecting     the secrets of one text, also if they are escaped there
    prefilter     which rules can find anything in a text, in one pass
    decoding      the same text with its escapes decoded
    base64_texts  texts in base64, also compressed, and in hexadecimal digits
    dumps         texts whose bytes are dumped or listed as numbers
    spreading     searches for values that were found elsewhere
    rules         the kinds of secrets: by their form, by the text around them, or by a check
    masking       `find` and `mask`, for whole texts: errors, logs, the output of commands
    streams       known keys, in texts and in streams of bytes
    logs          loggers whose records and tracebacks are masked

To share a completion:

    scan = Redactor(words=["Acme"], keep=[id_of_a_finding], key=key).scan(value)
    scan.findings           findings, each with kind, paths, id and count; some may be kept by id
    scan.redact(value)      the value masked; a part of it, too, as some of its messages
    scan.redact_text(title) a text beside it

Values are those of `exact_json`. Only strings change, with the names of members, the bytes of
tokens and the ranges of citations; a number that is a secret becomes 0. Masks say the kind and
nothing else of the secret. Errors are raised, never swallowed: a value that was not scanned to its
end is not shared. Takes time linear in the value, and memory of a few times its size. A share
remembers `REDACTION_VERSION`; if it has grown since, the stored snapshot may hold secrets that are
found only now.
"""

from webapp.redaction.logs import get_logger, mask_logger, remember_secrets
from webapp.redaction.masking import find, mask
from webapp.redaction.redactor import REDACTION_VERSION, UNSEARCHED, Redactor, Scan, SecretFinding
from webapp.redaction.streams import KeyRedactor, StreamRedactor

__all__ = [
    "REDACTION_VERSION",
    "UNSEARCHED",
    "SecretFinding",
    "KeyRedactor",
    "Redactor",
    "Scan",
    "StreamRedactor",
    "find",
    "get_logger",
    "mask",
    "mask_logger",
    "remember_secrets",
]
