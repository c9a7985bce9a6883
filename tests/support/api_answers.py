"""Assertions on the answers of the embedded server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from werkzeug.test import TestResponse


def ids(items: Sequence[dict[str, Any]]) -> list[str]:
    """Return the ids of completions or messages, in order."""
    return [item["id"] for item in items]


def assert_error(
    answer: TestResponse, status: int, message: str, param: str | None, code: str | None
) -> None:
    """Assert that `answer` is exactly this error, byte for byte as the API lays it out."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert answer.get_data() == json.dumps({"error": error}, indent=2).encode()
