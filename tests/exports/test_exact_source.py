"""The pages of JSON and its exports: every character as it was stored, whatever JSON it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.any_json import json_texts
from tests.support.pages import Page, open_menu
from webapp import create_app
from webapp.config import Budgets, Config
from webapp.embedded import Store, import_files
from webapp.exact_json import compact, parse

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
DEEP = "[" * 3_000 + "]" * 3_000
CALL = (
    '{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\":1.0}"},"n":1E9}'
)
PART = '{"type":"text","text":"caf\\u00e9","n":-0}'


def on_one_line(text: str) -> str:
    return compact(parse(text)).replace("\n", "\\n").replace("\r", "\\r")


def serve(folder: Path, document: str, **settings: object) -> FlaskClient:
    """Import a document, and return a client of the application that shows it."""
    file = folder / "one.jsonl"
    file.write_text(document, encoding="utf-8", newline="")
    database = f"sqlite:///{folder / 'store.sqlite3'}"
    store = Store(database)
    report = import_files(store, [file])
    store.close()
    assert not report.problems
    return create_app(Config(database_url=database, **settings)).test_client()  # type: ignore[arg-type]


def read(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data().decode()


@settings(deadline=None, derandomize=True, max_examples=4)
@given(values=st.lists(json_texts, min_size=15, max_size=20))
def test_any_json_comes_back_as_it_was_stored(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    lines = [on_one_line(value) for value in values]
    lines = [
        *(
            one
            for one in lines
            if one.isprintable() and one.encode("utf-8", "ignore").decode() == one
        ),
        DEEP,
    ]
    twice = "{" + ",".join(f'"a":{value}' for value in lines) + "}"
    head = f'{{"id":"{ID}","x":{twice},"choices":[{{"index":0,"x":{twice}}}]'
    # A few in each message: four pages are asked for of each.
    lists = [f"[{','.join(lines[at : at + 4])}]" for at in range(0, len(lines), 4)]
    given_messages = [f'{{"role":"user","content":"","x":{value}}}' for value in lists]
    sent = [f'{{"id":"{ID}-{at}",{message[1:]}' for at, message in enumerate(given_messages)]
    folder = tmp_path_factory.mktemp("exact")
    client = serve(folder, f'{head},"messages":[{",".join(given_messages)}]}}\n')

    whole = f'{head},"messages":[{",".join(sent)}]}}'
    assert read(client, f"{HERE}/export.json") == whole
    assert read(client, f"{HERE}/json?messages=1&form=source&download=1") == whole
    assert read(client, f"{HERE}/json?form=source&download=1") == f"{head}}}"
    assert compact(parse(read(client, f"{HERE}/json?download=1"))) == f"{head}}}"
    choice = f'{{"index":0,"x":{twice}}}'
    assert read(client, f"{HERE}/choices/0/json?form=source&download=1") == choice
    for at, message in enumerate(sent):
        page = f"{HERE}/messages/{ID}-{at}/json"
        assert Page(read(client, f"{page}?form=source")).one("pre.json").text() == message
        indented = read(client, f"{page}?download=1")
        assert compact(parse(indented)) == message
        assert Page(read(client, page)).one("pre.json").text() == indented
    # An export of the imported export is the same.
    again = serve(tmp_path_factory.mktemp("again"), whole + "\n")
    assert read(again, f"{HERE}/export.json") == whole


def test_a_page_has_the_json_of_each_part_and_call(tmp_path: Path) -> None:
    message = f'{{"role":"assistant","content":[{PART},{PART}],"tool_calls":[{CALL}]}}'
    document = f'{{"id":"{ID}","messages":[{message}],"choices":[{{"message":{message}}}]}}\n'
    client = serve(tmp_path, document)
    for of in (f"messages/{ID}-0", "choices/0"):
        page = Page(read(client, f"{HERE}/{of}/json"))
        links = [one.attributes["href"] or "" for one in page.all(".json-pieces a")]
        texts = [Page(read(client, f"{one}?form=source")).one("pre.json").text() for one in links]
        assert texts == [PART, PART, CALL]
        assert client.get(f"{HERE}/{of}/parts/3/json").status_code == 404
    bubble = Page(read(client, HERE)).bubbles[0]
    menu = open_menu(client, bubble.node.css(".call")[0])
    assert menu.link("JSON of the call") == f"{HERE}/messages/{ID}-0/parts/2/json"
    assert client.get(f"{HERE}/json?form=other").status_code == 400
    for old in ("", f"/messages/{ID}-0", "/choices/0"):
        assert client.get(f"{HERE}{old}/raw").location == f"{HERE}{old}/json"


def test_a_long_text_goes_on_from_page_to_page_with_its_line_numbers(tmp_path: Path) -> None:
    items = ",".join(str(10**9 + at) for at in range(900))
    document = f'{{"id":"{ID}","x":[{items}],"messages":[],"choices":[]}}\n'
    client = serve(tmp_path, document, budgets=Budgets(text_bytes=4_096))
    wanted = read(client, f"{HERE}/json?download=1")
    text, numbers, address = "", list[int](), f"{HERE}/json"
    last = address
    while address:
        page = Page(read(client, address))
        text += page.one("pre.json").text()
        numbers += [int(one.attributes["data-line"] or 0) for one in page.all(".line")]
        last, address = address, page.link("Next part") or ""
    assert text == wanted
    assert numbers == list(range(1, wanted.count("\n") + 2))
    assert Page(read(client, last)).link("Previous part")
