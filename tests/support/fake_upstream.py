"""A server to test a client of the stored-completions API against.

`FakeUpstream` is a WSGI app that behaves like the API unless faults are scripted; it runs on a
real port or under a transport adapter, and knows nothing of the code under test.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl

from tests.support.serving import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Json: TypeAlias = dict[str, Any]

MOUNT = "/v1"


def message(completion_id: str, index: int, text: str, role: str = "user") -> Json:
    """Return a stored message with the five keys of the API, in its order."""
    return {
        "id": f"{completion_id}-{index}",
        "role": role,
        "content": text,
        "content_parts": None,
        "name": None,
    }


@dataclass
class Stored:
    """A completion and its messages as the fake keeps them; tests may change both."""

    completion: Json
    messages: list[Json]


def stored(completion_id: str, *texts: str, created: int = 1_758_039_103, **fields: Any) -> Stored:
    """Return a completion with one user message for each of `texts`."""
    completion: Json = {
        "object": "chat.completion",
        "id": completion_id,
        "model": "gpt-4o-mini-2024-07-18",
        "created": created,
        "metadata": {},
        "choices": [
            {
                "index": 0,
                "message": {"content": "An answer", "role": "assistant"},
                "finish_reason": "stop",
            }
        ],
    }
    messages = [message(completion_id, index, text) for index, text in enumerate(texts)]
    return Stored(completion | fields, messages)


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; `path` is without the mount, header names are lower case."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    raw_query: str = ""

    @property
    def is_for_newest(self) -> bool:
        """Whether it asks for the end of a transcript, from the newest message on."""
        query = dict(self.query)
        is_from_end = query.get("order") == "desc" and "after" not in query
        return is_from_end and self.path.endswith("/messages")


@dataclass(frozen=True)
class Reply:
    """A scripted response; a dict or list is sent as compact JSON."""

    status: int = 200
    body: Json | list[Any] | str | bytes = ""
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


def error(status: int, message: str, *, code: str | None = None, **headers: str) -> Reply:
    """Return an error in the API's envelope; header names are written with underscores."""
    body = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, {"error": body}, named)


def as_it_is(page: Json) -> Json:
    return page


def without_has_more(page: Json) -> Json:
    return {"object": "list", "data": page["data"]}


def always_more(page: Json) -> Json:
    return page | {"has_more": True}


def never_more(page: Json) -> Json:
    return page | {"has_more": False}


def always_empty(page: Json) -> Json:
    return page | {"data": [], "first_id": None, "last_id": None, "has_more": True}


@dataclass
class FakeUpstream:
    """The API over `completions`, by id; faults are scripted with `script`, `page` and flags.

    `page` changes every list before it is sent. With `ignores_query` every list is complete
    and in its own order, whatever the query. One that `ignores_order` knows cursors and limits,
    and lists forwards at all times. With a `page_size` a list has so many entries,
    whatever the limit is.

    A reader may ask for the newest messages beside the first ones, in any order. So requests for
    the newest take no reply that was scripted with `script`, but those of `script_newest`.
    """

    completions: dict[str, Stored] = field(default_factory=dict)
    page: Callable[[Json], Json] = as_it_is
    ignores_query: bool = False
    ignores_order: bool = False
    page_size: int | None = None
    requests: list[Seen] = field(default_factory=list)
    _scripts: defaultdict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))
    _newest: defaultdict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))

    def script(self, path: str, *replies: Reply) -> None:
        """Answer the next requests to `path` (without the mount) with `replies`."""
        self._scripts[path].extend(replies)

    def script_newest(self, path: str, *replies: Reply) -> None:
        """Answer the next requests to `path` for the newest messages with `replies`."""
        self._newest[path].extend(replies)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen = _seen(environ)
        self.requests.append(seen)
        script = (self._newest if seen.is_for_newest else self._scripts)[seen.path]
        reply = script.popleft() if script else self._api(seen)
        body = reply.encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        given = {name.lower() for name, _ in reply.headers}
        headers = [(name, value) for name, value in headers if name.lower() not in given]
        start_response(f"{reply.status} Scripted", [*headers, *reply.headers])
        return [body]

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Run it on a free port of this machine; yield the base URL."""
        with serve(self) as address:
            yield address + MOUNT

    def _api(self, seen: Seen) -> Reply:
        parts = seen.path.strip("/").split("/")
        if parts[:2] != ["chat", "completions"] or len(parts) > 4:
            return error(404, f"Unknown request URL: {seen.path}.", code="unknown_url")
        if len(parts) == 2:
            return self._list([one.completion for one in self._matching(seen)], seen, "desc")
        one = self.completions.get(parts[2])
        if one is None:
            return error(404, f"Completion {parts[2]} not found", code="not_found")
        if len(parts) == 4:
            return self._list(one.messages, seen, "asc")
        return self._one(one, seen)

    def _one(self, one: Stored, seen: Seen) -> Reply:
        if seen.method == "DELETE":
            del self.completions[one.completion["id"]]
            deleted = {"object": "chat.completion.deleted", "id": one.completion["id"]}
            return Reply(200, deleted | {"deleted": True})
        if seen.method == "POST":
            one.completion["metadata"] = json.loads(seen.body)["metadata"]
        return Reply(200, one.completion)

    def _matching(self, seen: Seen) -> list[Stored]:
        wanted = {name: value for name, value in seen.query if name.startswith("metadata[")}
        model = dict(seen.query).get("model")
        return [
            one
            for one in self.completions.values()
            if model in (None, one.completion["model"])
            and wanted.items()
            <= {f"metadata[{k}]": v for k, v in one.completion["metadata"].items()}.items()
        ]

    def _list(self, entries: list[Json], seen: Seen, default_order: str) -> Reply:
        query = {} if self.ignores_query else dict(seen.query)
        limit = int(query.get("limit", len(entries) if self.ignores_query else 20))
        limit = self.page_size or limit
        order = default_order if self.ignores_order else query.get("order", default_order)
        if order == "desc":
            entries = entries[::-1]
        ids = [entry["id"] for entry in entries]
        after = query.get("after")
        if after is not None and after not in ids:
            return error(400, f"Invalid 'after': {after}")
        start = ids.index(after) + 1 if after else 0
        data = entries[start : start + limit]
        page = {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": start + limit < len(entries),
        }
        return Reply(200, self.page(page))


def _seen(environ: WSGIEnvironment) -> Seen:
    path = environ.get("PATH_INFO", "")
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    raw_query = environ.get("QUERY_STRING", "")
    return Seen(
        method=environ["REQUEST_METHOD"],
        path=path.removeprefix(MOUNT),
        query=parse_qsl(raw_query, keep_blank_values=True),
        headers=headers,
        body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
        raw_query=raw_query,
    )
