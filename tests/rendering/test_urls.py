"""URLs that may become links, and link texts that mislead."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked, texts
from webapp.rendering import get_host, is_allowed_link
from webapp.rendering.urls import is_misleading


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "http://a.example/",
        "HTTPS://A.EXAMPLE/Path?q=1&r=%C3%A9#top",
        "https://a.example:8443/x",
        "https://a.example/a%20b",
        "https://a.example/?q=javascript:alert(1)",
        "https://a.example/(x)/[y]",
        "https://a.example/é",
        "https://under_score.example/",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://127.0.0.1/",
        "https://[2001:db8::1]:8443/",
        "https://a.example/%FF",
        "https://a.example/@user",
        "mailto:someone@a.example",
        "mailto:someone@a.example?subject=a%20b",
        "mailto:someone@a.example?subject=x&body=l1%0D%0Al2",
        "https://a.example/?body=a%0Ab",
        "https://a.example/a%09b#c%0a",
    ],
)
def test_an_address_on_another_server_is_allowed(url: str) -> None:
    assert is_allowed_link(url, own_host="readback.example")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "#top",
        "/logout",
        "//evil.example",
        "relative/path",
        "?q=1",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "blob:https://a.example/1",
        "file:///etc/passwd",
        "ftp://a.example/",
        "feed:javascript:alert(1)",
        "view-source:https://a.example",
        "vbscript:x",
        "tel:112",
        "https:a.example",
        "https:/a.example",
        "https:///a.example",
        "https://",
        "https://?q",
        "http:\\\\a.example",
        "https://a.example\\@b.example",
        "https://user@a.example/",
        "https://user:pass@a.example/",
        "https://a.example@b.example/",
        "https://@a.example/",
        "https://a%2eexample/",
        "https://a.example%00.b.example/",
        "https://[::1",
        "https://::1]/",
        "https://[a.example]/",
        "https://[fe80::1%25eth0]/",
        "https://a.example:port/",
        "https://a.example:99999/",
        "https://a..example/",
        "https://127.1/",
        "https://127.1./",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://a.0x1/",
        f"https://{'a' * 64}.example/",
        "https://a.example/" + "x" * 10_000,
        "mailto:",
        "mailto:someone",
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert not is_allowed_link(url, own_host="readback.example")


DECEIVING = [
    *map(chr, range(0x20)),
    "\x7f",
    "\x85",
    "\xa0",
    "\xad",
    "\u061c",
    "\u180e",
    "\u1680",
    *map(chr, range(0x2000, 0x2010)),
    *map(chr, range(0x2028, 0x2030)),
    *map(chr, range(0x205F, 0x2070)),
    "\u3000",
    "\ufeff",
    "\ufffa",
    "\U000e0041",
]


@pytest.mark.parametrize("character", DECEIVING)
def test_characters_that_hide_or_reorder_are_refused_plain_and_encoded(character: str) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in character.encode())

    for place in (character, encoded, encoded.upper()):
        ordinary = place != character and character in "\t\n\r"
        assert is_allowed_link(f"https://a.example/x{place}y") is ordinary
        assert not is_allowed_link(f"https://a{place}.example/")
        assert not is_allowed_link(f"mailto:a{place}@b.example")


@pytest.mark.parametrize("encoded", ["%09", "%0A", "%0d%0a"])
def test_an_encoded_line_break_is_no_part_of_a_host_or_scheme(encoded: str) -> None:
    assert is_allowed_link(f"https://a.example/{encoded}")
    assert not is_allowed_link(f"https://a{encoded}.example/")
    assert not is_allowed_link(f"java{encoded}script:alert(1)")
    assert not is_allowed_link(f"mailto:a{encoded}@b.example")
    assert not is_allowed_link(f"https://a.example/{encoded}%00")
    assert not is_allowed_link(f"https://a.example/{encoded}%E2%80%AE")


def test_a_space_is_allowed_only_when_it_is_encoded() -> None:
    assert not is_allowed_link("https://a.example/a b")
    assert not is_allowed_link(" https://a.example/")
    assert not is_allowed_link("https://a%20b.example/")
    assert not is_allowed_link("https://a.example/\ud800")


@pytest.mark.parametrize(
    ("url", "own_host"),
    [
        ("https://readback.example/", "readback.example"),
        ("https://READBACK.example/", "readback.EXAMPLE"),
        ("https://readback.example:443/", "readback.example"),
        ("https://readback.example/", "readback.example:443"),
        ("http://readback.example:80/x", "readback.example"),
        ("http://readback.example", "readback.example:80"),
        ("http://localhost:8000/completions", "localhost:8000"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]:8000/", "[::1]:8000"),
        ("http://127.1:8000/", "127.0.0.1:8000"),
        ("http://2130706433:8000/", "127.0.0.1:8000"),
        ("https://readback.example./", "readback.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "bücher.example"),
        ("http://ｌｏｃａｌｈｏｓｔ:8000/", "localhost:8000"),
        ("http://localhost。:8000/", "localhost:8000"),
        ("http://%6cocalhost:8000/", "localhost:8000"),
    ],
)
def test_no_address_leads_to_our_own_server(url: str, own_host: str) -> None:
    assert not is_allowed_link(url, own_host=own_host)


@pytest.mark.parametrize(
    ("url", "own_host"),
    [
        ("https://readback.example:8443/", "readback.example"),
        ("http://localhost:9000/", "localhost:8000"),
        ("http://localhost/", "localhost:8000"),
        ("https://www.readback.example/", "readback.example"),
        ("https://readback.example.org/", "readback.example"),
    ],
)
def test_another_port_or_name_is_another_server(url: str, own_host: str) -> None:
    assert is_allowed_link(url, own_host=own_host)


@pytest.mark.parametrize("own_host", ["[", "a:b", "a..b", "\x00"])
def test_a_malformed_own_host_allows_no_more(own_host: str) -> None:
    assert not is_allowed_link("javascript:alert(1)", own_host=own_host)
    assert is_allowed_link("https://a.example/", own_host=own_host) in (True, False)


UNSEEN = {"Cc", "Cs", "Zl", "Zp", "Zs"}
nasty = st.text(
    st.sampled_from("htps:/\\@[]%.#?&0a2e1x\u202e\u200b \t\n\"'<>é。" + string.ascii_letters),
    max_size=40,
)


@given(st.sampled_from(["", "http:", "https://", "https://a.example", "mailto:"]), nasty | texts)
@checked
def test_an_allowed_link_begins_as_a_web_or_mail_address(start: str, rest: str) -> None:
    url = start + rest
    if is_allowed_link(url, own_host="a.example"):
        assert url.lower().startswith(("http://", "https://", "mailto:"))
        assert {unicodedata.category(one) for one in url}.isdisjoint(UNSEEN)
        assert "\\" not in url
        assert url.startswith("mailto:") or get_host(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example/x", "a.example"),
        ("http://A.example:80", "a.example"),
        ("https://[::1]/", "::1"),
        ("mailto:a@b.example", None),
        ("javascript:alert(1)", None),
        ("https://[", None),
        ("/x", None),
        ("", None),
    ],
)
def test_the_host_of_a_web_address_is_told(url: str, host: str | None) -> None:
    assert get_host(url) == host


@pytest.mark.parametrize(
    "text",
    [
        "bank.example",
        "https://bank.example/login",
        "http://www.bank.example",
        "BANK.EXAMPLE",
        " bank.example",
        "bank.example (secure)",
        "“bank.example”",
        "\u200bbank.example",
        "//bank.example",
        "ftp://bank.example",
        "bänk.example",
        "evil.example.bank.example",
    ],
)
def test_a_text_that_names_another_host_misleads(text: str) -> None:
    assert is_misleading(text, "https://evil.example/")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("evil.example", "https://evil.example/"),
        ("https://EVIL.example/x", "https://www.evil.example/y"),
        ("www.evil.example", "http://evil.example"),
        ("the docs", "https://evil.example/"),
        ("version 1.2", "https://evil.example/"),
        ("", "https://evil.example/"),
        ("bank.example", "mailto:a@evil.example"),
    ],
)
def test_other_texts_do_not_mislead(text: str, url: str) -> None:
    assert not is_misleading(text, url)
