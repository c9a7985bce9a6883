"""Write a transcript as a configuration of promptfoo: its prompt, its model, and one test.

Everything is JSON, which YAML contains, below a few lines of comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from webapp.exact_json import Null, Object
from webapp.exports.exact import join_lines
from webapp.exports.training import LeftOut, write_message
from webapp.exports.transcript import Transcript, iter_items
from webapp.formatting import first_words

_SETTINGS: Final = (
    ("temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "stop")
    + ("presence_penalty", "frequency_penalty", "reasoning_effort", "verbosity")
    + ("tools", "tool_choice", "parallel_tool_calls", "response_format", "functions")
)
_TEMPLATE: Final = re.compile(r"\{(?=[{%#])")
"""The beginning of a template, which promptfoo would replace in a prompt."""
_END_OF_RAW: Final = re.compile(r"\{%(-?\s*endraw)")
_LOADED: Final = ("file://", "package:")
"""Beginnings of an expected text that promptfoo would load from elsewhere."""
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def iter_promptfoo(transcript: Transcript, left_out: LeftOut) -> Iterator[str]:
    """Yield the configuration in pieces; add to `left_out` the parts that a prompt cannot hold.

    The test compares with the stored answer; its author replaces that by a better condition.
    """
    completion = transcript.completion
    members = []
    for setting in _SETTINGS:
        value = completion.json.get(setting) if isinstance(completion.json, Object) else None
        if value is not None and not isinstance(value, Null):
            members.append(f'"{setting}": {_escape(join_lines(value.source))}')
    name, model = f"Readback: {transcript.id}", f"openai:chat:{completion.model or ''}"
    yield f"# promptfoo eval -c FILE\ndescription: {_quote(name)}\n"
    # A prompt of one line that has a slash or a star is taken for the path of a file.
    yield 'prompts:\n  - "[\\n'
    answer = separator = ""
    for item in iter_items(transcript):
        if item.choice is not None:
            answer = answer or item.message.plain_text
        elif written := write_message(item, left_out):
            # A JSON text within a JSON text; a template's brace is escaped in the inner one.
            prompt = _TEMPLATE.sub(lambda _: "\\u007b", written)
            yield separator + _quote(prompt)[1:-1]
            separator = ","
    yield ']"\n'
    yield f"providers:\n  - id: {_quote(model)}\n"
    yield f"    config: {{{', '.join(members)}}}\n"
    yield f"tests:\n  - description: {_quote(first_words(answer, 80))}\n    assert:\n"
    if answer:
        expected = answer
        if _TEMPLATE.search(answer) or answer.startswith(_LOADED):
            inner = _END_OF_RAW.sub(r"{% endraw %}{{ '{%' }}{% raw %}\1", answer)
            expected = f"{{% raw %}}{inner}{{% endraw %}}"
        yield "      # Replace this by what matters about the answer.\n"
        yield f"      - type: equals\n        value: {_quote(expected)}\n"
    else:
        yield "      # The stored answer has no text; it calls tools.\n"
        yield "      - type: is-valid-openai-tools-call\n"


def _quote(text: str) -> str:
    return _escape(json.dumps(text, ensure_ascii=False))


def _escape(written: str) -> str:
    """Escape the characters of JSON that YAML does not take as they are."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
