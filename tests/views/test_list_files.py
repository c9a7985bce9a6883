"""The list as a file: the filters choose its completions, no cell is a formula, all is recorded."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.pages import Page
from webapp.embedded import Store, import_files

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
)
"""Texts that a spreadsheet computes, some of them after it has dropped what comes first."""


def completion(number: int, **more: Any) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "shell", "arguments": "{}"}}
    answer = {"role": "assistant", "content": f"Answer {number}", "tool_calls": [call]}
    return {
        "id": f"chatcmpl-{number}",
        "created": 1_758_039_100 + number,
        "model": "gpt-4o" if number % 2 else "o3",
        "metadata": {"team": "a" if number < 4 else "b"},
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
        "messages": [{"role": "user", "content": f"Question {number}"}],
        "choices": [
            {"index": 0, "finish_reason": "length" if number == 5 else "stop", "message": answer}
        ],
    } | more


@pytest.fixture
def filled(client: FlaskClient, load: Callable[[Path], None], tmp_path: Path) -> FlaskClient:
    file = tmp_path / "six.jsonl"
    file.write_text("".join(f"{json.dumps(completion(number))}\n" for number in range(6)))
    load(file)
    return client


def rows_of(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/completions.csv{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == "attachment; filename=completions.csv"
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


FILTERS = (
    ("", "543210"),
    ("?model=o3", "420"),
    ("?metadata%5Bteam%5D=b", "54"),
    ("?model=gpt-4o&metadata%5Bteam%5D=b", "5"),
    ("?filter=finish:length", "5"),
    ("?model=o3&filter=finish:length", ""),
    ("?flat=1", "543210"),
    ("?model=none", ""),
)


@pytest.mark.parametrize(("query", "numbers"), FILTERS)
def test_the_filters_of_the_list_choose_what_is_in_the_file(
    filled: FlaskClient, tmp_path: Path, query: str, numbers: str
) -> None:
    rows = rows_of(filled, query)
    assert [row["id"] for row in rows] == [f"chatcmpl-{number}" for number in numbers]
    for row, number in zip(rows, numbers, strict=True):
        assert row["answer"] == f"Answer {number}"
        assert (row["calls"], row["total_tokens"]) == ("1", "9")
        assert row["created"] == f"2025-09-16T16:11:4{number}Z"
        assert json.loads(row["metadata"]) == completion(int(number))["metadata"]

    lines = filled.get(f"/completions.jsonl{query}").get_data()
    assert [json.loads(line)["id"] for line in lines.splitlines()] == [row["id"] for row in rows]
    # The page links to the files with its own filters.
    page = Page.of(filled.get(f"/completions{query}"))
    assert {page.link("CSV"), page.link("JSONL")} == {
        f"/completions.csv{query}",
        f"/completions.jsonl{query}",
    }


def test_lines_import_to_the_same_completions(filled: FlaskClient, tmp_path: Path) -> None:
    lines = filled.get("/completions.jsonl").get_data()
    file = tmp_path / "again.jsonl"
    file.write_bytes(lines)
    store = Store(f"sqlite:///{tmp_path}/again.sqlite3")
    report = import_files(store, [file])
    store.close()

    assert (report.added, report.problems) == (6, [])
    for line, number in zip(lines.splitlines(), reversed(range(6)), strict=True):
        again = json.loads(line)
        for one in again["messages"]:
            del one["id"]
        assert again == completion(number)


def test_no_cell_is_a_formula(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    for at, formula in enumerate(FORMULAS):
        one = stored(f"chatcmpl-{at}", "Which?", model=formula)
        one.completion["choices"][0]["message"]["content"] = formula
        one.completion["choices"][0]["finish_reason"] = formula
        fake.completions[f"chatcmpl-{at}"] = one

    rows = rows_of(fake_client)

    assert len(rows) == len(FORMULAS)
    for row in rows:
        formula = FORMULAS[int(row["id"].removeprefix("chatcmpl-"))]
        for column in ("answer", "model", "finish_reason"):
            assert row[column] == f"'{formula}", column
    # A number is a number, and what only holds one of the characters is as it was.
    one = stored("chatcmpl-x", "Which?", model="a=b-c@d")
    one.completion["usage"] = {"prompt_tokens": -3, "completion_tokens": 1, "total_tokens": 2}
    one.completion["choices"][0]["message"]["content"] = 'x,"y"\r\n=1\0'
    fake.completions = {"chatcmpl-x": one}
    [row] = rows_of(fake_client)
    assert (row["model"], row["prompt_tokens"]) == ("a=b-c@d", "-3")
    assert row["answer"] == 'x,"y"\r\n=1␀'


@pytest.mark.parametrize("name", ["completions.csv", "completions.jsonl"])
def test_an_unknown_filter_and_a_failing_server_are_said(
    fake: FakeUpstream, fake_client: FlaskClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert "cut off" in Page.of(fake_client.get(f"/{name}?show=all"), 400).text
    fake.script("/chat/completions", Reply(403, {"error": {"message": "No access to the list"}}))
    with caplog.at_level(logging.INFO, "readback.record"):
        assert "No access to the list" in Page.of(fake_client.get(f"/{name}"), 502).text
    assert [one for one in caplog.records if one.name == "readback.record"] == [], "no export"


def test_every_export_is_recorded_without_content(
    filled: FlaskClient,
    load: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    # Two of one input, whose answers can be a pair.
    pair = [completion(1), completion(6, messages=completion(1)["messages"])]
    for one in pair:
        del one["choices"][0]["message"]["tool_calls"]
    file = tmp_path / "pair.jsonl"
    file.write_text(json.dumps(pair[0] | {"id": "chatcmpl-7"}) + "\n" + json.dumps(pair[1]))
    load(file)
    here = "/completions/chatcmpl-1"
    forms = ("md", "html", "json", "jsonl", "yaml")
    with caplog.at_level(logging.INFO, "readback.record"):
        for path in (
            "/completions.csv?model=o3",
            "/completions.jsonl",
            *(f"{here}/export.{form}?partial=1" for form in forms),
            f"{here}/export.md?range=1-1",
            f"{here}/messages/chatcmpl-1-0/export.md",
            f"{here}/choices/0/export.html",
            f"{here}/json?download=1",
            f"{here}/request.json",
            "/compare/preference.jsonl?a=chatcmpl-7&b=chatcmpl-6&preferred=b",
        ):
            assert filled.get(path).status_code == 200, path
            assert filled.head(path).status_code == 200, path
        # A page is no export.
        filled.get(f"{here}/json")
        filled.get("/completions/chatcmpl-none/export.md")

    lines = [json.loads(one.message) for one in caplog.records if one.name == "readback.record"]
    assert {line["event"] for line in lines} == {"export"}
    assert [(line.get("completion"), line["form"]) for line in lines] == [
        (None, "csv"),
        (None, "jsonl"),
        *(("chatcmpl-1", form) for form in (*forms, "md", "md", "html", "json", "json")),
        ("chatcmpl-6", "jsonl"),
    ]
    assert "Answer" not in caplog.text and "Question" not in caplog.text
    page = filled.get("/record").text
    assert page.count("chatcmpl-1") >= 9
