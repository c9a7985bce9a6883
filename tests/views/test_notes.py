"""Notes on messages: written by a form, shown beside their message, shared only if chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.access.conftest import Open, open_app  # noqa: F401  a fixture
from tests.shares.sharing import COMPLETION, MESSAGES, SECRET, snapshot
from tests.support.pages import Page
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.exact_json import parse
from webapp.factories import find_database_url, open_app_database
from webapp.notes import MAX_CHARACTERS, MAX_NOTES, Note, Notes, read_notes
from webapp.shares import ShareChoices, make_snapshot

ID = "chatcmpl-noted"
PROXY = {"REMOTE_ADDR": "10.1.2.3"}
NOTES = f"/completions/{ID}/notes"


class Reader:
    """A browser of somebody whom the proxy names."""

    def __init__(self, app: Flask, name: str) -> None:
        self._client = app.test_client()
        self._headers = {"X-Forwarded-User": name}

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, headers=self._headers, environ_overrides=PROXY)

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self._client.post(path, data=fields, headers=self._headers, environ_overrides=PROXY)

    def page(self, path: str) -> Page:
        return Page.of(self.get(path))


@pytest.fixture
def app(open_app: Open) -> Iterator[Flask]:  # noqa: F811
    app = open_app(
        READBACK_PROXY_USER_HEADER="X-Forwarded-User",
        READBACK_TRUSTED_PROXIES="10.0.0.0/8",
        READBACK_ADMINS="ann@example.com",
        READBACK_WRITES="1",
    )
    fill(app.extensions["readback"].conversations)
    yield app


def fill(store: Store) -> None:
    store.add([parse_record(json.dumps({**COMPLETION, "id": ID, "messages": MESSAGES}))])


def texts(page: Page) -> list[str]:
    return [one.text() for one in page.all(".transcript .note-text")]


def test_a_note_is_written_shown_beside_its_message_and_counted(app: Flask) -> None:
    ben, eve = Reader(app, "ben"), Reader(app, "eve")
    # Until the page is kept as it is without notes.
    page = [ben.page(f"/completions/{ID}") for _ in range(3)][-1]
    assert not page.all(".note-card, .bar-notes")
    menu = ben.page(page.all(".menu-link")[0].attributes["href"] or "")
    form = ben.page(menu.link("note") or "").one("form.note-form")
    [first] = form.css("[name=from]")
    assert first.attributes["value"] == "1"

    text = "See <b> https://example.org/a?b=1), not http://localhost/x\r\nnext line"
    answer = ben.post(form.attributes["action"] or "", **{"from": 2, "to": 4, "text": text})
    assert answer.status_code == 303 and answer.location.endswith("#m-2")
    ben.post(NOTES, choice="1", text="Too short")
    ben.post(NOTES, text="On all of it")

    for reader in (eve, ben, eve, ben):
        page = reader.page(f"/completions/{ID}")
        long = "See <b> https://example.org/a?b=1), not http://localhost/x\nnext line"
        assert texts(page) == ["On all of it", long, "Too short"]
        assert (
            page.one("#m-2 + .note-card .note-head")
            .text()
            .startswith("Note on messages 2 to 4 by ben")
        )
        assert page.one(".outputs .note-card") and page.one("#notes .note-card")
        assert [link.attributes["href"] for link in page.all(".note-text a")] == [
            "https://example.org/a?b=1"
        ]
        assert page.one(".bar-notes").text() == "3 notes"
        assert len(page.all(".note-head a")) == (3 if reader is ben else 0)
    assert "note-card" in ben.get(answer.location.partition("#")[0]).text
    listed = ben.page(NOTES)
    assert "The password: " in listed.one("main").text()
    assert len(listed.all(".notes li")) == 3
    assert ben.get(listed.link("messages 2 to 4") or "").status_code == 200


def test_notes_are_changed_by_their_author_and_by_administrators(app: Flask) -> None:
    ann, ben, eve = (Reader(app, name) for name in ("ann@example.com", "ben", "eve"))
    ben.post(NOTES, text="First", **{"from": 1})
    edit = ben.page(f"/completions/{ID}").one(".note-head a").attributes["href"] or ""

    assert eve.get(edit).status_code == 403
    assert eve.post(edit, text="Mine").status_code == 403
    assert eve.post(f"{edit}/delete").status_code == 403
    assert ben.page(edit).one("textarea").text().strip() == "First"
    assert Page.of(ben.post(edit, text=" "), 400).one("[role=alert]")
    assert ben.post(edit, text="Second").status_code == 303
    page = eve.page(f"/completions/{ID}")
    assert texts(page) == ["Second"] and "edited" in page.one(".note-head").text()

    assert ann.post(f"{edit}/delete").status_code == 303
    assert texts(ben.page(f"/completions/{ID}")) == []
    assert ben.get(edit).status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": " \r\n "}, "empty"),
        ({"text": "x" * (MAX_CHARACTERS + 1)}, "up to 4,000 characters"),
        ({"text": "x", "from": "0"}, "whole numbers"),
        ({"text": "x", "from": "one"}, "whole numbers"),
        ({"text": "x", "from": "9"}, "has 5 messages"),
        ({"text": "x", "from": "3", "to": "2"}, "comes after its first"),
        ({"text": "x", "to": "2"}, "comes after its first"),
        ({"text": "x", "choice": "2"}, "no answer 2"),
        ({"text": "x", "choice": "1", "from": "1"}, "on messages or on an answer"),
    ],
)
def test_a_bad_form_is_shown_again_with_what_was_typed(
    app: Flask, fields: dict[str, str], words: str
) -> None:
    page = Page.of(Reader(app, "ben").post(NOTES, **fields), 400)

    assert words in page.one("[role=alert]").text()
    assert page.one("textarea").text().strip() == fields["text"].strip()


def test_without_an_author_there_are_no_notes(app: Flask, config: Config) -> None:
    """On loopback without a login, and for strangers whom READBACK_OPEN lets in."""
    Reader(app, "ben").post(NOTES, text="Internal")
    assert Reader(app, "ben").get("/completions/nothing/notes").status_code == 404
    with closing(Store(find_database_url(config))) as store:
        fill(store)
    opened = replace(config, host="0.0.0.0", open=True)
    for one in (config, opened, replace(opened, database_url=find_database_url(config))):
        client = create_app(one).test_client()
        assert "note" not in Page.of(client.get(f"/completions/{ID}")).one("main").text().split()
        assert client.get(NOTES).status_code == 403
        assert client.post(NOTES, data={"text": "x"}).status_code == 403
    foreign = {"X-Forwarded-User": "ben", "Sec-Fetch-Site": "cross-site"}
    client = app.test_client()
    sent = client.post(NOTES, data={"text": "x"}, headers=foreign, environ_overrides=PROXY)
    assert sent.status_code == 403


def test_downloads_have_notes_only_if_chosen(app: Flask) -> None:
    ben = Reader(app, "ben")
    ben.post(NOTES, text="A *note*\n\n# on it <i>", **{"from": 2})
    links = ben.page(f"/completions/{ID}")

    for form in ("md", "html", "json", "jsonl"):
        assert "on it" not in ben.get(f"/completions/{ID}/export.{form}?partial=1").text
    markdown = ben.get(links.link("Markdown with notes") or "").text
    assert "> A \\*note\\*\n> \n> \\# on it \\<i\\>\n" in markdown
    assert "> **Note on message 2 by ben, " in markdown
    html = ben.get(links.link("HTML with notes") or "").text
    assert "# on it &lt;i&gt;</p>" in html
    assert "on it" not in ben.get(f"/completions/{ID}/export.json?notes=1").text


def test_a_share_has_notes_only_if_its_maker_chose_them_and_masked(app: Flask) -> None:
    ben = Reader(app, "ben")
    ben.post(NOTES, text=f"It says {SECRET}", **{"from": 2, "to": 5})
    ben.post(NOTES, text="On the system", **{"from": 1})

    plain = ben.post(f"/completions/{ID}/share", answer="1", calls="1").location
    assert "On the system" not in ben.get(f"{plain}/preview".replace("?changed=1", "")).text
    chosen = ben.post(f"/completions/{ID}/share", answer="1", calls="1", notes="1").location
    page = ben.page(f"{chosen}/preview")
    # The system message is not shared, so the others have other numbers, and its note is gone.
    assert [one.text() for one in page.all(".note-head")][0].startswith("Note on messages 1 to 4")
    [text] = texts(page)
    assert text.startswith("It says ") and SECRET not in text
    assert "readback_notes" not in page.one("main").text()
    assert not page.all(".note-head a, .bar-notes")
    exported = ben.get(f"{chosen}/preview/completions/shared/export.md?notes=1").text
    assert "Note on messages 1 to 4" in exported and SECRET not in exported
    assert "note" not in snapshot().omitted


def test_what_a_completion_itself_calls_notes_is_not_shared() -> None:
    note = Note(id="", author="a", name="Ann", created=1, text="A note", choice=1)
    forged = parse(json.dumps(COMPLETION | {"readback_notes": [{"text": "Forged"}, 7]}))
    messages = [parse(json.dumps(one)) for one in MESSAGES]

    for notes, choices, wanted in (
        ((), ShareChoices(notes=True), []),
        ((note,), ShareChoices(), []),
        ((note,), ShareChoices(notes=True), ["A note"]),
        ((note,), ShareChoices(notes=True, answer=False), []),
    ):
        made = make_snapshot(forged, messages, choices, notes=notes)
        assert [one.text for one in read_notes(made.document)] == wanted
        assert "Forged" not in made.text


def test_the_notes_on_a_deleted_completion_are_deleted(app: Flask) -> None:
    ann = Reader(app, "ann@example.com")
    ann.post(NOTES, text="Gone soon")
    notes: Notes = app.extensions["readback"].notes
    assert len(notes.list(ID)) == 1

    assert ann.post(f"/completions/{ID}/delete").status_code == 303

    assert notes.list(ID) == ()


def test_notes_are_of_one_place_and_not_too_many(database: Config) -> None:
    with closing(open_app_database(database)) as opener:
        times = iter(range(1_000, 2_000))
        notes = Notes(opener, "here", now=lambda: next(times) + 0.5)
        elsewhere = Notes(opener, "there")
        draft = Note(id="", author="a", name="A", created=0, text="t", first=1, last=2)

        states = [notes.find_state(ID)]
        added = [notes.add(ID, draft) for _ in range(MAX_NOTES + 1)]
        states.append(notes.find_state(ID))
        first = added[0]
        assert first is not None and added[-1] is None and all(added[:-1])
        assert notes.list(ID)[0] == replace(draft, id=first.id, created=1_000) == first
        notes.edit(ID, first.id, "u")
        states.append(notes.find_state(ID))
        edited = notes.find(ID, first.id)
        assert edited is not None and (edited.text, edited.edited) == ("u", 1_200 + 1)
        notes.remove(ID, first.id)
        states.append(notes.find_state(ID))
        assert len(set(states)) == 4
        assert elsewhere.list(ID) == () and elsewhere.find(ID, first.id) is None
        elsewhere.add(ID, draft)
        assert notes.remove_all(ID) == MAX_NOTES - 1
        assert len(elsewhere.list(ID)) == 1
