"""Mask secrets in the texts of others: in errors, logs, streams and the output of commands.

    patterns   the kinds of secrets that are found by their form or by the words around them
    masking    `find` and `mask`, for whole texts
    addresses  database addresses without their passwords
    streams    known keys, in texts and in streams of bytes
    logs       loggers whose records and tracebacks are masked

Uses the standard library only. All patterns take time linear in the text.
"""

from webapp.redaction.addresses import hide_password
from webapp.redaction.logs import get_logger, mask_logger, remember_secrets
from webapp.redaction.masking import Finding, find, mask
from webapp.redaction.streams import KeyRedactor, StreamRedactor

__all__ = [
    "Finding",
    "KeyRedactor",
    "StreamRedactor",
    "find",
    "get_logger",
    "hide_password",
    "mask",
    "mask_logger",
    "remember_secrets",
]
