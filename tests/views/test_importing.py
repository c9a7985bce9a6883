"""Import files in the browser: what is understood, what is not, and who may."""

from __future__ import annotations

import gzip
import io
import json
import threading
import zipfile
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.access.conftest import HASH
from tests.support.fake_time import FakeTime
from tests.support.pages import AS_FRAGMENT, Page
from tools.postgres import PostgresServer
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store
from webapp.factories import find_database_url, open_app_database
from webapp.uploads.running import Uploads


@pytest.fixture
def app(config: Config) -> Flask:
    return create_app(replace(config, allows_writes=True, max_upload_bytes=3_000_000))


def line(name: str, text: str = "a question", **members: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}}
    messages = [{"role": "user", "content": text}]
    given = {"id": name, "created": 1_758_000_000, "messages": messages, "choices": [choice]}
    return json.dumps(given | members).encode() + b"\n"


def send(client: FlaskClient, *files: tuple[bytes, str], status: int = 200, **fields: str) -> Page:
    """Send files as the form does; return the page of their import once it has ended."""
    sent = [(io.BytesIO(content), name) for content, name in files]
    answer = client.post("/import", data={"files": sent, **fields})
    if answer.status_code != 303:
        return Page.of(answer, status)
    join_uploads()
    return Page.of(client.get(answer.location), status)


def files_of(page: Page) -> list[str]:
    return [" ".join(node.text().split()) for node in page.all(".import-files li")]


def lines_of(page: Page) -> list[str]:
    return [" ".join(node.text().split()) for node in page.all(".import-lines li")]


def test_files_are_imported_and_what_is_not_understood_is_named_by_its_line(
    client: FlaskClient,
) -> None:
    form = Page.of(client.get(Page.of(client.get("/completions")).link("Open files") or ""))
    mixed = line("c1") + b"{broken\n" + line("c2") + b'{"no": "completion"}\n'
    batch_in = {"custom_id": "q", "body": {"model": "m", "messages": [{"role": "user"}]}}
    answer = {"id": "c3", "choices": [{"message": {"content": "yes"}}]}
    batch_out = {"custom_id": "q", "response": {"body": answer}}

    page = send(
        client,
        (mixed, "runs.jsonl"),
        (gzip.compress(json.dumps(batch_in).encode()), "in.jsonl.gz"),
        (json.dumps(batch_out).encode(), "out.jsonl"),
    )

    assert form.one("main form").attributes["enctype"] == "multipart/form-data"
    assert page.one(".import-sum").text() == "3 completions loaded, 2 problems."
    assert {row.href for row in page.rows} == {f"/completions/c{n}" for n in (1, 2, 3)}
    assert files_of(page)[0].endswith("2 completions with messages")
    first, second = lines_of(page)
    assert first.startswith("runs.jsonl:2 it is not JSON")
    assert second.startswith("runs.jsonl:4 ")
    assert not page.all("[hx-trigger]")
    assert "import" in Page.of(client.get("/record")).text


def test_a_different_completion_under_a_stored_id_is_reported_or_kept_by_choice(
    client: FlaskClient,
) -> None:
    send(client, (line("c1"), "a.jsonl"))
    again = (line("c1") + line("c1", "another question"), "b.jsonl")

    told = send(client, again)
    kept = send(client, again, keep_both="1")

    assert told.one(".import-sum").text() == (
        "0 completions loaded, 1 stored already, 1 not loaded: stored with other content."
    )
    assert lines_of(told) == ["b.jsonl:2 c1 is stored with other content, which was kept"]
    assert told.link("open the files again") == "/import"
    assert kept.one(".import-sum").text() == "1 completion loaded, 1 stored already."
    assert "Kept under other ids 1" in kept.text
    assert len(Page.of(client.get("/completions?flat=1")).rows) == 2


def test_the_files_in_an_archive_are_counted_with_it(client: FlaskClient) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for number in (1, 2):
            written.writestr(f"folder/{number}.json", line(f"c{number}"))

    page = send(client, (archive.getvalue(), "export.zip"))

    assert page.one(".import-sum").text() == "2 completions loaded."
    assert "2 completions" in page.text and "export.zip" in page.text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0",
            "it is a ZIP archive that is damaged or cut off",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is neither JSON nor text"),
        (gzip.compress(b"%PDF-1.7\n%\xe2", mtime=0), "it is a PDF document"),
        (
            gzip.compress(line("c1") * 900, mtime=0)[:-200],
            "its compressed data is damaged or cut off",
        ),
        (b"\x1f\x8b\x08\0", "its compressed data is damaged or cut off"),
        (b"words\n", "it is not JSON"),
        (b"[" * 200_000, "it is "),
    ],
    ids=["empty", "zip", "png", "pdf", "cut off", "cut head", "words", "deep"],
)
def test_what_is_no_file_of_completions_ends_in_a_sentence(
    client: FlaskClient, content: bytes, problem: str
) -> None:
    page = send(client, (content, "one.bin"))

    [said] = lines_of(page)
    assert said.startswith("one.bin") and problem in said
    assert "1 problem." in page.one(".import-sum").text()


def test_compressed_data_that_expands_without_end_is_not_read_to_its_end(
    config: Config,
) -> None:
    client = create_app(replace(config, allows_writes=True, max_upload_bytes=100_000)).test_client()
    bomb = gzip.compress(line("c1") + b" " * 30_000_000)
    many = gzip.compress(line("c2", "?" * 1000) * 3_000)

    for content in (bomb, many):
        [said] = lines_of(send(client, (content, "bomb.gz")))
        assert "its data expands too far for an upload" in said


def test_hostile_names_are_shown_and_name_nothing_else(client: FlaskClient) -> None:
    names = [
        "../../etc/passwd",
        "-",
        "<b>x.jsonl",
        "a\u202egz.nosj",
        "x" * 5000,
        "-",
        "dir/sub/v",
        "w (2)",
        "w",
    ]

    page = send(client, *((line(f"c{at}"), name) for at, name in enumerate(names)))

    shown = [node.text() for node in page.all(".import-files code")]
    assert shown[:3] == ["passwd", "file", "<b>x.jsonl"]
    assert page.one(".import-files .control").attributes["data-mark"] == "U+202E RLO"
    assert len(shown[4]) <= 130
    assert shown[5:] == ["file (2)", "v", "w (2)", "w"]
    assert page.one(".import-sum").text() == "9 completions loaded."


def test_too_much_or_nothing_is_answered_with_the_form(client: FlaskClient, app: Flask) -> None:
    announced = {"CONTENT_LENGTH": "5000000"}
    body = {"files": (io.BytesIO(b"{}"), "a")}
    large = Page.of(client.post("/import", data=body, environ_overrides=announced), 413)
    many = send(client, *((line("c"), f"{at}.jsonl") for at in range(150)), status=413)
    nothing = Page.of(client.post("/import", data={"files": (io.BytesIO(), "")}), 400)
    other = Page.of(client.post("/import", data={"files": "text"}), 400)
    cut = client.post(
        "/import",
        data=b"--x\r\nContent-Disposition: form-data; name=files; filename=a\r\n\r\n{}",
        content_type="multipart/form-data; boundary=x",
    )

    assert "more than 3.0 MB" in large.notices[0]
    assert "100 files" in many.notices[0]
    assert nothing.notices == ["Choose one file or several first."]
    assert other.notices == ["A form with files is sent as multipart/form-data."]
    assert cut.status_code == 400
    assert all(page.one("#import") for page in (large, many, nothing, other))
    assert Page.of(client.get("/completions")).rows == []


def test_files_have_no_name_that_others_could_open(client: FlaskClient, app: Flask) -> None:
    file = app.extensions["readback"].uploads.open_file()

    with closing(file):
        assert isinstance(file.name, int) and not file.closed


def join_uploads() -> None:
    for thread in threading.enumerate():
        if thread.name == "upload":
            thread.join()


def test_the_report_is_there_for_other_processes_and_while_it_grows(config: Config) -> None:
    config = replace(config, allows_writes=True)
    app, other = create_app(config), create_app(config).test_client()
    uploads = app.extensions["readback"].uploads
    file = uploads.open_file()
    file.write(line("c1") * 2)
    with uploads._turn:
        upload_id = uploads.begin([("a.jsonl", file)], keeps_both=False)
        waiting = Page.of(other.get(f"/import/{upload_id}"))
        fragment = Page.of(other.get(f"/import/{upload_id}", headers=AS_FRAGMENT))
    join_uploads()

    assert "Waits for another import" in waiting.text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting.html
    assert fragment.one("[hx-trigger]").attributes["hx-get"] == f"/import/{upload_id}"
    assert not fragment.is_whole
    done = Page.of(other.get(f"/import/{upload_id}"))
    assert done.one(".import-sum").text() == "1 completion loaded, 1 stored already."
    assert file.closed


@pytest.mark.process
def test_uploads_are_stored_in_postgresql_too(postgres: PostgresServer) -> None:
    with (
        postgres.database() as url,
        closing(Store(url)) as store,
        closing(open_app_database(Config(database_url=url))) as database,
    ):
        uploads = Uploads(store, database, max_bytes=1000)
        file = uploads.open_file()
        file.write(line("c1") + b"{")
        upload_id = uploads.begin([("a.jsonl", file)], keeps_both=False)
        join_uploads()

        found = uploads.find(upload_id)
        assert found is not None and found.state == "done"
        assert (found.ids, found.bad, uploads.find("nothing")) == (("c1",), 1, None)


def test_an_import_whose_process_has_gone_says_so(config: Config) -> None:
    time = FakeTime()
    app = create_app(replace(config, allows_writes=True), clock=time.clock)
    client, uploads = app.test_client(), app.extensions["readback"].uploads
    with uploads._turn:
        upload_id = uploads.begin([("a.jsonl", uploads.open_file())], keeps_both=False)
        time.passes(301)
        page = Page.of(client.get(f"/import/{upload_id}"))

    assert "The import ended early." in page.notices[0]
    assert not page.all("[hx-trigger]")
    Page.of(client.get("/import/nothing"), 404)


def test_only_administrators_of_a_store_that_may_be_written_to_import(config: Config) -> None:
    body = {"files": (io.BytesIO(line("c1")), "a.jsonl")}
    closed = create_app(config).test_client()
    assert Page.of(closed.get("/completions")).link("Open files") is None
    assert "READBACK_WRITES=1" in Page.of(closed.get("/import"), 403).text
    assert closed.post("/import", data=body).status_code == 403

    open_to_all = replace(config, allows_writes=True, host="0.0.0.0", open=True)
    anyone = create_app(open_to_all).test_client()
    assert anyone.get("/import").status_code == 403
    access = replace(config.access, password_hash=HASH)
    guarded = create_app(replace(config, allows_writes=True, host="0.0.0.0", access=access))
    body = {"files": (io.BytesIO(line("c1")), "a.jsonl")}
    assert guarded.test_client().post("/import", data=body).status_code == 401

    writable = create_app(replace(config, allows_writes=True)).test_client()
    body = {"files": (io.BytesIO(line("c1")), "a.jsonl")}
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert writable.post("/import", data=body, headers=foreign).status_code == 403

    remote = replace(config, openai_base_url="http://127.0.0.1:9/v1", allows_writes=True)
    reads = create_app(replace(remote, openai_api_key="sk-test")).test_client()
    assert "read from another server" in Page.of(reads.get("/import"), 404).text
    with closing(Store(find_database_url(config))) as store:
        assert store.retrieve_completion("c1") is None
