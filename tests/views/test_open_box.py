"""The box that opens what was pasted: an id, a URL, a curl command with a key, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.pages import Page

ID = "chatcmpl-1"
KEY = "sk-proj-0123456789abcdef"


@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        (ID, f"/completions/{ID}"),
        (f"  {ID}\n", f"/completions/{ID}"),
        (f'"{ID}"', f"/completions/{ID}"),
        (f"`{ID}`", f"/completions/{ID}"),
        (f"https://api.openai.com/v1/chat/completions/{ID}", f"/completions/{ID}"),
        (
            f"https://api.openai.com/v1/chat/completions/{ID}/messages?limit=2",
            f"/completions/{ID}",
        ),
        (f"http://localhost:8000/completions/{ID}?after={ID}-3#m-5", f"/completions/{ID}"),
        (
            f"http://localhost:8000/completions/{ID}/messages/{ID}-3",
            f"/completions/{ID}/messages/{ID}-3",
        ),
        (
            f"curl https://api.openai.com/v1/chat/completions/{ID}/messages \\\n"
            f"  -H 'Authorization: Bearer {KEY}'",
            f"/completions/{ID}",
        ),
        (
            f"curl -H 'api-key: {KEY}' https://r.openai.azure.com/openai/v1/chat/completions/{ID}",
            f"/completions/{ID}",
        ),
        (f'{{"id":"{ID}","object":"chat.completion"}}', f"/completions/{ID}"),
        (f"INFO done {ID}, 3 s", f"/completions/{ID}"),
        (f"https://h/v1/chat/completions/{ID.replace('-', '%2D')}", f"/completions/{ID}"),
    ],
)
def test_what_was_pasted_opens(client: FlaskClient, pasted: str, path: str) -> None:
    response = client.post("/open", data={"pasted": pasted})
    assert (response.status_code, response.location) == (303, path)


@pytest.mark.parametrize(
    "pasted",
    ["", "   ", "https://example.com/", "curl https://example.com/a%20b"],
)
def test_what_names_no_completion_is_a_bad_request(client: FlaskClient, pasted: str) -> None:
    page = Page.of(client.post("/open", data={"pasted": pasted}), 400)
    assert "no completion id" in page.text
    assert page.one("form.open-box input").attributes.get("value") is None


@pytest.mark.parametrize(
    ("pasted", "query"),
    [
        ("hello there", "hello+there"),
        (" resp_0b1c:2~x.y\n", "resp_0b1c:2~x.y"),
        ("..", ".."),
        ("a/b", "a/b"),
        ("é", "%C3%A9"),
        ("%2e%2e", "%252e%252e"),
        ("tool:shell x", "tool:shell+x"),
        ("tokens:many", "tokens:many"),
    ],
)
def test_all_other_words_are_searched_for(client: FlaskClient, pasted: str, query: str) -> None:
    response = client.post("/open", data={"pasted": pasted})
    assert (response.status_code, response.location) == (303, f"/search?q={query}")


def test_filters_alone_lead_to_the_list(client: FlaskClient) -> None:
    response = client.post("/open", data={"pasted": 'tool:shell tool:"a b" '})
    assert response.status_code == 303
    assert response.location == "/completions?filter=tool:shell+tool:%22a+b%22"


def test_an_id_of_any_form_opens_if_it_is_stored(
    client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"id": "resp_0b1c:2~x.y", "messages": [], "choices": []}')
    load(path)
    response = client.post("/open", data={"pasted": "resp_0b1c:2~x.y"})
    assert (response.status_code, response.location) == (303, "/completions/resp_0b1c:2~x.y")


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"Bearer {KEY}",
        f"OPENAI_API_KEY={KEY}",
        f"https://h/v1/chat/completions/{KEY}",
        f"curl https://api.openai.com/v1/chat/completions -H 'Authorization: Bearer {KEY}'",
        f"https://h/v1/chat/completions/{ID}/messages/{KEY}",
    ],
)
def test_a_pasted_key_comes_into_no_address_and_no_page(client: FlaskClient, pasted: str) -> None:
    response = client.post("/open", data={"pasted": pasted})
    assert response.status_code == 400
    assert KEY not in response.get_data(as_text=True)
    assert KEY not in str(response.headers)


def test_a_page_without_the_field_and_a_huge_text_are_refused(client: FlaskClient) -> None:
    assert client.post("/open").status_code == 400
    assert client.post("/open", data={"pasted": "x" * 1_000_000}).status_code == 413
    assert client.get("/open").status_code == 405
