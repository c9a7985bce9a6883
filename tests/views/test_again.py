"""The page "Code", and another run of a completion on the model server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from tests.snippets.hostile import hostile_completion
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.model_server import FakeModel, completion, whole
from tests.support.pages import Page, open_menu
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record
from webapp.factories import find_database_url

ID = "chatcmpl-hostile"
CODE = f"/completions/{ID}/code"


@pytest.fixture(autouse=True)
def hostile(config: Config) -> None:
    store = Store(find_database_url(config))
    store.add([parse_record(json.dumps(hostile_completion()))])
    store.close()


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def with_model(config: Config, model: FakeModel) -> Iterator[FlaskClient]:
    with model.serve() as url:
        yield create_app(replace(config, model_url=url)).test_client()


def read_code(page: Page) -> str:
    return page.all(".code code")[0].text()


def test_the_transcript_leads_to_code_for_this_page_and_for_another_run(
    client: FlaskClient,
) -> None:
    transcript = Page.of(client.get(f"/completions/{ID}?limit=2&order=desc"))
    links = {node.text(): node.attributes["href"] for node in transcript.all(".menu-items a")}

    page = Page.of(client.get(links["Code"] or ""))
    again = Page.of(client.get(links["Run again"] or ""))

    assert "-d limit=2" in read_code(page) and "-d order=desc" in read_code(page)
    assert '"http://localhost/v1/chat/completions/chatcmpl-hostile/messages"' in read_code(page)
    assert "$OPENAI_API_KEY" in read_code(page)
    assert "END_OF_REQUEST" in read_code(again)
    menu = open_menu(client, transcript.bubbles[1].node)
    assert menu.link("code up to here") == f"{CODE}?to=10&for=again"
    current = [node.text() for node in again.all('.code-choices [aria-current="true"]')]
    assert current == ["Run it again", "curl", "Request in the code"]
    assert not again.all('form[action$="/again"]'), "there is no model server"
    assert again.all("script:not([src])") == []


def test_another_run_can_end_with_any_message_and_be_in_a_file(client: FlaskClient) -> None:
    shorter = Page.of(client.get(f"{CODE}?for=again&in=python&to=2"))
    in_file = Page.of(client.get(f"{CODE}?for=again&in=python&body=file&to=2"))
    sent = client.get(f"/completions/{ID}/request.json?to=2")

    assert "Be brief." in read_code(shorter)
    assert "Be brief." not in read_code(in_file)
    assert "request.json" in read_code(in_file)
    assert sent.headers["Content-Disposition"] == "attachment; filename=request.json"
    assert sent.headers["Cache-Control"] == "no-store"
    assert json.loads(sent.data)["messages"] == hostile_completion()["messages"][:2]
    assert client.get(f"{CODE}?for=again&to=12").status_code == 404
    for wrong in ("to=0", "to=x", "body=x"):
        assert client.get(f"{CODE}?for=again&{wrong}").status_code == 400
    for wrong in ("for=x", "in=cobol", "limit=x", "order=up", "after=a/b"):
        assert client.get(f"{CODE}?{wrong}").status_code in (400, 404)


def test_code_names_the_server_that_is_read_and_never_its_key(
    fake_client: FlaskClient, fake: FakeUpstream
) -> None:
    fake.completions["c1"] = stored("c1", "one", presence_penalty=0.0, temperature=1.0)
    fake.completions["c1"].messages[0] |= {"role": "assistant", "content": None}
    fake_client.application.config["TESTING"] = True

    page = Page.of(fake_client.get("/completions/c1/code?for=again&in=node"))

    assert 'baseURL: "http://127.0.0.1:' in read_code(page)
    assert "sk-test" not in page.text
    assert '"temperature": 1.0' in read_code(page), "this server may have other defaults"
    assert "did not return the tool calls" in page.text
    assert fake_client.get("/completions/none/code?for=again").status_code == 404


@pytest.mark.parametrize("version", [None, "2025-02-01-preview"])
def test_azure_gets_its_version_and_its_header(version: str | None) -> None:
    config = Config(
        azure_openai_endpoint="https://name.openai.azure.com",
        azure_openai_api_key="a-secret-key",
        openai_api_version=version,
    )
    page = create_app(config).test_client().get("/completions/c1/code")

    code = read_code(Page.of(page))
    assert "api-key: $OPENAI_API_KEY" in code
    base = "https://name.openai.azure.com/openai"
    path = "/chat/completions/c1/messages"
    expected = f"{base}{path}?api-version={version}" if version else f"{base}/v1{path}"
    assert f'"{expected}"' in code


def test_it_runs_again_and_the_new_one_names_the_first(
    with_model: FlaskClient, model: FakeModel
) -> None:
    model.script(whole(completion("chatcmpl-second", "Five.")))
    page = Page.of(with_model.get(f"{CODE}?for=again&to=3"))
    form = page.all('form[action$="/again"]')[0]
    sent = {
        node.attributes["name"] or "": node.attributes["value"] or "" for node in form.css("input")
    }
    assert sent == {"to": "3", "model": "gpt-4o-mini-2024-07-18"}

    answer = with_model.post(form.attributes["action"] or "", data=sent | {"model": "other"})

    compared = f"/compare?a={ID}&b=chatcmpl-second"
    assert (answer.status_code, answer.location) == (303, compared)
    assert "Four Five" in Page.of(with_model.get(compared)).text
    asked = json.loads(model.requests[-1].body)
    assert asked["model"] == "other"
    assert asked["messages"] == hostile_completion()["messages"][:3]
    transcript = Page.of(with_model.get("/completions/chatcmpl-second"))
    assert "readback_rerun_of" in transcript.text and "Five." in transcript.text
    record = Page.of(with_model.get("/record"))
    assert "run again" in record.text and ID in record.text


def test_an_error_of_the_model_is_a_page_that_leads_back(
    with_model: FlaskClient, model: FakeModel
) -> None:
    unknown = {"error": {"message": "no model nope", "code": "model_not_found"}}
    for status in (404, 400, 429, 500):
        model.script(whole(unknown, status=status))
        answer = with_model.post(f"/completions/{ID}/again", data={"model": "nope"})

        page = Page.of(answer, {404: 400, 500: 502}.get(status, status))
        assert "no model nope" in page.text
        assert "created without store" not in page.text
        assert page.link("The transcript") == f"/completions/{ID}"
    assert with_model.post("/completions/none/again").status_code == 404
    assert with_model.post(f"/completions/{ID}/again", data={"to": "x"}).status_code == 400
    assert with_model.get(f"/completions/{ID}/again").status_code == 405


def test_strangers_and_other_sites_cannot_run_anything(
    config: Config, model: FakeModel, client: FlaskClient
) -> None:
    with model.serve() as url:
        everyone = create_app(replace(config, model_url=url, open=True, host="0.0.0.0"))
        here = everyone.test_client()
        from_afar = {"REMOTE_ADDR": "192.0.2.1"}
        address = f"/completions/{ID}/again"
        stranger = here.post(address, environ_overrides=from_afar)
        foreign = here.post(address, headers={"Sec-Fetch-Site": "cross-site"})

    assert (stranger.status_code, foreign.status_code) == (403, 403)
    assert client.post(address).status_code == 404, "no model server is configured"
    assert not model.requests
