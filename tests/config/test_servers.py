"""Which servers Readback can be pointed at, and which headers they are sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.config import Config, ConfigError

HEADERS = (("CF-Access-Client-Id", "a1.access"), ("Helicone-Auth", "Bearer b: 2"))
SERVERS = ("OPENAI_BASE_URL", "READBACK_MODEL_URL")


def config(**environ: str) -> Config:
    return Config.from_environ(environ)


def refusal(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config(**environ)
    return str(caught.value)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.20:8000",
        "10.0.0.5",
        "172.31.255.254",
        "100.101.102.103",
        "169.254.10.10",
        "[fd12:3456::1]:8000",
        "[fe80::1]",
        "[::ffff:192.168.1.20]",
        "vllm:8000",
        "VLLM",
        "gpu-box.local",
        "gpu-box.local.",
        "llm.internal:11434",
        "host.docker.internal:11434",
        "model.localhost",
        "0.0.0.0:8000",
        "[::]:8000",
        "gpu-box.lan",
        "vllm.default.svc:8000",
        "nas.home",
        # The resolver takes these for 127.0.0.1 and 192.168.1.20.
        "127.1",
        "0x7f000001",
        "192.168.276",
    ],
)
def test_plain_http_reaches_this_network(name: str, host: str) -> None:
    url = f"http://{host}/v1"

    assert url in (
        getattr(config(**{name: url}), field) for field in ("openai_base_url", "model_url")
    )


@pytest.mark.parametrize("name", [*SERVERS, "AZURE_OPENAI_ENDPOINT"])
@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "172.32.0.1",
        "192.169.0.1",
        "[2001:4860:4860::8888]",
        "[::ffff:8.8.8.8]",
        # The resolver takes these three for 8.8.8.8.
        "134744072",
        "0x08080808",
        "010.8.8.8",
        "gw.example",
        "vllm.example.com",
        "internal.example",
        "192.168.1.20.example",
        "mylocal.example",
        "8.8.8.8.lan.example",
        "ai.",
    ],
)
def test_plain_http_to_others_is_refused_until_it_is_allowed(name: str, host: str) -> None:
    key = {"AZURE_OPENAI_API_KEY": "k"} if name.startswith("AZURE") else {}
    environ = {name: f"http://{host}/v1", **key}

    said = refusal(**environ)
    assert said.startswith(f"{name} takes an https URL; ")
    assert "READBACK_ALLOW_PLAIN_HTTP=1" in said and "\n" not in said
    assert config(**environ, READBACK_ALLOW_PLAIN_HTTP="1").allows_plain_http


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://gw.example/v1/chat/completions", "https://gw.example/v1"),
        ("https://gw.example/v1/chat/completions/", "https://gw.example/v1"),
        ("http://vllm:8000/api/chat/completions", "http://vllm:8000/api"),
        ("https://gw.example/v1/chat/completions/chatcmpl-1", "https://gw.example/v1"),
        ("https://gw.example/openai/v1/models", "https://gw.example/openai/v1"),
        ("https://gw.example/v1/responses", "https://gw.example/v1"),
        ("https://gw.example/v1/chat", "https://gw.example/v1"),
        ("https://gw.example/v1/messages", "https://gw.example/v1"),
        ("https://gw.example/v1/audio/transcriptions", "https://gw.example/v1"),
        ("https://gw.example/v1/chat/completion", "https://gw.example/v1"),
        ("https://gw.example/v1/models/a-1.5", "https://gw.example/v1"),
        ("http://ollama:11434/api/chat", "http://ollama:11434/v1"),
        ("http://ollama:11434/api/generate/", "http://ollama:11434/v1"),
        ("https://gw.example/v1/chat/completions?v=1", "https://gw.example/v1 and its query"),
    ],
)
def test_the_url_of_an_operation_is_refused_with_the_base_url_in_it(
    name: str, url: str, right: str
) -> None:
    assert refusal(**{name: url}).endswith(f": set it to {right}")


@pytest.mark.parametrize("url", ["localhost:8000", "10.0.0.5:8000/v1", "gw.example/v1", "vllm"])
def test_a_url_without_its_scheme_is_told_so(url: str) -> None:
    assert refusal(OPENAI_BASE_URL=url) == (
        "OPENAI_BASE_URL takes a URL that begins with http:// or https://"
    )


@pytest.mark.parametrize("url", ["https://gw.example/models", "https://gw.example/completions-gw"])
def test_a_base_url_may_look_like_an_operation(url: str) -> None:
    assert config(OPENAI_BASE_URL=url).openai_base_url == url


@pytest.mark.parametrize(
    "raw",
    [
        "CF-Access-Client-Id: a1.access\nHelicone-Auth: Bearer b: 2",
        "CF-Access-Client-Id:a1.access\r\n\r\n  Helicone-Auth :  Bearer b: 2  \r\n",
        '{"CF-Access-Client-Id": "a1.access", "Helicone-Auth": "Bearer b: 2"}',
        '{\n "CF-Access-Client-Id": " a1.access",\n "Helicone-Auth": "Bearer b: 2"\n}\n',
    ],
)
def test_headers_are_lines_or_json_from_the_environment_or_a_file(raw: str, tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_bytes(raw.encode())
    both = {"OPENAI_BASE_URL": "https://a.example/v1", "READBACK_MODEL_URL": "https://b.example/v1"}

    assert config(**both, READBACK_HEADERS=raw).headers == HEADERS
    assert config(**both, READBACK_MODEL_HEADERS_FILE=str(file)).model_headers == HEADERS


def test_headers_need_the_server_that_they_are_for() -> None:
    assert refusal(READBACK_HEADERS="X-One: 1") == "READBACK_HEADERS needs OPENAI_BASE_URL as well"
    assert "READBACK_MODEL_URL" in refusal(READBACK_MODEL_HEADERS="X-One: 1")


def test_a_bad_header_value_is_not_repeated() -> None:
    assert "sk-4f9a" not in refusal(READBACK_HEADERS="X-Key: sk-4f9a\u00e9")


def test_a_trusted_network_may_be_written_as_an_address_with_a_mask() -> None:
    [network] = config(READBACK_TRUSTED_PROXIES="172.17.0.1/16").trusted_proxies
    assert str(network) == "172.17.0.0/16"
