"""The API of the embedded server at `/v1`: its addresses, its key and its model."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.model_server import FakeModel
from webapp import create_app
from webapp.config import Config, ConfigError

KEY = "sk-of-this-server-0123456789"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "What is in it?"}], "store": True}


def client(folder: Path, **settings: str) -> FlaskClient:
    """Return a client of the application, started with these settings."""
    environ = {"DATABASE_URL": f"sqlite:///{folder / 'store.db'}", **settings}
    return create_app(Config.from_environ(environ)).test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_on_loopback_it_answers_without_a_key(tmp_path: Path) -> None:
    assert client(tmp_path).get("/v1/chat/completions").status_code == 200


def test_the_rest_of_its_path_is_of_the_api_alone(tmp_path: Path) -> None:
    mounted = client(tmp_path)
    for path in ("/v1", "/v1/", "/v1/v1/chat/completions", "/v1//"):
        assert mounted.get(path).is_json, path
    for path in ("/v10", "/v1x/chat/completions", "/x/v1/chat/completions", "/V1"):
        assert not mounted.get(path).is_json, path


def test_beyond_loopback_it_is_not_there_without_a_key(tmp_path: Path) -> None:
    opened = client(tmp_path, HOST="0.0.0.0", READBACK_OPEN="1")

    assert opened.get("/v1/chat/completions").status_code == 404
    assert opened.get("/completions").status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_with_a_key_it_answers_only_clients_that_send_it(tmp_path: Path, host: str) -> None:
    opened = client(tmp_path, HOST=host, READBACK_OPEN="1", READBACK_API_KEY=KEY)

    assert opened.get("/v1/chat/completions").status_code == 401
    assert opened.get("/v1/chat/completions", headers=bearer("x")).status_code == 401
    assert opened.get("/v1/chat/completions", headers=bearer(KEY)).status_code == 200


def test_a_created_completion_is_shown_by_the_viewer_which_has_the_key(tmp_path: Path) -> None:
    model = FakeModel()
    with model.serve() as model_url:
        opened = client(
            tmp_path,
            READBACK_API_KEY=KEY,
            READBACK_MODEL_URL=model_url,
            READBACK_MODEL_API_KEY="sk-of-the-model",
        )
        created = opened.post("/v1/chat/completions", json=ASKED, headers=bearer(KEY)).get_json()

    page = opened.get(f"/completions/{created['id']}")

    assert page.status_code == 200
    assert "What is in it?" in page.text
    assert "Hello!" in page.text
    assert model.requests[0].headers["authorization"] == "Bearer sk-of-the-model"
    assert KEY not in page.text


def test_the_cap_of_a_request_and_the_forwarding_of_store_are_settings(tmp_path: Path) -> None:
    model = FakeModel()
    with model.serve() as model_url:
        opened = client(
            tmp_path,
            READBACK_MODEL_URL=model_url,
            READBACK_MODEL_FORWARDS_STORE="1",
            READBACK_MAX_REQUEST_BYTES="1024",
        )
        assert opened.post("/v1/chat/completions", json=ASKED).status_code == 200
        large = ASKED | {"user": "x" * 1024}
        assert opened.post("/v1/chat/completions", json=large).status_code == 413

    (forwarded,) = model.requests
    assert b'"store"' in forwarded.body


def test_a_key_for_no_model_server_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="READBACK_MODEL_URL"):
        client(tmp_path, READBACK_MODEL_API_KEY="sk-of-the-model")


def test_the_keys_are_not_shown_with_the_settings() -> None:
    config = Config(api_key=KEY, model_api_key="sk-of-the-model")

    assert KEY not in repr(config)
    assert "sk-of-the-model" not in repr(config)
