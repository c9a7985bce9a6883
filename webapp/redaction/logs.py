"""Loggers whose messages and tracebacks are masked, with any formatter."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from webapp.redaction.masking import mask

_MIN_LENGTH: Final = 8
"""A shorter secret would be replaced in the middle of words."""

_formatter: Final = logging.Formatter()


class MaskingFilter(logging.Filter):
    """Replaces the message and the traceback of each record by masked ones; drops no record.

    Formatters show the `exc_text` of a record in place of its `exc_info` if there is one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.known: frozenset[str] = frozenset()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = f"{record.msg} {record.args}"
        record.msg = mask(message, known=self.known)
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text, known=self.known)
        if record.stack_info:
            record.stack_info = mask(record.stack_info, known=self.known)
        return True


_filter: Final = MaskingFilter()


def get_logger(name: str) -> logging.Logger:
    """Return the logger `name`, whose records are masked."""
    return mask_logger(logging.getLogger(name))


def mask_logger(logger: logging.Logger) -> logging.Logger:
    """Mask the records of a logger that others have made, and return it."""
    logger.addFilter(_filter)
    return logger


def remember_secrets(secrets: Iterable[str]) -> None:
    """Mask `secrets` in all records from now on, also if they have no known form."""
    _filter.known |= {secret for secret in secrets if len(secret) >= _MIN_LENGTH}
