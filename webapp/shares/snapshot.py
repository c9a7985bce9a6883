"""Make the document of a share: the chosen part of a transcript, redacted.

The whole transcript is searched for secrets, so that a secret named in a part left out is
masked in the part that is shared as well. Members are shared only if they are listed here, and
without the calls also only content parts of a kind that `webapp.messages` reads: an unknown one
is left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from webapp.exact_json import Array, Null, Object, String, Value, parse, write_array, write_object
from webapp.formatting import count, first_words, replace_surrogates
from webapp.messages import BARE, Message
from webapp.messages.native_parts import translate
from webapp.messages.parsing import PART_TYPES, REASONING_FIELDS, is_call_or_result
from webapp.messages.reasoning import DETAIL_FIELDS, DETAIL_TYPES
from webapp.notes import MEMBER, Note, read_notes, write_notes
from webapp.redaction import REDACTION_VERSION, UNSEARCHED, Redactor, SecretFinding
from webapp.redaction.documents import apply_edits
from webapp.redaction.masking import MASK

SHARED_ID: Final = "shared"
"""The id of every completion in a share: its own would help somebody who has a key."""

MAX_BYTES: Final = 64 * 1024 * 1024

_COMPLETION_FIELDS: Final = frozenset(("object", "created", "model", "incomplete"))
_CHOICE_FIELDS: Final = frozenset(("index", "finish_reason", "text"))
_ABOUT_CALLS: Final = frozenset(
    ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call")
)
_ABOUT_SYSTEM: Final = frozenset(("instructions", "system"))
_NEVER: Final = frozenset(("id", "original_id", "request_id", "messages", "input_messages", MEMBER))
_MESSAGE_FIELDS: Final = frozenset(
    ("role", "name", "content", "content_parts", "parts", "refusal", "audio", "annotations")
    + (*REASONING_FIELDS, *DETAIL_FIELDS)
)
_CALL_FIELDS: Final = frozenset(
    ("tool_calls", "function_call", "tool_call_id", "context", "citations", "search_results")
)
"""The further members of a message that are shared with the calls: results of searches, too."""
_SHARED_TYPES: Final = PART_TYPES | DETAIL_TYPES | {"url_citation"}
"""Of content parts, of items of reasoning and of annotations."""

_SYSTEM: Final = frozenset(("system", "developer"))
_RESULT: Final = frozenset(("tool", "function"))


class TooLarge(ValueError):
    """The snapshot would be larger than a share may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChoices:
    """The shared part of a transcript: messages `first` to `last`, and which parts of them.

    `keep` are the ids of findings that stay unmasked; they depend on `key`. Words to mask are
    not among the choices, since those are stored.
    """

    first: int = 1
    last: int | None = None
    answer: bool = True
    calls: bool = False
    system: bool = False
    settings: bool = False
    notes: bool = False
    keep: tuple[str, ...] = ()
    key: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ShareChoices:
        return cls(**{**values, "keep": tuple(values["keep"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A document to share; `findings` are for its maker alone, and are not stored.

    `omitted` lists the parts that are left out, `total` counts the messages of the transcript.
    The paths of the `findings` begin with the places that their messages have in the snapshot.
    """

    text: str
    title: str
    omitted: str
    choices: ShareChoices
    rules: int
    total: int
    findings: tuple[SecretFinding, ...] = ()

    @property
    def unsearched(self) -> int:
        """The number of archives and other data that were masked since they cannot be searched."""
        return self.text.count(UNSEARCHED)

    @property
    def document(self) -> Object:
        value = parse(self.text)
        assert isinstance(value, Object)
        return value


def make_snapshot(
    completion: Value,
    messages: Sequence[Value],
    choices: ShareChoices,
    *,
    words: Collection[str] = (),
    notes: Sequence[Note] = (),
) -> Snapshot:
    """Make the part of a completion and its input messages that `choices` name, redacted.

    `notes` are those on the completion, which are shared only if chosen. Raises `TooLarge`, and any
    error of the redaction: a transcript that was not searched to its end is not shared.
    """
    if not choices.key:
        choices = replace(choices, key=secrets.token_hex(16))
    members = completion.members if isinstance(completion, Object) else ()
    # The messages come first, as they are read: findings are listed in this order.
    written = {'"messages"': write_array(message.source for message in messages)}
    taken = {one.name.source: one.value.source for one in members if one.name.text not in _NEVER}
    written |= taken
    if notes and choices.notes:
        written[f'"{MEMBER}"'] = write_notes(notes)
    whole = parse(_write_object(written))
    assert isinstance(whole, Object)
    redactor = Redactor(words, choices.keep, key=bytes.fromhex(choices.key))
    scan = redactor.scan(whole)
    cut = _Cut(choices)
    text = _drop_emptied(scan.redact(parse(cut.write(whole))))
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise TooLarge(f"A share holds {MAX_BYTES // (1024 * 1024)} MB at the most.")
    findings = tuple(cut.iter_kept(scan.findings))
    omitted = cut.describe()
    if masked := sum(not one.is_kept for one in findings):
        things = count(masked, "secret or personal detail", "secrets and personal details")
        omitted.append(f"{things} masked")
    return Snapshot(
        text=text,
        title=_find_title(text),
        omitted="; ".join(omitted),
        choices=choices,
        rules=REDACTION_VERSION,
        total=len(messages),
        findings=findings,
    )


def find_new(share_text: str, choices: ShareChoices) -> tuple[SecretFinding, ...]:
    """List the findings of the current rules in a snapshot, without those that its maker kept."""
    redactor = Redactor(keep=choices.keep, key=bytes.fromhex(choices.key))
    return tuple(one for one in redactor.scan(parse(share_text)).findings if not one.is_kept)


class _Cut:
    """Writes the chosen part of a completion, and counts the parts left out."""

    def __init__(self, choices: ShareChoices) -> None:
        self._choices = choices
        self._kept: dict[str, int] = {}
        self._total = 0
        self._beyond = 0
        self._calls = 0
        self._unknown = 0
        self._system = 0
        self._settings = False
        self._answer = False

    def write(self, whole: Object) -> str:
        messages = whole.items("messages") or ()
        self._total = len(messages)
        members = {'"id"': f'"{SHARED_ID}"'}
        for member in whole.members:
            name = member.name.text
            if name not in _NEVER | {"choices"} and self._has_setting(name, member.value):
                members[member.name.source] = member.value.source
        members['"messages"'] = write_array(self._write_messages(messages))
        members['"choices"'] = write_array(self._write_choices(whole.items("choices") or ()))
        if notes := self._move_notes(read_notes(whole)):
            members[f'"{MEMBER}"'] = write_notes(notes)
        return _write_object(members)

    def iter_kept(self, findings: Iterable[SecretFinding]) -> Iterator[SecretFinding]:
        """Yield the findings in the cut, with pointers into it in place of those into the whole."""
        for one in findings:
            if moved := tuple(self._move_path(path) for path in one.paths if self._holds(path)):
                yield replace(one, paths=moved)

    def _holds(self, path: str) -> bool:
        """Return whether the value at a JSON pointer of the whole may be in the cut."""
        _, first, *rest = path.split("/")
        if first == "messages" and rest:
            return rest[0] in self._kept
        if first == "choices":
            return self._choices.answer
        return first in (*_COMPLETION_FIELDS, MEMBER) or self._choices.settings

    def _move_path(self, path: str) -> str:
        """Return the pointer in the cut to a value that it holds."""
        _, first, *rest = path.split("/")
        if first == "messages" and rest:
            rest[0] = str(self._kept[rest[0]])
        return "/".join(("", first, *rest))

    def _move_notes(self, notes: Sequence[Note]) -> list[Note]:
        """Move the notes on what is shared to the numbers that its messages have there."""
        numbers = {int(at) + 1: place + 1 for at, place in self._kept.items()}
        moved = []
        for one in notes:
            if one.first is None:
                if one.choice is None or self._choices.answer:
                    moved.append(one)
                continue
            shared = [n for at, n in numbers.items() if one.first <= at <= (one.last or one.first)]
            if shared:
                moved.append(replace(one, first=min(shared), last=max(shared)))
        return moved

    def describe(self) -> list[str]:
        """Describe the parts that were left out, in words."""
        said = []
        if self._beyond:
            said.append(f"{self._beyond:,} of {count(self._total, 'message')}")
        if self._answer:
            said.append("the answer")
        if self._calls:
            said.append("tool calls and results")
        if self._unknown:
            said.append(count(self._unknown, "part of an unknown kind", "parts of unknown kinds"))
        if self._system:
            said.append("system and developer messages")
        if self._settings:
            said.append("metadata and settings")
        return said

    def _has_setting(self, name: str, value: Value) -> bool:
        if name in _COMPLETION_FIELDS:
            return True
        if (name in _ABOUT_CALLS and not self._choices.calls) or (
            name in _ABOUT_SYSTEM and not self._choices.system
        ):
            return False
        if not self._choices.settings and not isinstance(value, Null):
            self._settings = True
        return self._choices.settings

    def _write_messages(self, messages: Sequence[Value]) -> Iterable[str]:
        last = self._total if self._choices.last is None else self._choices.last
        for number, message in enumerate(messages, start=1):
            if not self._choices.first <= number <= last:
                self._beyond += 1
                continue
            written = self._write_message(message)
            if written is not None:
                self._kept[str(number - 1)] = len(self._kept)
                yield written

    def _write_message(self, json: Value) -> str | None:
        """Write the shared part of a message, None if it is empty."""
        if not isinstance(json, Object):
            return json.source if self._choices.calls else self._write_content(json)
        # Pages show a role as it is written; whatever its case, it is left out.
        role = (json.text("role") or "").strip().casefold()
        if not self._choices.system and role in _SYSTEM:
            self._system += 1
            return None
        message = Message.from_json(json)
        if self._choices.calls:
            shared = _MESSAGE_FIELDS | _CALL_FIELDS if message.bare is None else {BARE}
            return _write_object(
                {
                    one.name.source: one.value.source
                    for one in json.members
                    if one.name.text in shared
                }
            )
        if role in _RESULT or message.is_tool_result or message.holds_only_results:
            self._calls += 1
            return None
        members = {
            one.name.source: self._write_content(one.value)
            for one in json.members
            if one.name.text in _MESSAGE_FIELDS
        }
        self._calls += len(message.calls)
        written = _write_object(members)
        was_empty = message.is_empty
        return None if _is_empty(written) and not was_empty else written

    def _write_content(self, value: Value) -> str:
        """Write a content without the parts that are calls, results or not known."""
        if not isinstance(value, Array):
            return value.source
        kept = []
        for item in value.items:
            parts = [one for one in translate(item) if isinstance(one, Object)]
            if any(map(is_call_or_result, parts)):
                self._calls += 1
            elif isinstance(item, String) or (
                parts and all(one.text("type") in _SHARED_TYPES for one in parts)
            ):
                kept.append(item.source)
            else:
                self._unknown += 1
        return write_array(kept)

    def _write_choices(self, choices: Sequence[Value]) -> Iterable[str]:
        if not self._choices.answer:
            self._answer = bool(choices)
            return
        for choice in choices:
            if not isinstance(choice, Object):
                yield choice.source
                continue
            members: dict[str, str] = {}
            for one in choice.members:
                if one.name.text in ("message", "delta"):
                    if not isinstance(one.value, Null):
                        members[one.name.source] = self._write_message(one.value) or (
                            '{"role":"assistant","content":null}'
                        )
                elif one.name.text == "messages" and isinstance(one.value, Array):
                    shared = filter(None, map(self._write_message, one.value.items))
                    members[one.name.source] = write_array(shared)
                elif one.name.text in _CHOICE_FIELDS or self._choices.settings:
                    members[one.name.source] = one.value.source
                elif not isinstance(one.value, Null):
                    self._settings = True
            yield _write_object(members)


def _is_empty(written: str) -> bool:
    message = Message.from_json(parse(written))
    return message.is_empty or (
        not message.calls
        and not message.annotations
        and all(part.kind == "text" and not message.plain_text.strip() for part in message.parts)
    )


def _find_title(text: str) -> str:
    """Find the first words of the first user in a redacted document; a database holds them."""
    document = parse(text)
    assert isinstance(document, Object)
    for json in document.items("messages") or ():
        message = Message.from_json(json)
        if message.role == "user" and message.plain_text.strip():
            return replace_surrogates(first_words(message.plain_text, 100))
    return "A transcript"


def _drop_emptied(document: Value) -> str:
    """Write a redacted document without the tokens that a mask replaces besides its first one.

    Their number would show the length of the secret.
    """
    edits: list[tuple[int, int, str]] = []
    for choice in (document.items("choices") or ()) if isinstance(document, Object) else ():
        listed = choice.object("logprobs") if isinstance(choice, Object) else None
        for member in listed.members if listed else ():
            tokens = member.value.items if isinstance(member.value, Array) else ()
            kept: list[Value] = []
            is_masked = False
            for token in tokens:
                text = token.text("token") if isinstance(token, Object) else None
                is_masked = MASK.search(text) is not None if text else is_masked and text == ""
                if text or not is_masked:
                    kept.append(token)
            if len(kept) < len(tokens):
                written = write_array(one.source for one in kept)
                edits.append((member.value.start, member.value.end, written))
    return apply_edits(document.document, edits, document.start, document.end)


def _write_object(members: Mapping[str, str]) -> str:
    return write_object(f"{name}:{value}" for name, value in members.items())
