"""Answers of status 200 that break the promises of the API."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from tests.support.fake_upstream import FakeUpstream, Reply
from tests.upstream.conftest import Connect
from webapp.upstream import BadAnswer, Limits

ID = "chatcmpl-1"
PATH = f"/chat/completions/{ID}"
BODY = '{"id":"chatcmpl-1","model":"é"}'.encode()


def problem_with(connect: Connect, reply: Reply, *, of_list: bool = False) -> BadAnswer:
    fake = FakeUpstream()
    fake.script(f"{PATH}/messages" if of_list else PATH, reply)
    upstream = connect(fake, limits=Limits(max_retries=0, max_bytes=100_000))
    with pytest.raises(BadAnswer) as problem:
        upstream.list_messages(ID) if of_list else upstream.retrieve_completion(ID)
    return problem.value


def compressed(body: bytes, encoding: str) -> Reply:
    return Reply(200, body, (("Content-Encoding", encoding),))


@pytest.mark.parametrize(
    "body", ["[]", "null", "3", '"text"', "{}", '{"object":"chat.completion"}']
)
def test_a_completion_must_be_an_object_with_an_id_or_choices(connect: Connect, body: str) -> None:
    assert "not a completion" in str(problem_with(connect, Reply(200, body)))


@pytest.mark.parametrize("body", ["[]", "null", "{}", '{"data":{}}', '{"data":null}'])
def test_a_page_must_have_a_list(connect: Connect, body: str) -> None:
    assert "not a list" in str(problem_with(connect, Reply(200, body), of_list=True))


def test_an_error_of_status_200_is_repeated(connect: Connect) -> None:
    problem = problem_with(connect, Reply(200, {"error": {"message": "No provider"}}))

    assert problem.server_message == "No provider"


def test_an_answer_too_long_for_an_error_is_not_searched_for_one(connect: Connect) -> None:
    problem = problem_with(connect, Reply(200, {"error": {"message": "api " * 20_000}}))

    assert problem.server_message is None and "not a completion" in str(problem)


@pytest.mark.parametrize("body", ["<!DOCTYPE html><title>Log in</title>", "\n <html></html>"])
def test_a_web_page_is_called_one(connect: Connect, body: str) -> None:
    assert "web page" in str(problem_with(connect, Reply(200, body)))


@pytest.mark.parametrize("body", ["", " \n"])
def test_an_empty_answer_is_called_so(connect: Connect, body: str) -> None:
    assert "with nothing" in str(problem_with(connect, Reply(200, body)))


@pytest.mark.parametrize("body", ['{"id":', "{'id':1}", "data: {}\n\n", '{"id":1} {"id":2}'])
def test_what_is_not_json_is_located(connect: Connect, body: str) -> None:
    assert "is not JSON: " in str(problem_with(connect, Reply(200, body)))


@pytest.mark.parametrize("wrong", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_wrong_bytes_are_located_and_not_replaced(connect: Connect, wrong: bytes) -> None:
    problem = problem_with(connect, Reply(200, b'{"id":"' + wrong + b'"}'))

    assert "not UTF-8 (byte 7 of " in str(problem)


def test_deep_nesting_is_ordinary_input(connect: Connect) -> None:
    fake = FakeUpstream()
    fake.script(PATH, Reply(200, '{"id":"chatcmpl-1","x":' + "[" * 50_000 + "]" * 50_000 + "}"))

    assert connect(fake).retrieve_completion(ID).id == ID


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "nonsense"])
def test_a_body_is_utf_8_whatever_its_charset_says(connect: Connect, charset: str) -> None:
    fake = FakeUpstream()
    fake.script(PATH, Reply(200, BODY, (("Content-Type", f"text/plain; charset={charset}"),)))

    assert connect(fake).retrieve_completion(ID).model == "é"


def test_a_byte_order_mark_is_tolerated(connect: Connect) -> None:
    fake = FakeUpstream()
    fake.script(PATH, Reply(200, b"\xef\xbb\xbf" + BODY))

    assert connect(fake).retrieve_completion(ID).json.source == BODY.decode()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("X-GZip", gzip.compress(BODY, mtime=0)),
        ("gzip", gzip.compress(BODY[:40], mtime=0) + gzip.compress(BODY[40:], mtime=0)),
        ("gzip", gzip.compress(BODY, mtime=0) + b"\0\0"),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
        ("identity", BODY),
    ],
)
def test_compressed_answers_are_read(connect: Connect, encoding: str, body: bytes) -> None:
    fake = FakeUpstream()
    fake.script(PATH, compressed(body, encoding))

    assert connect(fake).retrieve_completion(ID).json.source == BODY.decode()


@pytest.mark.parametrize(
    ("encoding", "body", "sentence"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)[:-9], "broke off"),
        ("deflate", zlib.compress(BODY)[:-5], "broke off"),
        ("gzip", b"", "with nothing"),
        ("gzip", BODY, "damaged"),
        ("deflate", b"\xff" * 50, "damaged"),
        ("br", BODY, "did not ask for"),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY, mtime=0), mtime=0), "did not ask for"),
    ],
)
def test_badly_compressed_answers_are_errors(
    connect: Connect, encoding: str, body: bytes, sentence: str
) -> None:
    assert sentence in str(problem_with(connect, compressed(body, encoding)))


def test_an_answer_may_be_just_as_large_as_allowed(connect: Connect) -> None:
    body = BODY.ljust(100_000)
    for reply in (Reply(200, body), compressed(gzip.compress(body, mtime=0), "gzip")):
        fake = FakeUpstream()
        fake.script(PATH, reply)
        assert connect(fake, limits=Limits(max_bytes=100_000)).retrieve_completion(ID).id == ID


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, BODY.ljust(100_001)),
        compressed(gzip.compress(BODY.ljust(100_001), mtime=0), "gzip"),
    ],
)
def test_a_larger_answer_is_an_error(connect: Connect, reply: Reply) -> None:
    assert "larger than 100,000 bytes" in str(problem_with(connect, reply))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_does_not_unfold(connect: Connect, encoding: str) -> None:
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    reply = compressed(compress(b" " * 60_000_000), encoding)
    tracemalloc.start()
    try:
        problem_with(connect, reply)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
