"""The pages of a link to a share, for readers, for bots, and for guessed addresses."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
import re2
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from werkzeug.test import TestResponse

from tests.redaction.planted import plant
from tests.shares.sharing import COMPLETION, MESSAGES, OWN_ID, SECRET, publish, sharing_of, snapshot
from tests.support.answer_headers import find_header_faults
from tools.store_rows import jsonl
from webapp import create_app
from webapp.config import Config
from webapp.shares import ShareChoices

TOO_MANY = re.compile(r"view=|order=desc|like=|messages/shared-[1-4]\b")
"""The same bubbles in other views and orders, and most of the messages that are alike."""
BOTS = (
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; SkypeUriPreview Preview/0.5) MicrosoftTeams",
    "WhatsApp/2.23.20.0",
    "Mozilla/5.0 (Windows NT 10.0) Microsoft Outlook 16.0.12345; SafeLinks",
)
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)
PLACES: Final = ("content", "tokens", "json in json", "percent", "repeated", "base64", "bytes")
CONTENT = ("harbour", "berth", "gpt-4o", "masked", "Acme", SECRET)


def links(page: str, token: str) -> set[str]:
    found = re.findall(r'(?:href|src|action|hx-get)="([^"#]+)', page)
    return {one.replace("&amp;", "&") for one in found if not one.startswith("/static/")}


def walk(client: FlaskClient, token: str, *addresses: str) -> Iterator[tuple[str, TestResponse]]:
    """Yield every answer of a share that can be reached by its links, fragments as well.

    Fails if a link leads out of the share, or to an answer that is not in order.
    """
    start = f"/s/{token}"
    waiting, seen = [f"{start}{one}" for one in addresses], set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        for fragment in (
            ({}, {"HX-Request": "true"}) if re.search("after=|/parts", address) else ({},)
        ):
            answer = client.get(address, headers=fragment)
            # A form that cannot hold everything has a page that says so, and leads to the rest.
            may_lack = re.search(r"/export\.(jsonl|yaml)\Z", address)
            assert answer.status_code in ((200, 422) if may_lack else (200,)), address
            assert not find_header_faults(answer.headers)
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            yield address, answer
            # The same bubbles in every view, order and menu would be too many pages for one test.
            if answer.content_type.startswith("text/html") and len(seen) < 150:
                inner = {one for one in links(answer.text, token) if one.startswith("/")}
                assert all(one.startswith(f"{start}/") for one in inner), inner
                waiting += sorted(one for one in inner - seen if not TOO_MANY.search(one))


def test_every_link_of_a_share_stays_in_it_and_holds_nothing_masked(config: Config) -> None:
    budgets = replace(config.budgets, text_bytes=4_000)
    app = create_app(replace(config, budgets=budgets))
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": f"password: {SECRET} ![x](https://evil.example/x.png)"},
                {"type": "image_url", "image_url": {"url": PIXEL}},
            ],
        },
        *({"role": "user", "content": f"{at} {SECRET} " + "word"} for at in range(5)),
        {"role": "user", "content": SECRET + "-" + "long line\n" * 500},
    ]
    _, token = publish(app, snapshot(ShareChoices(calls=True, settings=True), messages=messages))
    client = app.test_client()
    media = parts = 0
    for address, answer in walk(client, token, "/", "?all=1&limit=2", "?limit=3"):
        body = answer.get_data()
        assert SECRET.encode() not in body + str(answer.headers).encode(), address
        assert OWN_ID.encode() not in body, address
        media += answer.content_type.startswith("image/")
        parts += "/text/" in address
    start = f"/s/{token}"
    assert media and parts
    assert "evil.example" in client.get(start).text
    assert not re.search(r'(?:src)="[^"]*evil', client.get(start).text)


def test_no_byte_of_a_share_is_of_a_planted_secret(app: Flask) -> None:
    planted = list(plant())
    values = {place: [one.value for one in planted if one.place == place] for place in PLACES}
    said = [value["messages"][0]["content"] for value in values.pop("content")]
    tokens = [value["choices"][0] for value in values.pop("tokens")]
    between = {"token": "\n", "logprob": 0, "bytes": [10], "top_logprobs": []}
    answer = {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "\n".join(one["message"]["content"] for one in tokens),
        },
        "logprobs": {
            "content": [part for one in tokens for part in (*one["logprobs"]["content"], between)]
        },
    }
    functions = [{"name": "f", "arguments": json.dumps(one[25:])} for one in values.values()]
    calls = [
        {"id": f"c{at}", "type": "function", "function": one} for at, one in enumerate(functions)
    ]
    messages = [
        {"role": "user", "content": [{"type": "text", "text": one} for one in said]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *(
            {"role": "tool", "tool_call_id": f"c{at}", "content": json.dumps(one[:25])}
            for at, one in enumerate(values.values())
        ),
    ]
    completion = {**COMPLETION, "metadata": {"said": said[0]}, "choices": [answer]}
    made = snapshot(
        ShareChoices(calls=True, system=True, settings=True),
        completion=completion,
        messages=messages,
    )
    _, token = publish(app, made)
    secrets = [one.secret for one in planted if one.place in PLACES]
    assert len(secrets) >= 300 and len({one.kind for one in planted}) >= 50
    forms = {
        form(one)
        for one in secrets
        for form in (str, quote, html.escape, lambda text: json.dumps(text)[1:-1])
    }
    forms |= {value["file_data"] for value in values["base64"]}
    any_secret = re2.compile("|".join(re2.escape(form) for form in sorted(forms)))
    assert any_secret.search(json.dumps(messages))

    pages, forms = 0, set[str]()
    for address, found in walk(app.test_client(), token, "/", "/completions/shared/json"):
        forms.update(re.findall(r"completions/shared/(?:export\.)?(\w+(?:\?.*)?)", address))
        text = f"{found.headers}\n{found.get_data().decode('utf-8', 'replace')}"
        assert not any_secret.search(text), address
        pages += 1
    assert pages > 10
    in_json = {"json", "json?messages=1", "json?form=source", "json?download=1"}
    assert {"md?show=1", "md", "html", "jsonl", "yaml", *in_json} <= forms


def test_a_share_opens_its_snapshot_and_no_other_route(app: Flask) -> None:
    _, token = publish(app)
    client = app.test_client()
    rules = [rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/s/")]
    for rule in [*rules, "/v1/chat/completions", f"/v1/chat/completions/{OWN_ID}"]:
        path = re.sub(r"<[^>]+>", OWN_ID, rule)
        # Without words, the search is an empty form, for any transcript.
        words = {"q": "harbour"} if path.endswith("/search") else None
        answer = client.get(
            f"/s/{token}{path}", query_string=words, follow_redirects=path.endswith("/raw")
        )
        is_page = path == "/"
        assert answer.status_code == (200 if is_page else 404), rule
        assert client.post(f"/s/{token}{path}").status_code == 303, rule
    assert client.get(f"/s/{token}/completions/shared/messages/{OWN_ID}-0").status_code == 404


def test_the_search_of_a_share_looks_in_its_redacted_snapshot_alone(
    app: Flask, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(jsonl(tmp_path / "own.jsonl", [{**COMPLETION, "messages": MESSAGES}]))
    _, token = publish(app)
    client = app.test_client()

    def count(address: str, words: str) -> int:
        answer = client.get(f"{address}/search", query_string={"q": words})
        assert answer.status_code == 200
        return len(LexborHTMLParser(answer.text).css("li.hit"))

    assert "/completions/shared/search" in client.get(f"/s/{token}").text
    shared, own = f"/s/{token}/completions/shared", f"/completions/{OWN_ID}"
    assert count(own, SECRET) == 3 and count(own, "clerk") == 1 and count(own, "berth") == 1
    assert count(shared, "harbour") == 1 and count(shared, "[masked: password]") == 3
    # The snapshot has no masked values, instructions and results of tools.
    for words in (SECRET, "hunter2", "clerk", "berth", OWN_ID):
        assert count(shared, words) == 0
    assert client.get(f"/s/{token}/search?q=harbour").status_code == 404


def test_no_request_of_a_share_reaches_a_server(tmp_path: object) -> None:
    config = Config(
        openai_base_url="http://127.0.0.1:9/v1",
        openai_api_key="sk-nowhere",
        database_url=f"sqlite:///{tmp_path}/own.sqlite3",
    )
    app = create_app(config)
    _, token = publish(app)

    answer = app.test_client().get(f"/s/{token}")

    assert answer.status_code == 200
    assert "And [masked: password]?" in answer.text
    assert "<title>A shared transcript</title>" in answer.text[:32_000]
    head = answer.text.partition("<body>")[0]
    assert not any(word in head for word in CONTENT)
    assert "Ann" in head


def test_a_bot_takes_no_view_and_sees_nothing_of_the_content(app: Flask) -> None:
    share_id, token = publish(app, view_limit=1, passphrase="sesame")
    client = app.test_client()
    for agent in BOTS:
        for headers in ({}, {"Range": "bytes=0-32768"}, {"Sec-Purpose": "prefetch"}):
            for path in ("", "/", "/completions/shared", "/completions/shared/json"):
                for method in ("GET", "HEAD"):
                    answer = client.open(
                        f"/s/{token}{path}",
                        method=method,
                        headers={"User-Agent": agent, **headers},
                    )
                    assert answer.status_code == 200
                    assert not any(word in answer.text for word in CONTENT)
                    assert "Set-Cookie" not in answer.headers
                    assert answer.headers["Referrer-Policy"] == "same-origin"
                    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    found = sharing_of(app).store.find(share_id)
    assert found is not None and found.views == 0
    assert client.get("/robots.txt").status_code == 404


def test_one_opening_is_one_view_however_much_is_read(app: Flask) -> None:
    share_id, token = publish(app, view_limit=2)
    client, other, third = app.test_client(), app.test_client(), app.test_client()
    here = f"/s/{token}"
    assert "2 more times" in client.get(here).text
    opened = client.post(here)
    assert (opened.status_code, opened.headers["Location"]) == (303, here)
    cookie = opened.headers["Set-Cookie"]
    assert f"Path={here};" in cookie and "HttpOnly" in cookie and "Max-Age=3600" in cookie
    for _ in range(3):
        assert "And [masked" in client.get(here).text
        assert client.get(f"{here}/completions/shared/json").status_code == 200
    assert other.post(f"{here}/completions/shared").status_code == 303
    assert other.get(f"{here}/completions/shared").status_code == 200
    assert third.get(here).status_code == third.post(here).status_code == 404
    assert client.get(here).status_code == 200
    store = sharing_of(app).store
    assert [agent for _, agent in store.list_openings(share_id)] == ["Another program"] * 2

    # The cookie of one share does not open another.
    _, second = publish(app, view_limit=1)
    value = cookie.partition("=")[2].partition(";")[0]
    client.set_cookie("readback-share", value, path=f"/s/{second}")
    assert "Open the transcript" in client.get(f"/s/{second}").text
    store.revoke(share_id)
    assert client.get(here).status_code == 404


def test_a_passphrase_is_asked_for_before_anything_is_shown(app: Flask) -> None:
    _, token = publish(app, passphrase="sesame")
    client = app.test_client()
    wrong = client.post(f"/s/{token}", data={"passphrase": "x"})
    assert (wrong.status_code, "That is not the passphrase" in wrong.text) == (403, True)
    assert client.post(f"/s/{token}", data={"passphrase": "sesame"}).status_code == 303
    assert "And [masked" in client.get(f"/s/{token}").text
    foreign = client.post(f"/s/{token}", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


def test_the_cover_leads_to_the_place_that_the_link_names(app: Flask) -> None:
    _, token = publish(app, passphrase="sesame")
    client = app.test_client()
    place = f"/s/{token}/completions/shared?range=1-2"
    cover = client.get(place).text
    [action] = re.findall(r'action="([^"]+)"', cover)
    opened = client.post(action, data={"passphrase": "sesame"}, follow_redirects=True)
    assert "data-target" in opened.text


@pytest.mark.parametrize("path", ["\u65e5\u672c", "completions/\U0001f600", "%E6%97", "caf\u00e9"])
def test_no_path_below_a_share_breaks_its_pages(app: Flask, path: str) -> None:
    _, token = publish(app)
    assert app.test_client().get(f"/s/{token}/{path}").status_code == 404


def test_every_link_that_opens_nothing_gets_the_same_answer(app: Flask, config: Config) -> None:
    client = app.test_client()
    (revoked_id, revoked), (_, used) = publish(app), publish(app, view_limit=1)
    _, expired = publish(app, seconds=0)
    sharing_of(app).store.revoke(revoked_id)
    assert app.test_client().post(f"/s/{used}").status_code == 303
    given = {"X-Request-ID": "one-id-for-all"}
    wrong = client.get("/s/no-such-link", headers=given)
    assert wrong.status_code == 404
    assert not find_header_faults(wrong.headers)
    for token in (revoked, used, expired, "x" * 5000):
        for path in ("", "/completions/shared/json"):
            answer = client.get(f"/s/{token}{path}", headers=given)
            assert answer.data == wrong.data
            assert list(answer.headers) == list(wrong.headers)
            assert client.post(f"/s/{token}{path}").data == wrong.data

    off = create_app(Config(database_url=config.database_url, allows_shares=False))
    _, live = publish(app)
    assert client.get(f"/s/{live}").status_code == 200
    assert off.test_client().get(f"/s/{live}").status_code == 404


def test_a_page_that_is_open_says_why_it_loads_no_more(app: Flask) -> None:
    more = {"HX-Request": "true"}
    client = app.test_client()
    share_id, token = publish(app, view_limit=3)
    here = f"/s/{token}"
    assert client.post(here).status_code == 303
    assert "<article" in client.get(f"{here}?after=shared-0", headers=more).text
    client.delete_cookie("readback-share", path=here)
    cover = client.get(f"{here}?after=shared-0", headers=more)
    sharing_of(app).store.revoke(share_id)
    revoked = client.get(f"{here}?after=shared-0", headers=more)
    wrong = client.get("/s/no-such-link", headers=more)

    assert (cover.status_code, revoked.status_code) == (403, 404)
    assert "more than an hour ago" in cover.text and f'href="{here}"' in cover.text
    assert "does not open anything any more" in revoked.text and revoked.data == wrong.data
    for answer in (cover, revoked):
        assert "<html" not in answer.text and 'role="alert"' in answer.text
        assert answer.headers["HX-Reswap"] == "innerHTML"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written_to_a_share(client: FlaskClient, app: Flask, method: str) -> None:
    _, token = publish(app)

    for origin, status in (({}, 405), ({"Sec-Fetch-Site": "cross-site"}, 403)):
        answer = client.open(f"/s/{token}/completions/shared", method=method, headers=origin)
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_share_does_not_claim_what_its_left_out_parts_may_disprove(
    app: Flask, client: FlaskClient
) -> None:
    messages = [{"role": "user", "content": f"Step {at}."} for at in range(15)]
    made = snapshot(ShareChoices(answer=False), messages=messages)
    _, token = publish(app, made)

    page = client.get(f"/s/{token}/", follow_redirects=True).text
    assert "Not known: the answer is not in this share" in page
    assert "has no choices" not in page
    assert "what the share leaves out is not counted" in page
