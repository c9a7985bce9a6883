"""Texts of a failing server, in each place of an error that can have one."""

from __future__ import annotations

import json
from typing import Final

from tests.support.fake_upstream import Reply
from tools.hostile.fields import POLYGLOT

_LINE: Final = POLYGLOT.replace("\r\n", " ").replace("\0", "").replace("\u202e", "")
_SAID: Final = {"message": "said", "type": "t", "code": "c", "param": "p"}
_HTML: Final = (("Content-Type", "text/html"),)


def _told(name: str) -> Reply:
    """An error whose member `name` is the polyglot, by a status that fits."""
    return Reply(400, json.dumps({"error": {**_SAID, name: POLYGLOT}}))


FAILURES: Final = (
    *(_told(name) for name in _SAID),
    *(
        Reply(status, json.dumps({"error": dict.fromkeys(_SAID, POLYGLOT)}))
        for status in (401, 403, 404, 409, 418, 429, 500, 503)
    ),
    Reply(400, json.dumps({"error": {POLYGLOT: POLYGLOT}})),
    Reply(400, json.dumps({"error": POLYGLOT})),
    Reply(400, json.dumps({"detail": [{"msg": POLYGLOT, "loc": [POLYGLOT]}]})),
    Reply(400, json.dumps([POLYGLOT])),
    Reply(400, json.dumps(POLYGLOT)),
    Reply(502, f"<title>{POLYGLOT}</title><script>pwn()</script>", _HTML),
    Reply(502, "<html><head><title>&lt;script&gt;pwn()&lt;/script&gt;</title>", _HTML),
    Reply(500, POLYGLOT, (("Content-Type", "text/plain"),)),
    Reply(500, POLYGLOT.encode("utf-16")),
    Reply(200, POLYGLOT, _HTML),
    Reply(200, json.dumps({"error": dict.fromkeys(_SAID, POLYGLOT)})),
    Reply(200, json.dumps({"object": "list", "data": POLYGLOT})),
    Reply(200, json.dumps({"object": "list", "data": [], "has_more": True, "last_id": POLYGLOT})),
    Reply(302, "", (("Location", f"https://evil.example/{_LINE}"),)),
    Reply(301, "", (("Location", f"javascript:{_LINE}"),)),
    Reply(429, "{}", (("Retry-After", _LINE), ("x-request-id", _LINE))),
    Reply(503, "{}", (("Retry-After", "9" * 4_301),)),
    Reply(503, "{}", (("Retry-After", "-1e309"), ("x-request-id", "\x1b[31m" + "x" * 9_000))),
    Reply(500, "{}", (("x-request-id", _LINE), ("Content-Type", f'text/html; x="{_LINE}"'))),
    Reply(500, "{}", (("Set-Cookie", "pwned=1"), ("Refresh", "0;url=https://evil.example"))),
    Reply(500, "{}", (("Content-Encoding", "pwned"), ("Link", "<//evil.example>; rel=preload"))),
)
