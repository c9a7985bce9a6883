"""Servers that other viewers and proxies misread: each case beside the project, on a real port."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, Reply, never_more, stored
from tests.support.model_server import STREAM, Answer, FakeModel, chunk, delta, stream, whole
from tests.support.pages import Page, pages_from
from tests.support.serving import serve
from tools.paths import SHARED
from webapp import create_app
from webapp.config import Config, Limits

CASES: Final = SHARED / "cases" / "2"
ASKED: Final = {"model": "m", "messages": [{"role": "user", "content": "q"}], "store": True}
HTML: Final = b"<!doctype html><title>A page</title>"


def read_case(name: str) -> Any:
    """Return the case of this name; skip the test if it is absent."""
    path = CASES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the shared folder beside the project")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def recording(tmp_path: Path, model: FakeModel) -> Iterator[FlaskClient]:
    """The application with its own store, which passes creates on to `model`."""
    with model.serve() as url:
        config = Config(database_url=f"sqlite:///{tmp_path / 'r.sqlite3'}", model_url=url)
        yield create_app(config).test_client()


def ask(client: FlaskClient, **members: Any) -> Any:
    answer = client.post("/v1/chat/completions", json=ASKED | members)
    answer.get_data()
    return answer


def shown(client: FlaskClient) -> list[Page]:
    """Return the page of each stored completion, in the order of the list."""
    rows = Page.of(client.get("/completions")).rows
    return [Page.of(client.get(row.href or "")) for row in rows]


def test_two_answers_of_one_id_are_both_kept(model: FakeModel, recording: FlaskClient) -> None:
    first, second = read_case("01_same_id_answers")["answers"]
    model.script(whole(first), whole(second))
    ask(recording)

    kept = ask(recording)

    pages = shown(recording)
    assert [page.bubbles[-1].sources for page in pages] == [["second answer"], ["first answer"]]
    assert "The server called it chatcmpl-373" in " ".join(pages[0].text.split())
    assert "called it" not in pages[1].text
    assert kept.get_json()["id"] == "chatcmpl-373"
    assert kept.headers["X-Readback-Stored-As"] in str(pages[0].one("h1").html)


@pytest.mark.parametrize(
    "answers",
    [["a", "a"], ["a", "b", "c"], ["a", "b", "a", "d"]],
    ids=["the same answer twice", "a constant id", "an id that comes back"],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_every_answer_of_a_constant_id_is_kept(
    model: FakeModel,
    recording: FlaskClient,
    answers: list[str],
    is_streamed: bool,
) -> None:
    for number, text in enumerate(answers):
        ended = delta(finish_reason="stop", content=text)
        message = {"role": "assistant", "content": text}
        answer = {"id": "constant", "created": 5, "choices": [{"index": 0, "message": message}]}
        said = stream(chunk(ended, completion_id="constant"))
        model.script(said if is_streamed else whole(answer))
        ask(recording, stream=is_streamed, metadata={"number": str(number)})

    assert sorted(page.bubbles[-1].sources[0] for page in shown(recording)) == sorted(answers)


def calls_of(page: Page) -> list[tuple[str, str]]:
    calls = page.bubbles[-1].calls
    return [
        (name.text(), exact.text().strip())
        for call in calls
        for name, exact in zip(call.css(".call-name"), call.css("pre.exact"), strict=True)
    ]


def test_calls_that_share_an_index_are_told_apart(model: FakeModel, recording: FlaskClient) -> None:
    model.script(stream(*read_case("08_same_index_tool_calls")["chunks"]))
    ask(recording, stream=True)

    [page] = shown(recording)
    assert calls_of(page) == [
        ("get_weather", '{"city":"Oslo"}'),
        ("get_time", '{"tz":"UTC"}'),
    ]


def called(*calls: tuple[str, str, str]) -> Json:
    pieces = [
        {"index": 0, "id": one, "type": "function", "function": {"name": name, "arguments": text}}
        for one, name, text in calls
    ]
    return chunk(delta(tool_calls=pieces))


@pytest.mark.parametrize(
    "chunks",
    [
        [called(("", "f", '{"a":1}')), called(("", "f", '{"a":2}'))],
        [called(("x", "f", '{"a":1}'), ("y", "f", '{"a":2}'))],
        [called(("x", "f", '{"a"')), called(("x", "", ":1}")), called(("y", "f", '{"a":2}'))],
    ],
    ids=["empty ids", "in one chunk", "in pieces"],
)
def test_calls_of_one_index_are_told_apart_however_they_come(
    model: FakeModel, recording: FlaskClient, chunks: list[Json]
) -> None:
    model.script(stream(*chunks, chunk(delta(finish_reason="tool_calls"))))
    ask(recording, stream=True)

    [page] = shown(recording)
    assert calls_of(page) == [("f", '{"a":1}'), ("f", '{"a":2}')]


def ended(index: int, **members: Any) -> Json:
    return delta(index, "stop", **members)


LINES: Final = b"".join(
    b"data: %b\n" % json.dumps(chunk(one)).encode()
    for one in (delta(content="one"), ended(0, content="two"))
)
HALF: Final = chunk(delta(role="assistant", content="The first half of"))


def test_an_answer_that_broke_off_is_shown_with_the_servers_reason(
    model: FakeModel, recording: FlaskClient
) -> None:
    model.script(stream(*read_case("09_stream_error")["chunks"]))
    ask(recording, stream=True)

    [row] = Page.of(recording.get("/completions")).rows
    assert "✗ broken off" in row.text
    [page] = shown(recording)
    assert page.bubbles[-1].sources == ["The first half of"]
    assert "Provider died" in page.one(".broken-off").text()


@pytest.mark.parametrize(
    "answer",
    [
        stream(HALF, done=False),
        stream(HALF),
        stream(HALF, {"error": "as a string"}, done=False),
        stream(HALF, b'event: error\ndata: {"message": "typed"}\n\n', done=False),
        stream(HALF, done=False, breaks_off=True),
    ],
    ids=["ends", "no finish reason", "error as a string", "typed event", "breaks off"],
)
def test_an_answer_that_ends_too_soon_is_marked_and_told(
    model: FakeModel, recording: FlaskClient, answer: Answer
) -> None:
    model.script(answer)
    ask(recording, stream=True)

    [row] = Page.of(recording.get("/completions")).rows
    assert "✗ broken off" in row.text
    [page] = shown(recording)
    assert page.bubbles[-1].sources == ["The first half of"]
    assert "The answer is not complete." in page.one(".broken-off").text()


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (Answer((LINES,), content_type=STREAM), ["onetwo"]),
        (Answer((LINES,), content_type="text/plain"), ["onetwo"]),
        (Answer((LINES.replace(b"data: ", b""),), content_type="application/x-ndjson"), ["onetwo"]),
        (
            stream(chunk(ended(0, content="one"), ended(0, content="two"))),
            ["one", "two"],
        ),
        (stream(chunk(ended(0) | {"text": "one"}), chunk(ended(0) | {"text": "two"})), ["onetwo"]),
        (stream(chunk(ended(0, content="one") | {"message": {"content": ""}})), ["one"]),
        (whole({"choices": [{"text": "one", "finish_reason": "stop"}]}), ["one"]),
    ],
    ids=["lines", "plain text", "json", "one index", "texts", "empty message", "older API"],
)
def test_answers_in_other_forms_are_kept_whole(
    model: FakeModel, recording: FlaskClient, answer: Answer, texts: list[str]
) -> None:
    model.script(answer)
    ask(recording, stream=True)

    [row] = Page.of(recording.get("/completions")).rows
    assert "broken off" not in row.marks and texts[0] in row.answer
    [page] = shown(recording)
    assert [bubble.sources for bubble in page.bubbles[1:]] == [[text] for text in texts]


def test_an_event_that_is_no_json_is_kept_as_it_came(
    model: FakeModel, recording: FlaskClient
) -> None:
    model.script(stream(HALF, b"data: {oops\n\n", chunk(ended(0, content=" it"))))
    ask(recording, stream=True)

    [page] = shown(recording)
    assert page.bubbles[-1].sources == ["The first half of it"]
    assert "is not JSON" in page.one(".broken-off").text() and "{oops" in page.text


@pytest.mark.parametrize("event", [b"event: error\ndata: ", b"data: ", b"data: [ERROR] "])
def test_words_that_end_a_stream_are_its_reason(
    model: FakeModel, recording: FlaskClient, event: bytes
) -> None:
    model.script(
        stream(
            HALF, event + "混雑しています sk-proj-9fK2mQ7xTz4Lw8Rb".encode() + b"\n\n", done=False
        )
    )
    ask(recording, stream=True)

    [page] = shown(recording)
    said = page.one(".broken-off").text()
    assert "混雑しています" in said and "sk-proj-9fK2mQ7xTz4Lw8Rb" not in said


def test_the_page_says_how_long_a_recorded_answer_took(recording: FlaskClient) -> None:
    ask(recording, stream=True)

    [page] = shown(recording)
    facts = [fact.text() for fact in page.all(".about-line .dot")]
    assert [fact.split()[0] for fact in facts] == ["first", "answer"]
    assert all(re.fullmatch(r"(first token|answer) [\d.]+ s", fact) for fact in facts)


def test_servers_of_this_network_and_queries_can_be_set() -> None:
    for environ in read_case("10_settings")["settings that stop the start"]:
        config = Config.from_environ(environ)
        assert set(environ.values()) & {config.openai_base_url, config.model_url}


def test_what_readback_does_not_serve_itself_is_passed_on(
    model: FakeModel, recording: FlaskClient
) -> None:
    for line in read_case("11_requests_not_passed_on")["requests"]:
        method, path = line.split()
        body = None if method == "GET" else {"model": "m"}
        answer = recording.open(path, method=method, json=body)
        assert (answer.status_code, answer.get_json()) == (200, {"path": path, "method": method})


def test_a_list_that_is_not_there_is_about_listing(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    for reply in read_case("12_list_404").values():
        fake.script("/chat/completions", Reply(reply["status"], reply["body"]))
        page = Page.of(fake_client.get("/completions"))
        assert "does not list its completions" in page.text
        assert reply["body"]["error"]["message"] in page.text
        assert "under this id" not in page.text


def test_the_servers_own_sentence_is_found(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    replies = [Reply(one["status"], one["body"]) for one in read_case("13_error_bodies")]
    said = ["API key not valid.", "value is not a valid id"]
    replies += [Reply(400, {"error": "in a string"}), Reply(400, b"plainly")]
    replies += [Reply(400, b"<html><title>In a title</title></html>")]
    said += ["in a string", "plainly", "In a title"]
    for reply, sentence in zip(replies, said, strict=True):
        for path in ("/chat/completions/c1", "/chat/completions/c1/messages"):
            fake.script(path, reply)
        page = Page(fake_client.get("/completions/c1").get_data(as_text=True))
        assert sentence in page.all(".error-details")[0].text()


@pytest.mark.parametrize("path", ["", "/", "/llm"])
def test_a_base_url_without_v1_is_named_with_it(path: str) -> None:
    if not path:
        assert "under /v1 alone" in read_case("14_base_url_without_v1")["server"]
    elsewhere = Reply(404, HTML, (("Content-Type", "text/html"),))

    def answer(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        start(f"{elsewhere.status} Not Found", list(elsewhere.headers))
        return [elsewhere.encode()]

    with serve(answer) as address:
        config = Config(openai_base_url=f"{address}{path}", limits=Limits(max_retries=0))
        page = Page(create_app(config).test_client().get("/completions").get_data(as_text=True))
        assert requests.get(f"{address}{path}", timeout=60).status_code == 404

    assert f"set OPENAI_BASE_URL to {address}{path.rstrip('/')}/v1" in page.text


def test_a_full_page_that_is_called_the_last_is_not_believed(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    case = read_case("37_has_more_false")
    assert "20 of 45 messages, has_more: false" in case.values()
    texts = [f"text {number}" for number in range(45)]
    fake.completions["c1"] = stored("c1", *texts)
    fake.page = never_more

    pages = list(pages_from(fake_client, "/completions/c1?limit=20"))

    sources = [one for page in pages for bubble in page.bubbles for one in bubble.sources]
    assert sources == [*texts, "An answer"]
    assert "20 of 20" not in pages[0].text
