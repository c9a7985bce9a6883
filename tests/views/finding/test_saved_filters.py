"""Filters under a name: saved, opened, replaced, deleted; names are hostile."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page
from webapp.database import open_later
from webapp.saved import MAX_SAVED, SCHEMA, SavedFilters, clean_name

HOSTILE: Final = '<b>x</b> "a" & {{ 7 }} 東京'
QUERY: Final = "filter=tool%3A%22a+b%22+tokens%3A%3E9&sort=-tokens"
OWN: Final[dict[str, Any]] = {"headers": {"Sec-Fetch-Site": "same-origin"}}


def save(client: FlaskClient, name: str, query: str = QUERY) -> int:
    return client.post("/saved-filters", data={"name": name, "query": query}, **OWN).status_code


def test_filters_are_saved_opened_replaced_and_deleted(client: FlaskClient) -> None:
    page = Page.of(client.get(f"/completions?{QUERY}"))
    fields = {
        one.attributes["name"]: one.attributes.get("value") for one in page.all(".saved-form input")
    }
    data = {"query": fields["query"], "name": f"  {HOSTILE} "}
    response = client.post("/saved-filters", data=data, **OWN)
    assert (response.status_code, response.location) == (
        303,
        f"/completions?{QUERY}".replace("%3A", ":"),
    )
    page = Page.of(client.get("/completions"))
    assert page.link(HOSTILE) == response.location
    assert not page.all(".saved b") and not page.all(".saved-form")
    assert not page.all(".saved [aria-current]")
    opened = Page.of(client.get(response.location))
    assert [one.text() for one in opened.all(".saved [aria-current]")] == [HOSTILE]
    assert save(client, HOSTILE, "model=m") == 303
    page = Page.of(client.get("/completions"))
    assert page.link(HOSTILE) == "/completions?model=m"
    form = page.one(".saved-edit form")
    assert (form.attributes["method"], form.attributes["action"]) == (
        "post",
        "/saved-filters/delete",
    )
    for _ in range(2):
        deleted = client.post("/saved-filters/delete", data={"name": HOSTILE}, **OWN)
        assert (deleted.status_code, deleted.location) == (303, "/completions")
    assert not Page.of(client.get("/completions")).all(".saved")


def test_saved_filters_work_beside_another_server(fake_client: FlaskClient) -> None:
    assert save(fake_client, "mine", "metadata[a]=1") == 303
    page = Page.of(fake_client.get("/completions"))
    assert page.link("mine") == "/completions?metadata%5Ba%5D=1"


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("", QUERY, "A name has 1 to 60 characters"),
        ("x" * 61, QUERY, "A name has 1 to 60 characters"),
        ("a\u202eb", QUERY, "A name has 1 to 60 characters"),
        ("a\x00b", QUERY, "A name has 1 to 60 characters"),
        ("x", "", "no filters to save"),
        ("x", "unknown=1", "no filters to save"),
        ("x", "filter=tokens:many", "tokens: takes a number"),
    ],
)
def test_what_cannot_be_saved_is_explained(
    client: FlaskClient, name: str, query: str, words: str
) -> None:
    sent = {"name": name, "query": query}
    assert words in Page.of(client.post("/saved-filters", data=sent, **OWN), 400).text


def test_another_site_saves_nothing(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"}
    for path in ("/saved-filters", "/saved-filters/delete"):
        sent = {"name": "x", "query": QUERY}
        assert client.post(path, data=sent, headers=headers).status_code == 403
    assert client.get("/saved-filters").status_code == 405


def test_names_are_counted(url: str) -> None:
    with closing(open_later(url, SCHEMA)) as database:
        saved = SavedFilters(database)
        assert all(saved.save(f"n{at}", "model=m") for at in range(MAX_SAVED))
        assert not saved.save("more", "model=m")
        assert saved.save("n1", "model=other")
        saved.delete("n2")
        assert saved.save("more", "model=m")
        assert len(saved.list_all()) == MAX_SAVED
    assert clean_name(" a  \n b ") == "a b"
