"""Transcript pages over a fake upstream that holds one completion of 45 messages."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.support.pages import Page

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
COMPLETION = f"/chat/completions/{ID}"
MESSAGES = f"{COMPLETION}/messages"


def ids(*indexes: int) -> list[str]:
    return [f"{ID}-{index}" for index in indexes]


def open_transcript(client: FlaskClient, **query: Any) -> Page:
    return Page.of(client.get(HERE, query_string=query))
