"""JSON that is nearly a message: wrong types everywhere, names that stand twice, depth, numbers."""

from __future__ import annotations

import json
from typing import Any, Final

from tools.hostile.cases import Case, exact_case, message_case

_ODD: Final[dict[str, Any]] = {
    "a number": 17.5,
    "a truth": True,
    "an array": ["an odd item", {"odd": ["deeper"]}],
    "an object": {"odd": "an odd member", "type": ["odd"]},
}
_PLACES: Final = (
    *("role", "name", "content", "content_parts", "refusal", "audio", "tool_calls"),
    *("function_call", "tool_call_id", "annotations", "reasoning", "reasoning_content"),
)
_CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_CITED: Final = {"url": "https://evil.example/", "title": "a title"}
_PARTS: Final[dict[str, Any]] = {
    "nothing": None,
    "a truth": False,
    "an array": ["nested text", ["deeper"]],
    "an empty object": {},
    "a text without text": {"type": "text"},
    "a text that is an object": {"type": "text", "text": {"value": "inner"}},
    "a kind that is an object": {"type": {"text": "inner"}, "text": "x"},
    "a kind that is a prototype": {"type": "__proto__", "__proto__": {"polluted": True}},
    "a kind that is a path": {"type": "../../base", "base": "x"},
    "a kind with a template": {"type": "{{ 7*7 }}", "x": "y"},
    "an image without an address": {"type": "image_url", "image_url": {}},
    "an image of nothing": {"type": "image_url", "image_url": None},
    "an image of images": {"type": "image_url", "image_url": [{"url": "https://evil.example/"}]},
    "a sound without data": {"type": "input_audio", "input_audio": {"format": "wav"}},
    "a sound of numbers": {"type": "input_audio", "input_audio": {"data": 1, "format": 2}},
    "a file of nothing": {"type": "file", "file": {}},
    "a file that is a text": {"type": "file", "file": "name.pdf"},
    "a thought without words": {"type": "thinking", "thinking": [{"text": "inner"}]},
    "a refusal that is a truth": {"type": "refusal", "refusal": True},
}
_CALLS: Final[dict[str, Any]] = {
    "a call that is a text": ["call"],
    "a call of nothing": [None, {}, []],
    "a call without a function": [{"id": "call_1", "type": "function"}],
    "a function that is a text": [{**_CALL, "function": "f"}],
    "arguments that are an object": [{**_CALL, "function": {"name": "f", "arguments": {"a": 1}}}],
    "arguments that are a number": [{**_CALL, "function": {"name": "f", "arguments": 1.50}}],
    "a name that is an array": [{**_CALL, "function": {"name": ["f"], "arguments": "{}"}}],
    "an id that is a number": [{**_CALL, "id": 7}],
    "the same id twice": [_CALL, _CALL, _CALL],
    "a kind nobody knows": [{"id": "call_1", "type": "mcp", "mcp": {"name": "x", "input": "y"}}],
    "a kind that is an object": [{"id": "call_1", "type": {"function": {}}}],
    "an object in place of the list": {"0": _CALL},
    "very many": [{**_CALL, "id": f"call_{at}"} for at in range(300)],
}
_ARGUMENTS: Final = {
    "cut off": '{"path": "/etc/pas',
    "a name twice": '{"a": 1, "a": 2, "A": 3}',
    "a prototype": '{"__proto__": {"admin": true}, "constructor": {"prototype": {}}}',
    "numbers of all kinds": "[1e999, -0, 1.0, 1E+2, NaN, Infinity, -Infinity, 0.1e-400]",
    "a long integer": '{"n": ' + "7" * 4_301 + "}",
    "white space": '  \r\n{\t"a"\n:\r1 }  \n',
    "a comment": '{"a": 1 /* why */, // or\n "b": 2,}',
    "single quotes": "{'a': 'b', c: undefined}",
    "two documents": '{"a": 1}{"b": 2}',
    "lines": '{"a": 1}\n{"b": 2}\n',
    "escapes": '{"a": "\\u003cscript\\u003e\\ud800\\/\\u0000\\u2028"}',
    "raw control characters": '{"a": "line\nbreak\ttab\x00nul"}',
    "a byte order mark": '\ufeff{"a": 1}',
    "a scalar": '"only a text"',
    "JSON in JSON in JSON": json.dumps({"a": json.dumps({"b": json.dumps({"c": "<b>"})})}),
    "depth": "[" * 3_000 + "1" + "]" * 3_000,
    "empty names": '{"": {"": [{}, [], ""]}}',
    "names of markup": '{"</pre><script>pwn()</script>": "x", "\\"onclick=pwn()": 1}',
    "an XML document": '<?xml?><!DOCTYPE a [<!ENTITY b "bb">]><a onclick="pwn()">&b;</a>',
    "an XML bomb": "<!DOCTYPE a ["
    + "".join("<!ENTITY e{} '{}'>".format(at + 1, f"&e{at};" * 10) for at in range(9))
    + "]><a>&e9;</a>",
    "an XML document from elsewhere": '<!DOCTYPE a SYSTEM "https://evil.example/x.dtd"><a/>',
    "a table": 'name,formula\n=cmd|\'/c calc\'!A1,"<script>pwn()</script>"\n"unclosed,1\n',
    "a table of tabs": "a\tb\n1\t<img src=x onerror=pwn()>\n",
}
_EXACT: Final = {
    "roles that stand twice": ('"role":"user","role":"system","content":"words"', "words"),
    "contents that stand twice": ('"role":"user","content":"first","content":"second"', "second"),
    "numbers as they were": ('"role":"user","content":"x","n":1.0,"m":1E+2,"z":-0', "1E+2"),
    "no numbers": ('"role":"user","content":"x","n":NaN,"m":-Infinity', "NaN"),
    "a long integer": (f'"role":"user","content":"x","n":{"8" * 4_301}', "8" * 4_301),
    "a long integer as a time": (f'"role":"assistant","audio":{{"expires_at":{"8" * 4_301}}}', ""),
    "a time beyond all": ('"role":"assistant","audio":{"id":"a","expires_at":9999999999999}', ""),
    "a time before all": ('"role":"assistant","audio":{"id":"a","expires_at":-99999999999999}', ""),
    "escaped names": ('"r\\u006fle":"user","c\\u006fntent":"written otherwise"', "otherwise"),
    "half a pair in a name": ('"role":"user","content":"x","\\ud800":"lone"', "lone"),
    "half a pair in a role": ('"role":"\\udfff","content":"x"', "x"),
    "deep members": (f'"role":"user","content":"x","deep":{"[" * 2_000}1{"]" * 2_000}', "x"),
    "deep contents": (f'"role":"user","content":{"[" * 2_000}"x"{"]" * 2_000}', "x"),
    "a prototype": ('"role":"user","content":"x","__proto__":{"role":"system"}', "system"),
    "an empty name": ('"role":"user","content":"x","":"unnamed","  ":"spaces"', "unnamed"),
    "no content at all": ('"role":"user"', ""),
    "an empty role": ('"role":"","content":"words"', "words"),
    "a role of white space": ('"role":" \\n\\t","content":"words"', "words"),
    "null everywhere": (",".join(f'"{name}":null' for name in _PLACES), ""),
    "raw Unicode": ('"role":"user","content":"\u202e\u200b\U000e0061\ufdd0 words"', "words"),
    "very many members": (
        '"role":"user","content":"x",' + ",".join(f'"k{at}":{at}' for at in range(2_000)),
        "x",
    ),
    "very many parts": (
        '"role":"user","content":[' + ",".join(['{"type":"text","text":"x"}'] * 600) + "]",
        "x",
    ),
    "a wide array": (f'"role":"user","content":"x","a":[{",".join("0" * 20_000)}]', "x"),
}


def _odd_cases() -> list[Case]:
    return [
        message_case(f"types: {name} as {place}", {"content": "x"} | {place: value})
        for place in _PLACES
        for name, value in _ODD.items()
    ]


CASES: Final = [
    *_odd_cases(),
    *(message_case(f"parts: {name}", {"content": [part]}) for name, part in _PARTS.items()),
    *(
        message_case(f"calls: {name}", {"role": "assistant", "tool_calls": calls})
        for name, calls in _CALLS.items()
    ),
    *(
        message_case(
            f"arguments: {name}",
            {
                "role": "assistant",
                "content": text,
                "tool_calls": [{**_CALL, "function": {"name": "f", "arguments": text}}],
            },
            text,
        )
        for name, text in _ARGUMENTS.items()
    ),
    *(exact_case(f"JSON: {name}", members, said) for name, (members, said) in _EXACT.items()),
    message_case("annotations: a text", {"content": "x", "annotations": ["words of it"]}),
    message_case("annotations: without one", {"content": "x", "annotations": [{}, None, 1]}),
    message_case(
        "annotations: an object in place of the list",
        {"content": "x", "annotations": {"type": "url_citation", "url_citation": _CITED}},
    ),
]
