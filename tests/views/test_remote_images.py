"""Images on other servers: never loaded by themselves, and then from one origin only."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.any_json import checked
from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.pages import AS_FRAGMENT, Page
from webapp import create_app
from webapp.config import Config, Limits
from webapp.rendering import RemoteImage
from webapp.templating.context import MAX_FRAMES

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
SHOW = "/remote-image"
FRAME = "/remote-image/frame"
URL = "https://images.example/a.png?x=1&y=2"


def ask(client: FlaskClient, path: str, url: str = URL, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, query_string={"url": url}, headers=named)


def policy(response: TestResponse) -> dict[str, str]:
    directives = response.headers["Content-Security-Policy"].split("; ")
    return dict((one.split(" ", 1) + [""])[:2] for one in directives)


@pytest.fixture(scope="module")
def viewer() -> FlaskClient:
    """Return a client of an application whose upstream no frame needs."""
    config = Config(openai_base_url="http://127.0.0.1:9/v1", limits=Limits(max_retries=0))
    return create_app(config).test_client(use_cookies=False)


# The frame


def test_the_frame_shows_one_image_and_may_ask_one_origin(viewer: FlaskClient) -> None:
    response = ask(viewer, FRAME)
    page = Page.of(response)
    (image,) = page.all("img")
    assert image.attributes["src"] == URL
    assert image.attributes["referrerpolicy"] == "no-referrer"
    assert "images.example" in (image.attributes["alt"] or "")
    assert page.all("script, link, a, iframe, form") == []
    digest = hashlib.sha256(page.one("style").text().encode()).digest()
    assert policy(response) == {
        "default-src": "'none'",
        "img-src": "https://images.example",
        "style-src": f"'sha256-{base64.b64encode(digest).decode()}'",
        "sandbox": "",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_frame_sends_no_cookie_and_no_referrer_and_is_not_kept(
    viewer: FlaskClient,
) -> None:
    headers = ask(viewer, FRAME).headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Embedder-Policy"] == "credentialless"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [SHOW, FRAME])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd"])
def test_pages_of_others_cannot_have_images_loaded(
    viewer: FlaskClient, path: str, site: str
) -> None:
    assert ask(viewer, path, Sec_Fetch_Site=site).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("kind", ["iframe", "document"])
def test_our_pages_and_readers_can(viewer: FlaskClient, site: str, kind: str) -> None:
    response = ask(viewer, FRAME, Sec_Fetch_Site=site, Sec_Fetch_Dest=kind)
    assert response.status_code == 200


@pytest.mark.parametrize("kind", ["image", "script", "style", "empty", "object", "embed"])
def test_the_frame_is_given_to_nothing_but_frames(viewer: FlaskClient, kind: str) -> None:
    response = ask(viewer, FRAME, Sec_Fetch_Site="same-origin", Sec_Fetch_Dest=kind)
    assert response.status_code == 403


REFUSED = [
    "",
    "a.png",
    "/completions",
    "//images.example/a.png",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA",
    "blob:https://a.example/x",
    "ftp://a.example/x.png",
    "file:///etc/passwd",
    "mailto:a@b.example",
    "https://",
    "https://a.b;script-src *",
    "https://a.b;script-src%20*/x",
    "https://a.b;/x",
    "https://a.b,c.d/x",
    "https://a.b'/x",
    "https://*.example/x",
    "https://*/x",
    "https://a b/x",
    "https://a%20b/x",
    "https://a.b\n/x",
    "https://a.b\u202e/x",
    "https://user@a.example/x",
    "https://user:password@a.example/x",
    "https://a.example:0x50/x",
    "https://a.example:99999/x",
    "https://a.example:80;/x",
    "https://a.example\\@b.example/x",
    "http://localhost/x",
    "http://LOCALHOST:80/x",
    "http://localhost./x",
    "http://[::1]/x",
    "http://[::1]:9000/x",
    "http://[v1.a;b]/x",
    "http://0x7f.1/x",
    "http://2130706433/x",
    "http://127.1/x",
    "http://1.2.3.4.5/x",
    "https://a..example/x",
    "https://-a.example-/x",
    "https://" + "a" * 64 + ".example/x",
    "https://" + "a." * 200 + "example/x",
    "https://a.example/" + "x" * 5_000,
]


@pytest.mark.parametrize("url", REFUSED)
@pytest.mark.parametrize("path", [SHOW, FRAME])
def test_an_address_that_cannot_be_named_in_a_policy_is_refused(
    viewer: FlaskClient, path: str, url: str
) -> None:
    response = ask(viewer, path, url)
    assert response.status_code == 400
    assert policy(response)["img-src"] == "'self'"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://images.example/a.png", "https://images.example"),
        ("HTTPS://Images.Example/A.png", "https://images.example"),
        ("https://images.example:8443/a.png", "https://images.example:8443"),
        ("http://127.0.0.1:9000/a.png", "http://127.0.0.1:9000"),
        ("https://bücher.example/a.png", "https://xn--bcher-kva.example"),
        ("https://例え.テスト/a.png", "https://xn--r8jz45g.xn--zckzah"),
        ("https://a_b.example/a.png", "https://a_b.example"),
        ("https://images.example/a;b,c d.png".replace(" ", "%20"), "https://images.example"),
        ("https://images.example?;script-src%20*", "https://images.example"),
        ("https://images.example/#;script-src", "https://images.example"),
    ],
)
def test_the_origin_is_made_of_the_host_as_browsers_send_it(
    viewer: FlaskClient, url: str, origin: str
) -> None:
    response = ask(viewer, FRAME, url)
    assert response.status_code == 200
    assert policy(response)["img-src"] == origin


@given(
    st.sampled_from(["https://", "http://", "https:", ""]),
    st.text() | st.text("abc.:;,' *[]@%/\\?#-_0x"),
    st.sampled_from(["", "/x", ";script-src *"]),
)
@checked
def test_no_address_gets_more_than_an_origin_into_the_policy(
    scheme: str, place: str, rest: str
) -> None:
    image = RemoteImage.parse(scheme + place + rest, own_host="localhost")

    if image is not None:
        assert re.fullmatch(r"https?://[a-z0-9._-]+(:[0-9]{1,5})?", image.origin)


# The link and what it gives


def test_the_link_gives_the_frame_in_its_place(fake_client: FlaskClient) -> None:
    response = fake_client.get(SHOW, query_string={"url": URL}, headers=AS_FRAGMENT)
    page = Page.of(response)
    assert not page.is_whole
    frame = page.one("iframe").attributes
    assert "sandbox" in frame and frame["sandbox"] in (None, "")
    assert "credentialless" in frame
    assert frame["loading"] == "lazy"
    assert frame["referrerpolicy"] == "no-referrer"
    assert frame["title"] == "Image from images.example"
    shown = Page.of(fake_client.get(frame["src"] or ""))
    assert shown.one("img").attributes["src"] == URL


def test_without_javascript_the_link_leads_to_a_page_with_a_way_back(
    fake_client: FlaskClient,
) -> None:
    came_from = f"http://localhost{HERE}?order=desc"
    page = Page.of(ask(fake_client, SHOW, Referer=came_from))
    assert page.is_whole
    assert len(page.all("iframe")) == 1
    assert URL in page.text
    assert page.link("Back") == f"{HERE}?order=desc"


@pytest.mark.parametrize(
    "referrer",
    ["", "https://evil.example/completions/x", "http://localhost//evil.example", "http://[", "x"],
)
def test_the_way_back_leads_to_us_wherever_one_comes_from(
    fake_client: FlaskClient, referrer: str
) -> None:
    page = Page.of(ask(fake_client, SHOW, Referer=referrer))
    assert page.link("Back") == "/completions"


# In the transcript


def remote(url: str = URL) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.fixture
def shown(fake: FakeUpstream, fake_client: FlaskClient) -> FlaskClient:
    """Serves a completion whose every other message has a remote image."""
    one = stored(ID, *(str(at) for at in range(60)))
    for at in range(0, 60, 2):
        one.messages[at] |= {"content": None, "content_parts": [remote(), remote("http://[::1]/")]}
    fake.completions[ID] = one
    return fake_client


def sources(page: Page) -> list[str]:
    named = page.all("[src], [srcset], [data], [poster]")
    return [node.attributes.get("src") or "" for node in named]


def test_nothing_on_a_page_loads_a_remote_image_by_itself(shown: FlaskClient) -> None:
    page = Page.of(shown.get(HERE))
    assert page.all("img, iframe, object, embed") == []
    assert all(one.startswith("/static/") for one in sources(page))
    assert "images.example" in page.bubbles[0].text
    link = page.bubbles[0].link("Load this image")
    assert Page.of(shown.get(link)).one("iframe")
    assert "which Readback cannot load" in page.bubbles[0].text


def test_all_images_of_a_page_are_loaded_on_request(shown: FlaskClient) -> None:
    page = Page.of(shown.get(HERE))
    loaded = Page.of(shown.get(page.link("Load all on this page") or ""))
    assert len(loaded.all("iframe")) == 10
    assert all(one.startswith(("/static/", "/remote-image/frame?")) for one in sources(loaded))
    assert Page.of(shown.get(loaded.link("Do not load them") or "")).all("iframe") == []


def test_the_wish_to_load_images_is_kept_through_the_transcript(shown: FlaskClient) -> None:
    first = Page.of(shown.get(f"{HERE}?images=load", headers=AS_FRAGMENT))
    more = Page.of(shown.get(first.link("Load more") or "", headers=AS_FRAGMENT))
    assert len(more.all("iframe")) == 10
    middle = Page.of(shown.get(f"{HERE}/messages/{ID}-30?images=load"))
    earlier = Page.of(shown.get(middle.link("Earlier messages") or "", headers=AS_FRAGMENT))
    assert len(earlier.all("iframe")) == 10


def test_one_page_loads_only_so_many_images(fake: FakeUpstream, fake_client: FlaskClient) -> None:
    one = stored(ID, "pictures")
    one.messages[0] |= {"content": None, "content_parts": [remote()] * (MAX_FRAMES + 5)}
    fake.completions[ID] = one
    page = Page.of(fake_client.get(f"{HERE}?images=load"))
    assert len(page.all("iframe")) == MAX_FRAMES
    assert len(page.all("a.load")) == 5
    assert f"{MAX_FRAMES} images" in page.text


def test_a_link_of_somebody_else_does_not_load_images(shown: FlaskClient) -> None:
    page = Page.of(shown.get(f"{HERE}?images=load", headers={"Sec-Fetch-Site": "cross-site"}))
    assert page.all("iframe") == []
    assert page.link("Load all on this page")


def test_a_page_without_remote_images_does_not_speak_of_them(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, "no image", "data:image/png;base64,AAAA")
    assert "other servers" not in Page.of(fake_client.get(HERE)).text


# In Markdown


def test_an_image_in_a_text_is_named_and_can_be_loaded(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, f"Look: ![a *red* kite]({URL}) up there")
    page = Page.of(fake_client.get(HERE))
    bubble = page.bubbles[0]
    assert page.all("img, iframe") == []
    assert "image: a red kite — images.example" in bubble.text
    assert Page.of(fake_client.get(bubble.link("Load this image"))).one("iframe")
    loaded = Page.of(fake_client.get(page.link("Load all on this page") or ""))
    assert len(loaded.all(".bubble iframe")) == 1


@pytest.mark.parametrize("url", ["/logout", "http://localhost/x", "http://[::1]/x", "//a.example/"])
def test_an_image_in_a_text_that_cannot_be_loaded_has_no_link_for_it(
    fake: FakeUpstream, fake_client: FlaskClient, url: str
) -> None:
    fake.completions[ID] = stored(ID, f"![x]({url})")
    page = Page.of(fake_client.get(f"{HERE}?images=load"))
    assert page.all("img, iframe, a.load") == []
