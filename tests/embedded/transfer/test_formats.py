"""Every import format is detected and stored, and adds nothing the second time."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.api_answers import ids
from tools.store_rows import ANSWER, completion, jsonl
from webapp.embedded import ImportReport, Store, import_files
from webapp.embedded.store.pages import PageRequest

pytestmark = pytest.mark.one_database

ASKED = {"role": "user", "content": "Is it so?"}
SAID = {"role": "assistant", "content": "It is.", "weight": 1}
REQUEST = {"model": "gpt-x", "messages": [ASKED], "temperature": 0.5, "user": "u1", "stream": False}
RESPONSE = {
    "id": "chatcmpl-r",
    "object": "chat.completion",
    "created": 5,
    "model": "gpt-x-2026",
    "choices": [ANSWER],
    "service_tier": None,
}


def said(report: ImportReport) -> list[str]:
    return [f"{problem.source.line}: {problem.reason}" for problem in report.problems]


def forms(report: ImportReport) -> dict[str, dict[str, int]]:
    return {
        path.name: {form.name: number for form, number in found.items()}
        for path, found in report.formats.items()
    }


def listed(client: FlaskClient) -> list[str]:
    return ids(client.get("/chat/completions?limit=100&order=asc").get_json()["data"])


def messages(client: FlaskClient, completion_id: str) -> list[dict[str, Any]]:
    page = client.get(f"/chat/completions/{completion_id}/messages?limit=100").get_json()
    data: list[dict[str, Any]] = page["data"]
    return data


def page_of(*items: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    return {
        "object": "list",
        "data": list(items),
        "first_id": items[0]["id"],
        "last_id": items[-1]["id"],
        "has_more": has_more,
    }


def input_message(index: int, completion_id: str = "chatcmpl-r") -> dict[str, Any]:
    return {
        "id": f"{completion_id}-{index}",
        "role": "user",
        "content": f"message {index}",
        "content_parts": None,
        "name": None,
    }


def batch_request(custom_id: str, content: str = "Is it so?") -> dict[str, Any]:
    body = REQUEST | {"messages": [{"role": "user", "content": content}]}
    return {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }


def batch_response(custom_id: str, completion_id: str) -> dict[str, Any]:
    return {
        "id": f"batch_req_{custom_id}",
        "custom_id": custom_id,
        "response": {
            "status_code": 200,
            "request_id": "req_1",
            "body": RESPONSE | {"id": completion_id},
        },
        "error": None,
    }


def test_the_last_message_of_a_fine_tuning_example_is_the_answer(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    path = jsonl(tmp_path / "a.jsonl", [{"messages": [ASKED, SAID], "tools": tools}])

    report = import_files(store, [path])

    assert (report.added, forms(report)) == (1, {"a.jsonl": {"FINE_TUNING": 1}})
    [stored] = client.get("/chat/completions").get_json()["data"]
    assert stored["choices"][0]["message"]["content"] == "It is."
    assert stored["choices"][0]["message"]["weight"] == 1
    assert stored["tools"] == tools
    assert [one["content"] for one in messages(client, stored["id"])] == ["Is it so?"]
    assert import_files(store, [path]) == ImportReport(unchanged=1)


def test_messages_that_are_none_are_no_conversation(store: Store, tmp_path: Path) -> None:
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", [{"messages": [ASKED, "Hi"]}])])

    assert said(report) == ["1: it has no `choices` list, and its messages are none"]


@pytest.mark.parametrize("names", [("in", "out"), ("out", "in")])
def test_batch_files_are_paired_in_any_order(
    store: Store, client: FlaskClient, tmp_path: Path, names: tuple[str, str]
) -> None:
    jsonl(tmp_path / "in.jsonl", [batch_request("a", "first"), batch_request("b", "second")])
    jsonl(tmp_path / "out.jsonl", [batch_response("b", "c2"), batch_response("a", "c1")])
    paths = [tmp_path / f"{name}.jsonl" for name in names]

    report = import_files(store, paths)

    assert report == ImportReport(added=2)
    assert forms(report) == {"in.jsonl": {"BATCH_REQUEST": 2}, "out.jsonl": {"BATCH_RESPONSE": 2}}
    assert messages(client, "c1")[0]["content"] == "first"
    assert messages(client, "c2")[0]["content"] == "second"
    assert import_files(store, paths) == ImportReport(unchanged=2)


def test_missing_parts_of_a_batch_are_reported(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    error = {"error": {"message": "Too long.", "code": "x"}}
    failed = batch_response("b", "c2") | {"response": {"status_code": 400, "body": error}}
    requests = [batch_request(name) for name in "abc"]
    first = jsonl(tmp_path / "in.jsonl", [*requests, batch_request("c", "another")])
    second = jsonl(tmp_path / "out.jsonl", [failed, batch_response("c", "c3")])
    third = jsonl(tmp_path / "more.jsonl", [batch_response("d", "c4"), {"custom_id": "e"}])

    report = import_files(store, [first, second, third])

    assert (report.added, report.bad) == (2, 3)
    assert said(report) == [
        "2: it has no `messages` list",
        "4: another request has the custom_id 'c': import one batch at a time",
        "1: no request with the custom_id 'd' is in the files",
    ]
    stored = client.get("/chat/completions").get_json()["data"]
    assert [one["choices"] for one in stored] == [[], []]
    assert {one["incomplete"]["reason"] for one in stored} == {
        "Too long.",
        "no response with the custom_id 'a' is in the files",
    }
    assert forms(report)["in.jsonl"] == {"BATCH_REQUEST": 4, "UNANSWERED": 1}


@pytest.mark.parametrize(
    "exchange",
    [
        {"request": REQUEST, "response": RESPONSE},
        {"request_body": REQUEST, "response_body": RESPONSE, "status": 200},
        {"input": REQUEST, "output": RESPONSE},
        {"request": {"method": "POST", "body": REQUEST}, "response": {"body": RESPONSE}},
        {"request": json.dumps(REQUEST), "response": {"body": json.dumps(RESPONSE)}},
    ],
)
def test_a_request_and_its_response_make_one_completion(
    store: Store, client: FlaskClient, tmp_path: Path, exchange: dict[str, Any]
) -> None:
    path = jsonl(tmp_path / "a.jsonl", [exchange])

    assert import_files(store, [path]) == ImportReport(added=1)
    stored = client.get("/chat/completions/chatcmpl-r").get_json()
    assert (stored["model"], stored["created"]) == ("gpt-x-2026", 5)
    assert (stored["temperature"], stored["input_user"]) == (0.5, "u1")
    assert "stream" not in stored
    assert messages(client, "chatcmpl-r")[0]["content"] == "Is it so?"
    assert import_files(store, [path]) == ImportReport(unchanged=1)


def test_the_moderation_asked_for_is_kept_beside_its_results(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    asked = REQUEST | {"moderation": {"model": "omni-moderation-latest"}}
    results = {"input": {"type": "error", "code": "overloaded", "message": "Later."}}
    pair = {"request": asked, "response": RESPONSE | {"moderation": results}}

    import_files(store, [jsonl(tmp_path / "a.jsonl", [pair])])

    stored = client.get("/chat/completions/chatcmpl-r").get_json()
    assert stored["moderation"] == results
    assert stored["input_moderation"] == asked["moderation"]


def in_one_array(folder: Path, *bodies: object) -> list[Path]:
    path = folder / "bodies.json"
    path.write_text(json.dumps(bodies, indent=2))
    return [path]


def in_one_object(folder: Path, *bodies: object) -> list[Path]:
    path = folder / "bodies.json"
    path.write_text(json.dumps({f"body {at}": body for at, body in enumerate(bodies)}))
    return [path]


def in_files(folder: Path, *bodies: object) -> list[Path]:
    paths = [folder / f"{at}.json" for at, _ in enumerate(bodies)]
    for path, body in zip(paths, bodies, strict=True):
        path.write_text(json.dumps(body, indent=1))
    return paths[::-1]


@pytest.mark.parametrize("saved", [in_one_array, in_one_object, in_files])
def test_saved_answers_of_the_api_are_put_together(
    store: Store, client: FlaskClient, tmp_path: Path, saved: Callable[..., list[Path]]
) -> None:
    first = page_of(*(input_message(at) for at in range(2)), has_more=True)
    second = page_of(input_message(2))
    paths = saved(tmp_path, RESPONSE, first, second)

    assert import_files(store, paths) == ImportReport(added=1)
    assert messages(client, "chatcmpl-r") == [input_message(at) for at in range(3)]
    assert import_files(store, paths) == ImportReport(unchanged=1)


def test_messages_that_stand_beside_a_completion_need_no_telling_ids(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    page = page_of({"id": "x", "role": "user", "content": "a"}, {"id": "y", "role": "user"})

    assert import_files(store, in_one_array(tmp_path, page, RESPONSE)) == ImportReport(added=1)
    assert ids(messages(client, "chatcmpl-r")) == ["x", "y"]


def test_saved_messages_that_are_not_all_there_are_not_stored(store: Store, tmp_path: Path) -> None:
    other = RESPONSE | {"id": "chatcmpl-o"}
    pages = [
        page_of(input_message(0), input_message(2)),
        page_of(*(input_message(at, "chatcmpl-o") for at in range(2)), has_more=True),
        page_of(input_message(0, "gone")),
        page_of({"id": "x", "role": "user"}),
    ]
    path = jsonl(tmp_path / "a.jsonl", [RESPONSE, other, *pages])

    report = import_files(store, [path])

    assert said(report) == [
        "6: it is a page of messages whose ids do not say of which completion",
        "1: chatcmpl-r is not complete: its message 2 is on none of its pages",
        "2: chatcmpl-o is not complete: one of its pages says that there are more messages",
        "5: its messages belong to gone, which is not in the files",
    ]
    assert report.added == 0


def test_a_saved_list_of_completions_is_stored_without_messages(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    page = page_of(RESPONSE, RESPONSE | {"id": "c2"})
    path = jsonl(tmp_path / "a.jsonl", [page])

    report = import_files(store, [path])

    assert (report.added, report.without_messages) == (2, 2)
    assert messages(client, "c2") == []


def test_a_list_of_completions_with_their_messages_is_stored_whole(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    rows: list[Any] = [completion(name) for name in ("a", "b")]
    path = jsonl(tmp_path / "a.json", [page_of(*rows)])

    report = import_files(store, [path])

    assert (report.added, said(report)) == (2, [])
    given = rows[0]["messages"]
    assert isinstance(given, list)
    assert len(messages(client, "a")) == len(given)


@pytest.mark.parametrize("layout", [None, 0, 2])
def test_a_file_may_be_one_json_array(
    store: Store, client: FlaskClient, tmp_path: Path, layout: int | None
) -> None:
    path = tmp_path / "a.json"
    lines = [completion("c1"), {"messages": [ASKED, SAID]}, 7, completion("c2")]
    path.write_text("\n\n" + json.dumps(lines, indent=layout), encoding="utf-8")

    report = import_files(store, [path])

    assert (report.added, report.bad) == (3, 1)
    assert report.problems[0].reason == "it is not a JSON object"
    assert {"c1", "c2"} < set(listed(client))
    assert import_files(store, [path]).unchanged == 3


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ([[completion("c1"), completion("c2")]], ["c1", "c2"]),
        ([[completion("c1")], completion("c2"), [[completion("c3")]]], ["c1", "c2", "c3"]),
        ([[[ASKED, SAID], [SAID, ASKED]]], None),
    ],
)
def test_the_arrays_in_an_array_are_lists_of_completions(
    store: Store, client: FlaskClient, tmp_path: Path, given: Any, ids: list[str] | None
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(given))

    report = import_files(store, [path])

    assert (report.added, report.bad) == (len(ids or given[0]), 0)
    assert ids is None or sorted(listed(client)) == ids


def test_a_problem_in_an_array_is_reported_with_its_line(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"[\n{json.dumps(completion('c1'))},\n{{}},\n[]\n]\n")

    assert said(import_files(store, [path])) == [
        "3: it has no `messages` list",
        "4: it is not a JSON object",
    ]


def test_a_completion_on_many_lines_is_kept_on_one(store: Store, tmp_path: Path) -> None:
    given = completion("c1", metadata={"a": "b"}, note="1\t2")
    spread = tmp_path / "spread.json"
    spread.write_text(json.dumps(given, indent=2))
    flat = jsonl(tmp_path / "flat.jsonl", [given])

    assert import_files(store, [spread]) == ImportReport(added=1)
    assert import_files(store, [flat]) == ImportReport(unchanged=1)


def test_a_document_beyond_the_cap_is_refused_with_a_way_out(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([completion(f"c{at}") for at in range(20)], indent=1))

    report = import_files(store, [path], max_document_bytes=1000)

    assert [problem.reason for problem in report.problems] == [
        "it is one JSON document of more than 0 MB; only JSONL, which has a completion on each "
        "line, can be longer"
    ]


def test_compressed_files_are_known_by_their_first_bytes(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    members = [f"{json.dumps(completion(name))}\n".encode() for name in ("c1", "c2")]
    packed = tmp_path / "packed.jsonl"
    packed.write_bytes(b"".join(map(gzip.compress, members)))
    plain = tmp_path / "plain.gz"
    plain.write_bytes(json.dumps(completion("c3")).encode())
    seen: list[tuple[int, int, int]] = []

    report = import_files(store, [packed, plain], progress=lambda *done: seen.append(done))

    assert report == ImportReport(added=3)
    assert listed(client) == ["c1", "c2", "c3"]
    total = packed.stat().st_size + plain.stat().st_size
    assert seen[-1] == (total, total, 3)


def test_a_damaged_archive_is_reported_after_what_could_be_read(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    path = tmp_path / "a.gz"
    lines = "".join(f"{json.dumps(completion(f'c{at}'))}\n" for at in range(2000)).encode()
    path.write_bytes(gzip.compress(lines)[:-200])

    report = import_files(store, [path])

    assert said(report)[-1] == "None: its compressed data is damaged or cut off"
    assert report.added > 0


def test_standard_input_is_a_file_named_by_a_dash(
    store: Store, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = f"{json.dumps(completion('c1'))}\nnot JSON\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(lines))))

    report = import_files(store, ["-"])

    assert listed(client) == ["c1"]
    assert str(report.problems[0]).startswith("standard input:2: it is not JSON")


def test_the_pages_of_a_completion_keep_every_value_as_written(
    store: Store, tmp_path: Path
) -> None:
    written = (
        '{"id":"chatcmpl-r-0","role":"user","content":"\\u0041","n":1.0,"big":12345678901234567890}'
    )
    text = f'{{"object":"list","data":[{written}],"has_more":false}}'
    path = jsonl(tmp_path / "a.jsonl", [text, RESPONSE])

    import_files(store, [path])

    page = store.list_messages("chatcmpl-r", PageRequest(None, 1, "asc"))
    assert page is not None
    assert '"content":"\\u0041"' in page.data[0]
    assert '"n":1.0,"big":12345678901234567890' in page.data[0]


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
UNANSWERED = {
    "a tool's result last": [
        ASKED,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ],
    "a user's message last": [ASKED, SAID, ASKED],
    "one question": [ASKED],
    "instructions alone": [{"role": "system", "content": "Be brief."}],
}


@pytest.mark.parametrize("more", [{}, {"choices": None}], ids=["", "null"])
@pytest.mark.parametrize("asked", UNANSWERED.values(), ids=UNANSWERED)
def test_a_conversation_without_an_answer_is_stored_without_choices(
    store: Store,
    client: FlaskClient,
    tmp_path: Path,
    asked: list[dict[str, Any]],
    more: dict[str, None],
) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"messages": asked, "model": "m"} | more])

    assert forms(import_files(store, [path])) == {"a.jsonl": {"UNANSWERED": 1}}
    [name] = listed(client)
    assert client.get(f"/chat/completions/{name}").get_json()["choices"] == []
    assert [one["role"] for one in messages(client, name)] == [one["role"] for one in asked]
    assert import_files(store, [path]).unchanged == 1


@pytest.mark.parametrize("own", [5, "a/b", "é", "x" * 300, True, {"a": 1}])
@pytest.mark.parametrize("answered", [{"choices": []}, {}, {"choices": None}])
def test_an_id_that_no_completion_can_have_is_kept_beside_one_of_the_stores(
    store: Store, client: FlaskClient, tmp_path: Path, own: object, answered: dict[str, Any]
) -> None:
    rows = [
        {"id": own, "messages": [ASKED, {"role": "assistant", "content": "a"}], "n": n} | answered
        for n in range(2)
    ]
    path = jsonl(tmp_path / "a.jsonl", rows)

    assert import_files(store, [path]).added == 2
    for name in listed(client):
        assert name.startswith("chatcmpl-")
        assert client.get(f"/chat/completions/{name}").get_json()["original_id"] == own
    assert import_files(store, [path]).unchanged == 2


def test_batches_are_paired_by_a_number_too(store: Store, tmp_path: Path) -> None:
    lines = [batch_request("a") | {"custom_id": 5}, batch_response("a", "c5") | {"custom_id": 5}]

    report = import_files(store, [jsonl(tmp_path / "a.jsonl", lines)])

    assert (report.problems, report.added_ids) == ([], ["c5"])
