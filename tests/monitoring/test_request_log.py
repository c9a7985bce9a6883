"""The id of a request: where it comes from, and everywhere it is found again."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final, TypeAlias

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, error, stored
from tests.support.pages import AS_FRAGMENT, Page
from webapp.monitoring.logs import JsonFormatter, TextFormatter
from webapp.monitoring.request_ids import HEADER, SENT_AS
from webapp.redaction import get_logger

GIVEN: Final = "trace-0af7651916cd43dd"
SECRET: Final = "the-words-of-a-reader"
Read: TypeAlias = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def read_lines() -> Iterator[Read]:
    """Return a function that parses the lines logged in JSON since its last call."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("readback")
    level, requests = logger.level, logging.getLogger("readback.requests")
    logger.addHandler(handler)
    requests.setLevel(logging.INFO)

    def read() -> list[dict[str, Any]]:
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield read
    logger.removeHandler(handler)
    logger.setLevel(level)
    requests.setLevel(logging.NOTSET)


def test_a_well_formed_id_is_taken_and_all_others_are_replaced(client: FlaskClient) -> None:
    made = set()
    for refused in ("short", "with space in it", "a" * 65, "sk-proj-Ab3dEf6hIj9kLm2nOp5q", "", "é"):
        answer = client.get("/healthz", headers={HEADER: refused})
        made.add(answer.headers[HEADER])
    assert client.get("/healthz", headers={HEADER: GIVEN}).headers[HEADER] == GIVEN
    assert len(made) == 6
    assert all(len(one) == 32 for one in made)


def test_a_line_has_the_route_and_never_the_path_or_the_query(
    client: FlaskClient, read_lines: Read
) -> None:
    for path in (f"/completions?model={SECRET}", f"/completions/{SECRET}", f"/s/{SECRET}"):
        client.get(path, headers={HEADER: GIVEN}, buffered=True)
    client.get(f"/nothing/{SECRET}", buffered=True)
    client.get("/healthz", headers={"Host": "elsewhere.example"}, buffered=True)
    api = client.get(f"/v1/chat/completions/{SECRET}", headers={HEADER: GIVEN}, buffered=True)
    client.open("/healthz", method="BREW", buffered=True)
    lines = read_lines()

    asked = [line for line in lines if line["logger"] == "readback.requests"]
    assert [(line["route"], line["status"]) for line in asked] == [
        ("/completions", 200),
        ("/completions/<completion_id>", 404),
        ("/s/<token>", 404),
        ("none", 404),
        ("none", 421),
        ("/v1/chat/completions/<completion_id>", 404),
        ("none", 405),
    ]
    assert {line["request_id"] for line in asked[:3]} == {GIVEN}
    assert SECRET not in json.dumps(asked)
    assert asked[5]["answer_id"] == api.headers[HEADER] != GIVEN
    assert asked[6]["method"] == "other"
    assert all(line["milliseconds"] >= 0 and line["bytes"] >= 0 for line in asked)


def test_the_id_is_sent_upstream_from_every_thread_and_shown_when_that_fails(
    fake: FakeUpstream, fake_app: Flask, read_lines: Read
) -> None:
    client = fake_app.test_client()
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "The question")
    page = client.get("/completions/chatcmpl-1", headers={HEADER: GIVEN})
    listed = client.get("/completions", headers={HEADER: GIVEN})
    assert (page.status_code, listed.status_code) == (200, 200)
    assert len(fake.requests) > 3
    assert {one.headers.get(SENT_AS.lower()) for one in fake.requests} == {GIVEN}

    fake.script("/chat/completions", *[error(500, "It failed.")] * 2)
    failed = Page.of(client.get("/completions", headers={HEADER: GIVEN}), 502)
    notice = client.get("/completions?after=chatcmpl-1", headers={HEADER: GIVEN, **AS_FRAGMENT})
    missing = client.get("/nothing", headers={HEADER: GIVEN}, buffered=True)
    assert GIVEN in failed.text and GIVEN in notice.text
    assert GIVEN not in missing.text
    assert {line["request_id"] for line in read_lines()} == {GIVEN}


def test_a_line_ends_with_its_answer(client: FlaskClient, read_lines: Read) -> None:
    answer = client.get("/completions", buffered=False)
    with closing(answer):
        assert read_lines() == []
        size = len(answer.data)
    [line] = read_lines()
    assert line["bytes"] == size


def test_an_unexpected_error_is_logged_without_its_message_in_json(read_lines: Read) -> None:
    log = get_logger("readback.tests")
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as cause:
            raise KeyError(SECRET) from cause
    except KeyError:
        log.exception("it failed")
    [line] = read_lines()

    assert [one["type"] for one in line["exceptions"]] == [
        "builtins.KeyError",
        "builtins.ValueError",
    ]
    assert "test_request_log.py" in line["exceptions"][0]["frames"][0]
    assert SECRET not in json.dumps(line)
    assert line["level"] == "error" and line["time"].endswith("Z")


def test_text_has_the_id_at_the_end_of_the_first_line(app: Flask) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter())
    log = get_logger("readback.tests")
    log.addHandler(handler)

    @app.get("/completions/failing")
    def fail() -> str:
        log.warning("first\nsecond")
        return ""

    app.test_client().get("/completions/failing", headers={HEADER: GIVEN}, buffered=True)
    log.warning("alone")
    log.removeHandler(handler)

    assert stream.getvalue() == f"first (request {GIVEN})\nsecond\nalone\n"
