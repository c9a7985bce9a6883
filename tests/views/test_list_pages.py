"""The list: what a row tells, questions that may fail, page after page, and lists there are not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import (
    FakeUpstream,
    Json,
    Reply,
    Stored,
    always_more,
    as_it_is,
    error,
    message,
    stored,
    without_has_more,
)
from tests.support.pages import AS_FRAGMENT, Page, Row, pages_from, readable
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Config, Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LIST = "/chat/completions"
ID = "chatcmpl-1"


def answered(**answer: Any) -> dict[str, Any]:
    """The fields of a completion with this one answer."""
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": None} | answer}]}


def with_parts(*parts: dict[str, Any]) -> Stored:
    """A completion asked with these content parts."""
    asked = message(ID, 0, "") | {"content": None, "content_parts": list(parts)}
    return Stored(stored(ID).completion, [asked])


def only_row(client: FlaskClient) -> Row:
    rows = Page.of(client.get("/completions")).rows
    assert len(rows) == 1
    return rows[0]


# What a row tells


def test_the_front_page_leads_to_the_list(client: FlaskClient) -> None:
    response = client.get("/")
    assert (response.status_code, response.location) == (303, "/completions")
    filtered = client.get("/?model=a%26b&metadata%5Bteam%5D=ferry")
    assert filtered.location == "/completions?model=a%26b&metadata%5Bteam%5D=ferry"


def test_completions_stand_newest_first_and_lead_to_their_transcripts(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    lines = [
        {"id": f"chatcmpl-{at}", "created": created, "messages": [], "choices": []}
        for at, created in enumerate([1_700_000_000, 1_760_000_000, 1_720_000_000])
    ]
    file = tmp_path / "three.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    load(file)
    rows = Page.of(client.get("/completions")).rows
    assert [row.href for row in rows] == [f"/completions/chatcmpl-{at}" for at in (1, 2, 0)]
    for row in rows:
        assert client.get(row.href or "").status_code == 200


def test_a_row_shows_question_answer_model_tokens_and_time(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    usage = {"total_tokens": 1204, "prompt_tokens": 1000, "completion_tokens": 204}
    fake.completions[ID] = stored(ID, "Write a haiku\n\nabout snails", usage=usage)
    row = only_row(fake_client)
    assert row.question == "Write a haiku"
    assert row.answer == "An answer"
    assert "gpt-4o-mini-2024-07-18" in row.text
    assert "1,204 tokens" in row.text
    when = row.node.css_first("time")
    assert when is not None
    assert when.attributes["datetime"] == "2025-09-16T16:11:43Z"
    assert when.attributes["title"] == "2025-09-16T16:11:43Z"


def test_the_question_is_the_user_s_and_no_system_prompt(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    one = stored(ID, "You are terse.", "Be kind.", "And what is this?")
    one.messages[0]["role"], one.messages[1]["role"] = "system", "developer"
    fake.completions[ID] = one
    assert only_row(fake_client).question == "And what is this?"


@pytest.mark.parametrize(
    ("one", "mark"),
    [
        (
            with_parts({"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}),
            "image",
        ),
        (with_parts({"type": "input_audio", "input_audio": {"data": "UklG"}}), "audio"),
        (with_parts({"type": "file", "file": {"file_id": "file-1"}}), "file"),
        (stored(ID, "x", **answered(audio={"id": "a", "transcript": "Spoken"})), "audio"),
        (
            stored(
                ID,
                "x",
                **answered(tool_calls=[{"type": "function", "function": {"name": "get_weather"}}]),
            ),
            "→ get_weather",
        ),
        (stored(ID, "x", **answered(function_call={"name": "old_one"})), "→ old_one"),
    ],
    ids=["image", "sound asked", "file", "sound answered", "tool call", "function call"],
)
def test_what_is_no_text_is_told_by_a_mark(
    fake: FakeUpstream, fake_client: FlaskClient, one: Stored, mark: str
) -> None:
    fake.completions[ID] = one
    assert only_row(fake_client).marks == [mark]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"refusal": "I cannot do that."}, "I cannot do that."),
        ({"audio": {"id": "a", "transcript": "Spoken words"}}, "Spoken words"),
        ({"content": [{"type": "text", "text": "In a part"}]}, "In a part"),
    ],
)
def test_an_answer_that_is_no_plain_content_is_shown_by_its_words(
    fake: FakeUpstream, fake_client: FlaskClient, fields: dict[str, Any], words: str
) -> None:
    fake.completions[ID] = stored(ID, "x", **answered(**fields))
    assert only_row(fake_client).answer == words


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("stop", ""),
        ("length", "✗ cut off"),
        ("content_filter", "✗ content filter"),
        ("tool_calls", "tool_calls"),
    ],
)
def test_a_finish_reason_is_told_when_it_is_not_the_usual_one(
    fake: FakeUpstream, fake_client: FlaskClient, reason: str, shown: str
) -> None:
    one = stored(ID, "x")
    one.completion["choices"][0]["finish_reason"] = reason
    fake.completions[ID] = one
    assert only_row(fake_client).reason == shown


def test_a_completion_with_nothing_but_an_odd_id_is_still_a_row(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    odd = {"object": "list", "data": [{"id": "a/b c"}, {}, "text", None], "has_more": False}
    fake.script(LIST, Reply(200, odd))
    rows = Page.of(fake_client.get("/completions")).rows
    assert [row.href for row in rows] == [None] * 4
    assert rows[0].question == "a/b c"


@pytest.mark.parametrize("created", ["1" + "0" * 400, "-1", "1e9", '"soon"', "null"])
def test_a_time_that_is_none_does_not_break_the_list(
    fake: FakeUpstream, fake_client: FlaskClient, created: str
) -> None:
    fake.script(LIST, Reply(200, f'{{"data":[{{"id":"{ID}","created":{created}}}]}}'))
    assert only_row(fake_client).href == f"/completions/{ID}"


# Questions take a call each, and never stand in the way


def test_a_question_is_asked_for_once_and_small(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "What is it?")
    for _ in range(3):
        assert only_row(fake_client).question == "What is it?"
    asked = [seen for seen in fake.requests if seen.path.endswith("/messages")]
    assert len(asked) == 1
    assert int(dict(asked[0].query)["limit"]) <= 5


def test_a_question_that_is_too_large_is_asked_for_once(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "x" * 3_000_000)
    for _ in range(3):
        assert only_row(fake_client).answer == "An answer"
    assert sum(seen.path.endswith("/messages") for seen in fake.requests) == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_a_question_is_asked_for_again_if_it_may_be_another(
    fake: FakeUpstream, fake_client: FlaskClient, is_new: bool
) -> None:
    created = {"created": 2**31} if is_new else {}
    fake.completions[ID] = stored(ID, **created)
    only_row(fake_client)
    fake.completions[ID] = stored(
        ID, "What is it?", **created, **({} if is_new else answered(content="Another answer"))
    )
    row = only_row(fake_client)
    assert row.question == "What is it?"
    assert "1 message" in row.text


@pytest.mark.parametrize(
    "reply",
    [Reply(500, "broken"), Reply(200, "<html>"), Reply(200, {"data": [1, None, {"role": 5}]})],
)
def test_a_question_that_cannot_be_read_is_left_out(
    fake: FakeUpstream, fake_client: FlaskClient, reply: Reply
) -> None:
    fake.completions[ID] = stored(ID, "What is it?")
    fake.script(f"{LIST}/{ID}/messages", reply)
    row = only_row(fake_client)
    assert "What is it?" not in row.text
    assert row.answer == "An answer"


@pytest.fixture
def hanging_client(fake: FakeUpstream) -> Iterator[FlaskClient]:
    """The application over a server whose messages never come while the test lasts."""
    over = threading.Event()

    def hanging(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/messages"):
            over.wait()
        return fake(environ, start)

    with serve(hanging) as base_url:
        limits = Limits(max_retries=0, page_timeout=120.0)
        config = Config(openai_base_url=f"{base_url}/v1", limits=limits)
        yield create_app(config).test_client()
        over.set()


def test_questions_that_never_come_do_not_hold_up_the_list(
    fake: FakeUpstream, hanging_client: FlaskClient
) -> None:
    """They are left out of the next list too, which does not wait for them again."""
    for at in range(20):
        fake.completions[f"chatcmpl-{at}"] = stored(f"chatcmpl-{at}", "Where is it?")
    for _ in range(2):
        rows = Page.of(hanging_client.get("/completions")).rows
        assert [row.href for row in rows] == [
            f"/completions/chatcmpl-{19 - at}" for at in range(20)
        ]
        assert all(row.answer == "An answer" for row in rows)


# Pages


@pytest.mark.parametrize("fragments", [False, True], ids=["pages", "fragments"])
def test_load_more_goes_by_cursor_to_the_end_and_keeps_the_filters(
    fake: FakeUpstream, fake_client: FlaskClient, fragments: bool
) -> None:
    for at in range(45):
        metadata = {"eval[x]": "7" if at % 2 else "8"}
        fake.completions[f"chatcmpl-{at}"] = stored(f"chatcmpl-{at}", "x", metadata=metadata)
    start = "/completions?metadata%5Beval%5Bx%5D%5D=7&limit=5"
    pages = list(pages_from(fake_client, start, fragments=fragments))
    assert [len(page.rows) for page in pages] == [5, 5, 5, 5, 2]
    hrefs = [row.href for page in pages for row in page.rows]
    query = "?metadata%5Beval%5Bx%5D%5D=7"
    assert hrefs == [f"/completions/chatcmpl-{at}{query}" for at in range(43, -1, -2)]
    assert "No more completions" in pages[-1].text


def test_the_link_for_more_is_the_same_with_and_without_htmx(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions = {f"c-{at}": stored(f"c-{at}", "x") for at in range(3)}
    link = Page.of(fake_client.get("/completions?limit=2")).one("#more a")
    assert link.attributes["href"] == link.attributes["hx-get"]
    address = link.attributes["href"] or ""
    whole = Page.of(fake_client.get(address))
    fragment = Page.of(fake_client.get(address, headers=AS_FRAGMENT))
    boosted = Page.of(fake_client.get(address, headers=AS_FRAGMENT | {"HX-Boosted": "true"}))
    assert (whole.is_whole, fragment.is_whole, boosted.is_whole) == (True, False, True)
    assert [row.href for row in fragment.rows] == [row.href for row in whole.rows]
    assert whole.link("Newest completions") == "/completions"


@pytest.mark.parametrize("more", [{}, {"last_id": "a b"}, {"data": [{"id": "a b"}]}, {"data": []}])
def test_a_list_that_cannot_go_on_says_so(
    fake: FakeUpstream, fake_client: FlaskClient, more: dict[str, Any]
) -> None:
    page = {"data": [{"model": "m"}], "has_more": True} | more
    fake.script(LIST, Reply(200, page))
    shown = Page.of(fake_client.get("/completions"))
    assert shown.all("#more a") == []
    assert "No more completions" not in shown.text
    assert "says that there are more" in shown.text


@pytest.mark.parametrize("fault", [as_it_is, always_more, without_has_more])
def test_a_server_that_repeats_its_list_is_shown_once(
    fake: FakeUpstream, fake_client: FlaskClient, fault: Callable[[Json], Json]
) -> None:
    fake.completions = {f"c-{at}": stored(f"c-{at}", "x") for at in range(3)}
    fake.page, fake.ignores_query = fault, True
    pages = list(pages_from(fake_client, "/completions?limit=3"))
    assert len([row for page in pages for row in page.rows]) == 3


def test_behind_the_last_completion_there_is_nothing_but_the_end(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions = {"c-1": stored("c-1", "x")}
    page = Page.of(fake_client.get("/completions?after=c-1"))
    assert "Nothing is stored" not in page.text
    assert "No more completions" in page.text


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1.5", "limit=-1", "limit=٣"]
)
def test_a_malformed_limit_is_a_bad_request(
    fake: FakeUpstream, fake_client: FlaskClient, query: str
) -> None:
    page = Page.of(fake_client.get(f"/completions?{query}"), 400)
    assert "from 1 to 100" in page.text
    assert fake.requests == []


def test_an_empty_store_says_how_completions_come_into_it(client: FlaskClient) -> None:
    page = Page.of(client.get("/completions"))
    assert page.rows == []
    assert "store: true" in page.text
    assert "readback import" in page.text
    assert page.all("form.filters, .list-files, .kinds") == [], "there is nothing to filter"


@pytest.mark.parametrize(
    "reply",
    [
        error(404, "Unknown request URL: GET /v1/chat/completions.", code="unknown_url"),
        Reply(404, {"detail": "Not Found"}),
        Reply(404, "404 page not found"),
        error(405, "Method not allowed"),
        error(501, "Not implemented"),
    ],
    ids=["unknown url", "FastAPI", "plain", "405", "501"],
)
def test_a_server_that_does_not_list_is_explained_and_ids_still_open(
    fake: FakeUpstream, fake_client: FlaskClient, reply: Reply
) -> None:
    fake.script(LIST, reply)
    page = Page.of(fake_client.get("/completions"))
    assert "does not list" in page.text
    assert str(reply.status) in page.text
    assert page.one("form.open-box input").attributes["name"] == "pasted"


def test_a_list_that_is_too_large_is_requested_in_smaller_pages() -> None:
    fake = FakeUpstream()
    for at in range(6):
        completion_id = f"chatcmpl-{at}"
        made = stored(completion_id, "Hi").completion
        fake.completions[completion_id] = Stored(
            made | answered(content="x" * 40_000) | {"created": at},
            [message(completion_id, 0, "Hi")],
        )
    with serve(fake) as address:
        config = Config(openai_base_url=f"{address}/v1", limits=Limits(max_bytes=100_000))
        pages = list(pages_from(create_app(config).test_client(), "/completions"))
    seen = [row.href for page in pages for row in page.rows]

    assert len(pages) > 1
    assert len(seen) == len(set(seen)) == 6


# Days, columns, links that filter


def test_days_have_headings_and_one_that_goes_on_has_no_second(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    days = [1_700_000_000, 1_700_000_060, 1_700_100_000, 1_700_100_060, 1_700_100_120]
    for at, created in enumerate(days):
        fake.completions[f"c-{at}"] = stored(f"c-{at}", "x", created=created)
    headings = [
        [readable(heading) for heading in page.all(".day h2")]
        for page in pages_from(fake_client, "/completions?limit=2", fragments=True)
    ]
    assert headings == [
        ["Thursday, 16 November 2023 (UTC)"],
        ["Tuesday, 14 November 2023 (UTC)"],
        [],
    ]

    # A page of its own has a heading, whatever came before it.
    whole = list(pages_from(fake_client, "/completions?limit=2"))
    assert [len(page.all(".day")) for page in whole] == [1, 2, 1]


def test_a_row_links_to_its_model_and_metadata_beside_its_own_link(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    metadata = {"eval": "7", "run": "é & ü", "note": "‮txt", "more": "x", "long": "y" * 600}
    fake.completions[ID] = stored(ID, "Who?", model="gpt-x", metadata=metadata)
    page = Page.of(fake_client.get("/completions?metadata[eval]=7"))
    row = page.rows[0]
    assert row.href == f"/completions/{ID}?metadata%5Beval%5D=7"
    assert page.all("a a") == []
    links = [link.attributes["href"] or "" for link in row.node.css("a.filter-link")]
    assert [readable(chip) for chip in row.node.css(".chip")] == [
        "run = é & ü",
        "note = ‮ txt",
        "more = x",
    ]
    assert links[-1] == "/completions?model=gpt-x&metadata%5Beval%5D=7"
    for link in links:
        assert len(Page.of(fake_client.get(link)).rows) == 1
    options = {option.attributes["value"] for option in page.all("datalist option")}
    assert {"gpt-x", "eval", "7", "run", "é & ü"} <= options
    assert "y" * 600 not in options


@pytest.mark.parametrize("reason", ["stop", "refusal"])
def test_a_refusal_is_told_once_in_a_row_where_all_failures_are(
    fake: FakeUpstream, fake_client: FlaskClient, reason: str
) -> None:
    said = {"refusal": "I cannot do that."} if reason == "stop" else {"content": "I cannot."}
    fake.completions[ID] = stored(ID, "x", **answered(**said))
    fake.completions[ID].completion["choices"][0]["finish_reason"] = reason
    row = only_row(fake_client)
    assert row.marks == []
    assert row.text.count("refused") == 1
    assert row.reason == "✗ refused"
    assert len(Page.of(fake_client.get("/completions?show=refused")).rows) == 1


def test_a_refusal_beside_an_answer_that_was_cut_off_is_a_mark(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    one = stored(ID, "x", **answered(refusal="I cannot do that."))
    cut = {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "I"}}
    one.completion["choices"] = [cut, *one.completion["choices"]]
    fake.completions[ID] = one
    row = only_row(fake_client)
    assert row.marks == ["refused"]
    assert row.reason == "✗ cut off"


def test_a_value_that_no_filter_can_have_is_no_link(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    odd = '{"k":"\\ud800","":"x","e":"","n":null,"o":{"a":1},"l":"' + "y" * 600 + '"}'
    one = f'{{"id":"{ID}","model":" m ","created":1,"metadata":{odd}}}'
    fake.script(LIST, Reply(200, f'{{"data":[{one}]}}'))
    row = only_row(fake_client)
    assert row.node.css("a.filter-link") == []
    assert len(row.node.css(".chip")) == 3


def test_a_page_is_reduced_to_a_kind_and_says_so(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    call = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
    fake.completions = {
        "c-0": stored("c-0", "plain"),
        "c-1": stored("c-1", "refused", **answered(refusal="No.")),
        "c-2": stored("c-2", "called", **answered(tool_calls=[call])),
        "c-3": stored("c-3", "cut"),
    }
    fake.completions["c-3"].completion["choices"][0]["finish_reason"] = "length"
    for kind, asked in {
        "cut off": ["cut"],
        "failed": ["cut", "refused"],
        "tools": ["called"],
        "images": [],
        "refused": ["refused"],
    }.items():
        page = Page.of(fake_client.get("/completions", query_string={"show": kind, "limit": "4"}))
        assert [row.question for row in page.rows] == asked
        assert f"{kind}, on this page" in page.text
        assert all("show" in (row.href or "") for row in page.rows)
    assert "4 completions read here, none with “audio”" in readable(
        Page.of(fake_client.get("/completions?show=audio")).one(".rows")
    )
    assert Page.of(fake_client.get("/completions?show=x"), 400).rows == []


def test_a_server_that_ignores_the_filters_is_named_as_one(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "x")
    fake.script(LIST, Reply(200, {"data": [fake.completions[ID].completion]}))
    page = Page.of(fake_client.get("/completions?metadata[a]=1"))
    assert "seems to ignore these filters" in page.text
    assert len(page.rows) == 1
