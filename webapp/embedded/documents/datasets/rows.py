"""Build completions from rows of training data: their prompts, answers and other members."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from webapp.embedded.documents.api_json import join_lines, strip_whitespace
from webapp.embedded.documents.datasets.messages import (
    SYSTEMS,
    RowMessage,
    build_message,
    convert_turns,
    read_messages,
    read_system,
)
from webapp.embedded.documents.from_files import copy_members
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import (
    Array,
    Member,
    NotJson,
    Object,
    String,
    Value,
    parse,
    write_array,
    write_object,
)

TURNS: Final = ("conversations", "conversation", "messages", "items")
"""The names under which rows have the turns of a conversation."""

_PROMPTS: Final = ("prompt", "input", "question", "instruction", *TURNS)
_QUESTIONS: Final = ("prompt", "question", "query", "input")
ANSWERS: Final = ("completion", "response", "answer", "output")
"""The names under which rows have the answer to a prompt."""

_ANSWER_LISTS: Final = ("completions", "responses", "answers", "outputs", "generations")
_ANSWER_TEXTS: Final = ("response", "completion", "text", "content", "output", "answer")
_COMPARED: Final = (
    ("conversation_a", "conversation_b"),
    ("response_a", "response_b"),
    ("response_0", "response_1"),
    ("response1", "response2"),
    ("answer_a", "answer_b"),
    ("output_1", "output_2"),
    ("human_ref_A", "human_ref_B"),
)
"""The names of two answers, of which another member says which is better, if any does."""
_COMPARED_PROMPTS: Final = (*_PROMPTS, "context", "history")


def from_sharegpt(row: Object, name: str) -> str:
    """Convert the conversation in the member `name`; a last message by the model is its answer."""
    messages = [*read_system(row), *convert_turns(row.items(name) or ())]
    answers = [messages.pop()] if messages[-1].role == "assistant" else []
    used = {one for one in SYSTEMS if row.text(one)}
    members = _copy_others(row, used | {name})
    return _write(members, messages, [f'{{"index":0,"message":{one.json}}}' for one in answers])


def is_pair(value: Value) -> bool:
    """Return whether `value` is a question with its answer, each under the name of its speaker."""
    return isinstance(value, Object) and _list_sides(value) is not None


def from_pairs(row: Object, name: str) -> str:
    """Convert a conversation of pairs; the other members of one are in its answer."""
    turns: list[str] = []
    for pair in row.items(name) or ():
        assert isinstance(pair, Object)
        sides = _list_sides(pair) or ("", "")
        rest = copy_members(one for one in pair.members if one.name.text not in sides)
        for side in sides:
            value = pair.get(side)
            text = join_lines(value.source) if value is not None else "null"
            more = rest if side == sides[-1] else []
            turns.append(write_object([f'"from":"{side}"', f'"value":{text}', *more]))
    members = copy_members(one for one in row.members if one.name.text != name)
    flat = parse(write_object([*members, f'"{name}":{write_array(turns)}']))
    assert isinstance(flat, Object)
    return from_sharegpt(flat, name)


def _list_sides(pair: Object) -> tuple[str, str] | None:
    """Find the names of the question and of the answer; None if one of them is no text."""
    both = (("human", "assistant"), ("user", "assistant"), ("human", "gpt"), ("user", "bot"))
    return next((one for one in both if all(pair.text(name) is not None for name in one)), None)


def from_preference(row: Object, chosen_name: str, rejected_name: str) -> str:
    """Convert a prompt with the preferred answer and the other one, as two choices.

    Each may be a text, a message, or a conversation: its messages before the answer then are
    the prompt, as far as both have them. It may also be a list of texts, each an answer.
    """
    marks = ('"preference":"chosen"', '"preference":"rejected"')
    return _join_answers(row, (chosen_name, rejected_name), marks, _PROMPTS)


def find_compared(row: Object) -> tuple[str, str] | None:
    """Find the names of two answers to one prompt, neither of which is called the better one."""
    for names in _COMPARED:
        if all(isinstance(row.get(name), String | Array) for name in names):
            is_asked = any(row.get(one) is not None for one in _COMPARED_PROMPTS)
            return names if is_asked or names[0].startswith("conversation") else None
    return None


def from_compared(row: Object, names: tuple[str, str]) -> str:
    """Convert a prompt with two answers, as two choices, each with the name that it had."""
    first, second = (f'"column":{json.dumps(name)}' for name in names)
    return _join_answers(row, names, (first, second), _COMPARED_PROMPTS)


def find_answers(row: Object) -> tuple[str, str] | None:
    """Find the names of a prompt and of a list of several answers to it."""
    question = next(filter(row.text, ("instruction", *_QUESTIONS)), None)
    for name in _ANSWER_LISTS if question else ():
        answers = row.items(name)
        if answers and all(_find_text(one) is not None for one in answers):
            return question or "", name
    return None


def from_answers(row: Object, question: str, name: str) -> str:
    """Convert a prompt with several answers, each a choice with its other members."""
    messages = [*read_system(row), *read_messages(row.get(question), "user")]
    choices = []
    for at, answer in enumerate(row.items(name) or ()):
        found = _find_text(answer)
        text = answer.get(found) if found and isinstance(answer, Object) else answer
        message = build_message("assistant", join_lines(text.source if text else "null"))
        members = [f'"index":{at}', f'"message":{message.json}']
        if isinstance(answer, Object):
            rest = [one for one in answer.members if one.name.text not in ("index", found)]
            members += copy_members(rest)
        choices.append(write_object(members))
    used = {question, name, *(one for one in SYSTEMS if row.text(one))}
    return _write(_copy_others(row, used), messages, choices)


def _find_text(answer: Value) -> str | None:
    """Find the member with the text of an answer; an empty name if it is a text itself."""
    if isinstance(answer, Object) and answer.get("message") is None:
        return next(filter(answer.text, _ANSWER_TEXTS), None)
    return "" if isinstance(answer, String) else None


def _join_answers(
    row: Object, names: tuple[str, str], marks: tuple[str, str], prompts: Sequence[str]
) -> str:
    """Convert a prompt with two answers, each a choice with its mark."""
    sides = [
        (name, mark, answer)
        for name, mark in zip(names, marks, strict=True)
        for answer in _list_answers(row.get(name))
    ]
    first = sides[0][2]
    name, prompt = _find_shared_prompt(row, prompts)
    if _is_same(prompt, first):
        prompt = None
    inner = prompt if isinstance(prompt, Object) else None
    has_texts = bool(row.text("instruction")) and not isinstance(row.get("input"), Array | Object)
    is_instruction = has_texts and name in ("instruction", "input")
    if is_instruction:
        asked = [_write_instruction(row)]
    else:
        asked = read_messages(inner.get("messages") if inner else prompt, "user")
    answers = [read_messages(one, "assistant", is_spoken=not asked) for _, _, one in sides]
    # At least one message of each is left, as the answer.
    most = min(map(len, answers)) - 1
    shared = 0
    while shared < most and all(_is_equal(answers[0][shared], one[shared]) for one in answers):
        shared += 1
    before = answers[0][:shared]
    if len(before) < len(asked) or not all(map(_is_equal, asked, before)):
        before = [*asked, *before]
    choices = [
        _write_choice(at, column, mark, answer[shared:])
        for at, ((column, mark, _), answer) in enumerate(zip(sides, answers, strict=True))
    ]
    used = set(names) | ({name} if name else set())
    used |= {"instruction", "input"} if is_instruction else set()
    systems = [] if any(one.role == "system" for one in before) else read_system(row)
    if systems:
        used |= {one for one in SYSTEMS if row.text(one)}
    if _is_same(row.get("messages"), first):
        used.add("messages")
    members = _copy_others(row, used)
    if inner is not None:
        members += _copy_others(inner, {"messages", *row.names()})
    return _write(members, [*systems, *before], choices)


def _find_shared_prompt(row: Object, names: Sequence[str]) -> tuple[str | None, Value | None]:
    """Find the first member that is a text, a list or an object of messages, with its name."""
    for name in names:
        value = row.get(name)
        if isinstance(value, String | Array) and len(value.source) > 2:
            return name, value
        if isinstance(value, Object) and value.items("messages") is not None:
            return name, value
    return None, None


def from_alpaca(row: Object) -> str:
    """Return an instruction, with its `input` as a second part, and the output as the answer."""
    answer = "output" if row.text("output") else "response"
    messages = read_system(row)
    for turn in row.items("history") or ():
        pair = turn.items if isinstance(turn, Array) else ()
        if len(pair) != 2 or not all(isinstance(one, String) for one in pair):
            raise NotACompletion("its `history` is no list of questions with answers")
        for role, text in zip(("user", "assistant"), pair, strict=True):
            messages.append(build_message(role, join_lines(text.source)))
    messages.append(_write_instruction(row))
    used = {"instruction", answer, "history", *(one for one in SYSTEMS if row.text(one))}
    used |= {"input"} if isinstance(row.get("input"), String) else set()
    said = read_messages(row.get(answer), "assistant")
    return _write(_copy_others(row, used), messages, [f'{{"index":0,"message":{said[-1].json}}}'])


def _write_instruction(row: Object) -> RowMessage:
    """Write the message of an instruction, with its `input` as a second part."""
    texts = [one for one in map(row.get, ("instruction", "input")) if isinstance(one, String)]
    given = [join_lines(one.source) for one in texts if one.text]
    parts = write_array(f'{{"type":"text","text":{one}}}' for one in given)
    return build_message("user", parts if len(given) > 1 else given[0])


def find_prompt(row: Object) -> tuple[str, str] | None:
    """Find the names of a prompt and its answer, each a text or a list of messages."""
    for name in _QUESTIONS:
        if isinstance(row.get(name), String | Array):
            answers = (one for one in ANSWERS if isinstance(row.get(one), String | Array))
            answer = next(answers, None)
            return (name, answer) if answer else None
    return None


def from_prompt(row: Object, question: str, answer: str) -> str:
    """Convert a prompt with its answer, each a text or a list of messages."""
    messages = [*read_system(row), *read_messages(row.get(question), "user")]
    said = read_messages(row.get(answer), "assistant")
    if not said:
        raise NotACompletion("its completion is empty")
    *before, last = said
    used = {question, answer, *(one for one in SYSTEMS if row.text(one))}
    choices = [f'{{"index":0,"message":{last.json}}}']
    return _write(_copy_others(row, used), [*messages, *before], choices)


def _is_same(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None:
        return False
    return strip_whitespace(one.source) == strip_whitespace(other.source)


def _is_equal(one: RowMessage, other: RowMessage) -> bool:
    return strip_whitespace(one.json) == strip_whitespace(other.json)


def _list_answers(value: Value | None) -> Sequence[Value | None]:
    """List the answers in a member: the texts of a list of nothing else, or its value."""
    items = value.items if isinstance(value, Array) else ()
    return items if items and all(isinstance(one, String) for one in items) else (value,)


def _write_choice(index: int, name: str, mark: str, messages: Sequence[RowMessage]) -> str:
    if not messages:
        raise NotACompletion(f"its {name} answer is empty")
    *before, answer = messages
    earlier = f',"before":{write_array(one.json for one in before)}' if before else ""
    return f'{{"index":{index},{mark},"message":{answer.json}{earlier}}}'


def _copy_others(row: Object, used: set[str]) -> list[str]:
    """Copy the members of other names; parse `tools` if they are written as text."""
    others = []
    for member in row.members:
        value = member.value
        if member.name.text == "tools" and isinstance(value, String):
            with suppress(NotJson):
                value = parse(value.text)
        if member.name.text not in used:
            others.append(Member(member.name, value) if isinstance(value, Array) else member)
    return copy_members(others)


def _write(members: list[str], messages: Iterable[RowMessage], choices: Iterable[str]) -> str:
    asked = write_array(one.json for one in messages)
    return write_object([*members, f'"messages":{asked}', f'"choices":{write_array(choices)}'])
