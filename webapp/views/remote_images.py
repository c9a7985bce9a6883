"""Images on other servers, each in a frame whose policy allows that one origin.

Nobody but the reader's browser asks for them, and only when the reader says so: the frame has
no origin of its own, sends no cookie and no referrer, and can do nothing but show one image.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, abort, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.fragments import page_or_fragment
from webapp.messages import Image, Message, Text
from webapp.reading import Section
from webapp.rendering import RemoteImage

bp = Blueprint("remote_images", __name__, url_prefix="/remote-image")

MAX_FRAMES: Final = 50
"""Frames of one page; images beyond are loaded one by one."""

# Written out of the template, since the policy names its digest.
STYLE: Final = (
    "html{color-scheme:light dark;height:100%}"
    "body{margin:0;height:100%;display:grid;place-items:center;font:13px/1.5 system-ui,sans-serif}"
    "img{max-width:100%;max-height:100vh;object-fit:contain}"
)
_STYLE_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_FRAME_HEADERS: Final = {
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Embedder-Policy": "credentialless",
    "Cache-Control": "no-store",
}


@bp.get("")
def show() -> ResponseReturnValue:
    """The frame in place of the link that asks for it, or a page with that frame."""
    image = _wanted()
    return page_or_fragment(
        "remote_images/show.html", "remote_images/_frame.html", image=image, back=_back()
    )


@bp.get("/frame")
def frame() -> ResponseReturnValue:
    """A document of one image, in a policy of its own."""
    if request.headers.get("Sec-Fetch-Dest", "iframe") not in ("iframe", "document"):
        abort(403, "This is a document for frames of Readback only.")
    image = _wanted()
    response = make_response(render_template("remote_images/frame.html", image=image, style=STYLE))
    response.headers.update(_FRAME_HEADERS)
    response.headers["Content-Security-Policy"] = policy(image)
    return response


def policy(image: RemoteImage) -> str:
    """What the frame of `image` may do: show what comes from that origin."""
    return "; ".join(
        (
            "default-src 'none'",
            f"img-src {image.origin}",
            f"style-src 'sha256-{_STYLE_DIGEST}'",
            *("sandbox", "frame-ancestors 'self'", "base-uri 'none'", "form-action 'none'"),
        )
    )


def loads_images() -> bool:
    """Whether the reader asked for all remote images of this page.

    A link on a page of somebody else does not count: who follows it has not chosen this.
    """
    return request.args.get("images") == "load" and not _is_from_elsewhere()


def remote_image(url: str) -> RemoteImage | None:
    """`url` as an image that can be loaded on request; None when it cannot."""
    return RemoteImage.of(url, own_host=request.host)


def takes_frame() -> bool:
    """Whether one more frame belongs on this page; counts it when it does."""
    if not loads_images():
        return False
    count: int = g.get("remote_frames", 0)
    g.remote_frames = count + 1
    return count < MAX_FRAMES


def has_remote_images(section: Section) -> bool:
    """Whether the messages of `section` may show images of other servers."""
    return any(_names_remote(entry.message) for entry in (*section.entries, *section.outputs))


def _names_remote(message: Message) -> bool:
    for part in message.parts:
        if isinstance(part, Image) and not part.is_inline and remote_image(part.url):
            return True
        if isinstance(part, Text) and not message.is_tool_result and _may_show_image(part.text):
            return True
    return False


def _may_show_image(text: str) -> bool:
    """Whether Markdown in `text` may show an image; a text that only writes of it may pass."""
    return "![" in text and any(mark in text for mark in ("](http", "](<http", "]: http"))


def _wanted() -> RemoteImage:
    if _is_from_elsewhere():
        abort(403, "Images are loaded from pages of Readback only.")
    image = remote_image(request.args.get("url", ""))
    if image is None:
        abort(400, "This is no address of an image that Readback loads.")
    return image


def _is_from_elsewhere() -> bool:
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("same-origin", "none")


def _back() -> str:
    """The page of ours that the reader comes from, by default the list."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        parts = urlsplit("")
    is_ours = parts.netloc == request.host and parts.path.startswith("/completions/")
    if not is_ours:
        return url_for("completions.index")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
