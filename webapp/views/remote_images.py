"""Images on other servers, each in a frame whose policy allows that one origin.

Only the reader's browser requests them, and only when the reader says so: the frame has no
origin of its own, sends no cookie and no referrer, and can do nothing but show one image.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.fragments import render_page_or_fragment
from webapp.rendering import RemoteImage
from webapp.templating.context import is_from_elsewhere

bp = Blueprint("remote_images", __name__, url_prefix="/remote-image")

# Kept out of the template, since the policy names its digest.
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
    """Show the frame in place of the link to it, or a page with that frame."""
    image = _wanted()
    return render_page_or_fragment(
        "remote_images/show.html", "remote_images/_frame.html", image=image, back=_back()
    )


@bp.get("/frame")
def frame() -> ResponseReturnValue:
    """Show the document of one image, under its own policy."""
    if request.headers.get("Sec-Fetch-Dest", "iframe") not in ("iframe", "document"):
        abort(403, "This is a document for frames of Readback only.")
    image = _wanted()
    response = make_response(render_template("remote_images/frame.html", image=image, style=STYLE))
    response.headers.update(_FRAME_HEADERS)
    response.headers["Content-Security-Policy"] = policy(image)
    return response


def policy(image: RemoteImage) -> str:
    """Write the policy of the frame of `image`: it may show images of that origin."""
    return (
        f"default-src 'none'; img-src {image.origin}; style-src 'sha256-{_STYLE_DIGEST}'; "
        "sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    )


def _wanted() -> RemoteImage:
    if is_from_elsewhere():
        abort(403, "Images are loaded from pages of Readback only.")
    image = RemoteImage.parse(request.args.get("url", ""), own_host=request.host)
    if image is None:
        abort(400, "Readback does not load images from this address.")
    return image


def _back() -> str:
    """Find the page of ours that the reader comes from, by default the list."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        parts = urlsplit("")
    is_ours = parts.netloc == request.host and parts.path.startswith(f"{url_for('listing.index')}/")
    if not is_ours:
        return url_for("listing.index")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
