"""Keep rendered pages, so that one that is read again costs its requests and little more.

A page is a pure function of the request, of the answers of the server, and of a few inputs that
`webapp.caching.inputs` notes. When it is asked for again, its requests are made again side by side.
A transcript asks only for the completion, since its messages never change. If the inputs, which are
read meanwhile, are the same, and so are the answers to the byte, the page is. Otherwise it is
rendered from these answers, and from new ones if the browser reloads past its own cache. A page is
kept only if the work with a limit of time was done too quickly for that limit to have changed it: a
page whose lexers were compiled first is kept on its second reading.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, wraps
from hashlib import blake2b
from typing import Final, NamedTuple, ParamSpec

from flask import Response, current_app, make_response, request
from flask.typing import ResponseReturnValue

from webapp.access import find_reader
from webapp.caching.inputs import Inputs, note_inputs
from webapp.exact_json import Document, digest_text
from webapp.recent import RecentValues
from webapp.rendering.markdown.context import CODE_SECONDS, read_limited_time
from webapp.services import services, start_deadline
from webapp.upstream import Answers, Asked, UpstreamError, note_answers

P = ParamSpec("P")

PAGES: Final = "readback.pages"
"""The extension of an application with the pages that it keeps."""

MAX_BYTES: Final = 24 * 1024 * 1024
"""Of the pages that a process keeps, with their compressed forms; about 100 of 20 messages."""

MAX_REQUESTS: Final = 4
"""Of a page that is kept; one that needed more, such as for a whole run, needs fewer next time."""

_LARGEST: Final = 1024 * 1024
_OVERHEAD: Final = 2_000
"""Bytes of an entry besides its page and its inputs."""
_INPUT: Final = 400
"""Bytes of an input, such as that an image of the page is kept."""

_HEADERS: Final = ("HTTP_HOST", "HTTP_SEC_FETCH_SITE", "wsgi.url_scheme", "SERVER_NAME")


LEVEL: Final = 3
"""Of gzip: twice as fast as the usual 6, and a few percent larger."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a page that is kept, with their validator and their compressed form."""

    plain: bytes
    compressed: bytes
    etag: str


def compress(plain: bytes) -> bytes:
    """Compress the bytes with gzip, to the same bytes each time."""
    return gzip.compress(plain, LEVEL, mtime=0)


def find_etag(plain: bytes) -> str:
    """Compute the validator of a page."""
    return blake2b(plain, digest_size=12).hexdigest()


class KeptResponse(Response):
    """An answer with a page that is kept; `is_finished` once it is compressed."""

    is_finished = False

    def __init__(self, body: Body) -> None:
        super().__init__(body.plain, mimetype="text/html")
        self.body = body


class _Kept(NamedTuple):
    """A page with all it was made of.

    `answers` are the digests of the answers that decide it. They are None if its inputs decide it
    alone, as the version of a completion in our own store does.
    """

    answers: Mapping[Asked, bytes] | None
    inputs: Inputs
    body: Body


class PageCache(RecentValues[bytes, _Kept]):
    """The pages that were used last, at most `most_bytes` of them; for all threads.

    `cookies` are the names of those that a page depends on. `finish` compresses an answer.
    """

    def __init__(
        self,
        most_bytes: int = MAX_BYTES,
        *,
        cookies: Sequence[str] = (),
        finish: Callable[[Response, Body | None], Response],
    ) -> None:
        super().__init__(most_bytes, largest=_LARGEST)
        self._cookies = tuple(cookies)
        self._finish = finish

    def answer(self, render: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        """Answer this request with the page that `render` makes, from the cache if possible."""
        if request.method != "GET" or not self.most:
            return render()
        key = self._find_key()
        kept = self.get(key)
        known: dict[Asked, Document | UpstreamError] = {}
        if kept is not None and not request.cache_control.no_cache:
            deciding = kept.answers or {}
            # Done while the server works on its answers, if that takes time.
            prepare = cache(partial(self._prepare, kept))
            known = services().loader.ask_again(tuple(deciding), start_deadline(), prepare)
            digests = {
                asked: None if isinstance(outcome, UpstreamError) else digest_text(outcome)
                for asked, outcome in known.items()
            }
            prepared = prepare()
            if prepared and digests == deciding:
                return prepared
        before = read_limited_time()
        with note_answers(Answers(known)) as answers, note_inputs() as inputs:
            response = make_response(render())
        limited = read_limited_time() - before
        was_quick = limited < min(CODE_SECONDS, services().budgets.seconds / 20)
        if was_quick and _may_keep(response):
            return self._keep(key, response, answers, inputs)
        return response

    def _prepare(self, kept: _Kept) -> Response | None:
        """Prepare the answer with a page that is kept, unless an input of it has changed."""
        if not kept.inputs.is_same:
            return None
        prepared = KeptResponse(kept.body)
        self._finish(prepared, kept.body)
        prepared.is_finished = True
        return prepared

    def _keep(self, key: bytes, response: Response, answers: Answers, inputs: Inputs) -> Response:
        """Keep a page if all that it was made of is known, and few requests show a change of it.

        Returns the answer, which has the validator and the compressed form of a page that is kept.
        """
        deciding = answers.deciding
        # They are None if one failed, and without any there is nothing to compare.
        if not deciding or inputs.is_spoiled:
            return response
        if inputs.cover_answers:
            deciding = None
        elif len(deciding) > MAX_REQUESTS:
            return response
        plain = response.get_data()
        body = Body(plain, compress(plain), find_etag(plain))
        size = len(body.plain) + len(body.compressed) + _OVERHEAD + _INPUT * len(inputs.reads)
        self.keep(key, _Kept(deciding, inputs, body), size)
        return KeptResponse(body)

    def _find_key(self) -> bytes:
        """Hash everything in the request that a page may depend on."""
        environ = request.environ
        parts: list[object] = [
            request.script_root,
            request.path,
            request.query_string,
            find_reader(),
        ]
        parts += map(environ.get, _HEADERS)
        parts += sorted(item for item in environ.items() if item[0].startswith("HTTP_HX_"))
        parts += map(request.cookies.get, self._cookies)
        parts.append(id(services()))
        return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=20).digest()


def keep_page(render: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Decorate a view, so that its page comes from the cache of the application if it has one."""

    @wraps(render)
    def answer(*args: P.args, **values: P.kwargs) -> ResponseReturnValue:
        cache: PageCache | None = current_app.extensions.get(PAGES)
        if cache is None:
            return render(*args, **values)
        return cache.answer(partial(render, *args, **values))

    return answer


def _may_keep(response: Response) -> bool:
    """Return whether a page may be kept: it is whole, and all of the answer."""
    is_page = response.status_code == 200 and response.mimetype == "text/html"
    return (
        is_page
        and not response.is_streamed
        and set(response.headers.keys()) <= {"Content-Type", "Content-Length"}
        and not request.args.get("view")  # Its answer sets a cookie.
    )
