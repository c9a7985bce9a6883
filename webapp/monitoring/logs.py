"""The two forms of the log on standard error: text for people, JSON for programs.

Text has warnings and errors. JSON has a line for each request as well, and names the exceptions
of a traceback without their messages, which may quote content.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from webapp.config import LogFormat
from webapp.monitoring.request_ids import find_request_id

RECORD: Final = "readback.record"
"""The logger whose messages are JSON objects: the record of logins, shares and deletions."""


class TextFormatter(logging.Formatter):
    """The message, and the id of the request that caused it."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        request_id = find_request_id()
        if request_id is None or record.name == RECORD:
            return text
        first, end, rest = text.partition("\n")
        return f"{first} (request {request_id}){end}{rest}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.name == RECORD:
            with suppress(ValueError):
                line["record"] = json.loads(line["message"])
                del line["message"]
        if (request_id := find_request_id()) is not None:
            line["request_id"] = request_id
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["exceptions"] = _describe(record.exc_info[1])
        return json.dumps(line)


def set_up_logs(form: LogFormat) -> None:
    """Write records of loggers to standard error in this form, for this process and its forks."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.getLogger().handlers = [handler]
    logging.getLogger(RECORD).setLevel(logging.INFO)
    level = logging.INFO if form == "json" else logging.WARNING
    logging.getLogger("readback.requests").setLevel(level)


def _describe(error: BaseException) -> list[dict[str, Any]]:
    """Describe `error` and each cause by type and frames, the first cause last."""
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)
        found.append(
            {
                "type": f"{type(current).__module__}.{type(current).__qualname__}",
                "frames": [f"{one.filename}:{one.lineno} {one.name}" for one in frames],
            }
        )
        current = current.__cause__ or current.__context__
    return found
