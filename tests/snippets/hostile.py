"""A completion whose texts break out of naive quoting, for the tests of snippets."""

from __future__ import annotations

from typing import Final

from tests.support.fake_upstream import Json

TEXTS: Final = (
    """it's "quoted" '''three''' \"\"\"three\"\"\" `tick` ```fence```""",
    "$HOME ${HOME} $(id) %s {0} #{x} !history !! \\ \\\\ \\n \\u0041 ending in a backslash \\",
    "line\nline\r\nline\ttab\u2028separator\u2029\x00\x1b[31m\x7f\ufeff",
    "END_OF_REQUEST\nEND_OF_REQUEST\n'END_OF_REQUEST'\nEOF\n",
    "</script><script>alert(1)</script><!-- ]]> */ --",
    "\u202eright to left\u202c zero\u200bwidth \u00a0 \U000e0041 é ø 日本語 😀 👩\u200d👩\u200d👧",
    "half of a character: \ud83d and \udc00",
)
SEED: Final = -8132613597486110237


def hostile_completion(completion_id: str = "chatcmpl-hostile", *, long: int = 0) -> Json:
    """Return a completion with every kind of message, and arguments of `long` characters."""
    arguments = '{"text": "' + "it's `$x` \\\\ \\u0000 " * (long // 18) + '"}'
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    image = {
        "type": "image_url",
        "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw="},
    }
    users = [{"role": "user", "content": text} for text in TEXTS]
    return {
        "id": completion_id,
        "object": "chat.completion",
        "model": "gpt-4o-mini-2024-07-18",
        "created": 1_758_039_103,
        "seed": SEED,
        "temperature": 0.3,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"__proto__": {}}}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            *users,
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": TEXTS[1]}, image]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": TEXTS[0]},
        ],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Four."},
                "finish_reason": "stop",
            }
        ],
    }
