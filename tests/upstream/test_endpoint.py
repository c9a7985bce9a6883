"""Where a client may be pointed, and that keys do not show."""

from __future__ import annotations

import pytest

from webapp.http import find_secrets
from webapp.upstream import Endpoint, Secret


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.example.com/v1",
        "http://localhost:8000",
        "http://127.0.0.1:1/v1",
        "http://127.8.8.8/v1",
        "http://[::1]:8080/v1",
        "http://10.0.0.1/v1",
        "http://[fe80::1%25eth0]:8000/v1",
        "http://vllm:8000/v1",
        "http://host.docker.internal:11434/v1",
    ],
)
def test_https_anywhere_and_http_on_this_network_are_accepted(base_url: str) -> None:
    assert Endpoint.openai(base_url).base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.example.com/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://8.8.8.8/v1",
        "http://134744072/v1",
        "https://user:word@api.example.com/v1",
        "http://localhost@example.com/v1",
        "http://localhost\\@example.com/v1",
        "https://api.example.com/v1?x=\r\nX: y",
        "https://api.example.com/v1?x=1#x",
        "https://api.example.com/v1#x",
        "https://api.example.com/a/../v1",
        "https://api.example.com:99999/v1",
        "https://api.example.com/v1\r\nX: y",
        "ftp://api.example.com/v1",
        "api.example.com/v1",
        "https://",
        "",
    ],
)
def test_other_base_urls_are_refused_with_one_line(base_url: str) -> None:
    with pytest.raises(ValueError, match="base URL") as refusal:
        Endpoint.openai(base_url)

    assert "\n" not in str(refusal.value)


def test_a_refused_user_name_and_password_are_not_repeated() -> None:
    with pytest.raises(ValueError) as refusal:
        Endpoint.openai("https://user:word@api.example.com/v1")

    assert "word@" not in str(refusal.value)


def test_slashes_and_space_around_a_base_url_do_not_matter() -> None:
    endpoint = Endpoint.openai(" https://api.example.com:8443/v1// ")

    assert endpoint.base_url == "https://api.example.com:8443/v1"
    assert endpoint.host == "api.example.com:8443"


def test_openai_gets_a_bearer_token_and_the_organization_headers() -> None:
    endpoint = Endpoint.openai(api_key=" sk-1\n", organization="org-1", project="proj-1")

    assert endpoint.base_url == "https://api.openai.com/v1"
    assert endpoint.reveal_headers() == {
        "Authorization": "Bearer sk-1",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
    }


def test_without_a_key_no_credentials_are_sent() -> None:
    assert Endpoint.openai(api_key=" ").reveal_headers() == {}


@pytest.mark.parametrize(
    "address",
    [
        "https://r.openai.azure.com",
        "https://r.openai.azure.com/",
        "https://r.openai.azure.com/openai/v1/",
    ],
)
def test_azure_v1_needs_no_version(address: str) -> None:
    endpoint = Endpoint.azure(address, "key-1")

    assert endpoint.base_url == "https://r.openai.azure.com/openai/v1"
    assert endpoint.query == ""
    assert endpoint.reveal_headers() == {"api-key": "key-1"}


def test_classic_azure_takes_its_version_as_a_parameter() -> None:
    endpoint = Endpoint.azure(
        "https://r.openai.azure.com", "key-1", api_version="2025-02-01-preview"
    )

    assert endpoint.base_url == "https://r.openai.azure.com/openai"
    assert endpoint.query == "api-version=2025-02-01-preview"


def test_plain_http_to_any_server_can_be_allowed() -> None:
    endpoint = Endpoint.openai("http://api.example.com/v1", allows_plain_http=True)

    assert endpoint.base_url == "http://api.example.com/v1"


def test_a_query_in_the_base_url_is_kept_as_it_was_written() -> None:
    endpoint = Endpoint.openai("https://gw.example/v1/?api-version=2024-10-21&flag&sig=a%2Bb")

    assert endpoint.base_url == "https://gw.example/v1"
    assert endpoint.query == "api-version=2024-10-21&flag&sig=a%2Bb"


def test_further_headers_replace_those_of_the_same_name() -> None:
    endpoint = Endpoint.openai(api_key="sk-1").with_headers(
        [("authorization", "Basic dXNlcjpwYXNz"), ("Modal-Key", "wk-12345678")]
    )

    assert endpoint.reveal_headers() == {
        "authorization": "Basic dXNlcjpwYXNz",
        "Modal-Key": "wk-12345678",
    }


def test_every_secret_is_redacted_and_a_version_is_not() -> None:
    endpoint = Endpoint.openai(
        "https://gw.example/v1?api-version=2024-10-21&subscription-key=0123456789",
        api_key="sk-12345678",
    ).with_headers([("X-Auth", "Bearer tok-12345678"), ("X-Stage", "test")])
    said = "sk-12345678 tok-12345678 0123456789 2024-10-21 test"

    assert endpoint.redact(said) == "*** *** *** 2024-10-21 test"
    assert "12345678" not in repr(endpoint)


@pytest.mark.parametrize(
    ("headers", "query", "secrets"),
    [
        ([("X-Title", "Customer support")], "", ()),
        ([("HTTP-Referer", "https://example.com")], "", ()),
        ([("X-Author", "Somebody-Else"), ("X-Assigned", "somebody")], "", ()),
        ([("X-Api-Key", "wordwordword")], "", ("wordwordword",)),
        ([("X-Auth", "Bearer wordwordword")], "", ("wordwordword",)),
        ([("Cookie", "session=abcdefgh")], "", ("session=abcdefgh",)),
        ([("X-Proxy-AuthToken", "wordwordword")], "", ("wordwordword",)),
        ([("X-Gateway", "gw-0123456789abcdefghij")], "", ("gw-0123456789abcdefghij",)),
        ([], "design=minimalist&passage=somewhere", ()),
        ([], "sig=a%2Bbcdefgh", ("a+bcdefgh",)),
    ],
)
def test_values_are_secrets_by_their_name_or_as_tokens(
    headers: list[tuple[str, str]], query: str, secrets: tuple[str, ...]
) -> None:
    assert find_secrets(headers, query=query) == secrets


def test_azure_takes_no_query() -> None:
    with pytest.raises(ValueError, match="base URL"):
        Endpoint.azure("https://r.openai.azure.com?x=1", "key-1")


def test_azure_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an API key"):
        Endpoint.azure("https://r.openai.azure.com", " ")


def test_a_key_that_cannot_be_a_header_is_refused_unquoted() -> None:
    with pytest.raises(ValueError, match="API key contains characters") as refusal:
        Endpoint.openai(api_key="sk-1\nX-Other: 1")

    assert "sk-1" not in str(refusal.value)


def test_a_secret_shows_as_stars_and_reveals_itself_only_on_request() -> None:
    secret = Secret("sk-1")

    assert [str(secret), repr(secret), f"{secret}", f"{secret!r:>3}"] == ["***"] * 4
    assert secret.reveal() == "sk-1"
    assert secret == Secret("sk-1")
    assert secret != Secret("sk-2")


def test_an_endpoint_can_be_printed() -> None:
    assert "sk-1" not in repr(Endpoint.openai(api_key="sk-1"))
