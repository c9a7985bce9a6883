"""Check the content of messages: media, hidden text, secrets, citations and sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final

from webapp import redaction
from webapp.analysis.checks.rules import Found, Severity, quote, rule
from webapp.analysis.checks.subject import Need, Subject, join_texts
from webapp.exact_json import Null, Object
from webapp.formatting import count
from webapp.hidden_texts import decode_bits, decode_tags
from webapp.media import NotMedia, describe_contradiction, extract_media
from webapp.messages import Audio, Image, Part, Text, UrlCitation
from webapp.transcript import Entry

HEAVY: Final = 20_000
LONGEST: Final = 1_048_576
_MAX_TEXT: Final = 256 * 1024
_SIGNATURES: Final = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "JVBERi0", "UEsDB")
_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{2048,}|(?:[A-Za-z0-9+/]{60,80}\r?\n){26,})"
)
"""Also in lines, as mail and many programs write it."""
_TAGS: Final = re.compile("[\U000e0020-\U000e007f]+")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0061-\U000e007a\U000e0030-\U000e0039]{1,6}\U000e007f")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
"""One of them chooses the form of a character; a row of them can hold any bytes."""
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OVERRIDING: Final = re.compile("[\u202d\u202e]")
_NO_WIDTH: Final = re.compile("[\u200b-\u200d\u202c\u2060-\u2064\ufeff]+")
_LEAST_SPREAD: Final = 64
"""Characters of no width between others that may spell words; fewer may do so by chance."""
_ZERO_WIDTH: Final = re.compile(
    "[\u200b-\u200d\u202c\u2060-\u2064\ufeff]{8,}|[\u200b\u2060-\u2064\ufeff]{3,}"
)
_WITHIN_WORDS: Final = re.compile(
    "(?<=[A-Za-z0-9])[\u200b-\u200d\u2060-\u2064\ufeff\u115f\u1160\u3164\uffa0\u180e]+(?=[A-Za-z0-9])"
)
_TO_A_MODEL: Final = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:of\s+)?(?:the\s+|your\s+)?"
    r"(?:previous|prior|above|earlier|preceding)\s+(?:instructions|prompts|messages|rules)|"
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|everything\s+)?(?:of\s+)?(?:the\s+)?above\s+and\b|"
    r"\b(?:reveal|print|repeat|show)\s+(?:me\s+)?your\s+system\s+prompt\b|"
    r"\bwithout\s+(?:telling|informing|asking)\s+the\s+user\b|"
    r"<\|(?:im_start|start_header_id)\|>",
    re.IGNORECASE,
)
_LATIN: Final = r"A-Za-z\u00c0-\u024f"
_FOREIGN: Final = r"\u0370-\u03ff\u0400-\u052f"
_MIXED: Final = re.compile(
    rf"\b(?=[{_LATIN}{_FOREIGN}]{{4,40}}\b)(?:[{_LATIN}]+[{_FOREIGN}][{_LATIN}{_FOREIGN}]*"
    rf"|[{_FOREIGN}]+[{_LATIN}][{_LATIN}{_FOREIGN}]*)\b"
)
_LOOK_ALIKES: Final = frozenset("аеорсухіјѕԁһԛԝАВЕКМНОРСТХІЈЅονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")


@rule(
    "content-null",
    "warning",
    "The content of a message is null",
    "Several servers refuse a null `content` in a message without calls.",
)
def find_null_content(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        message = entry.message
        if not isinstance(message.json, Object) or message.may_lack_calls:
            continue
        is_null = isinstance(message.json.get("content"), Null)
        if is_null and not (message.calls or message.parts):
            yield Found(
                entry, "`content` is null, and there is no call; several servers refuse that."
            )


@rule(
    "content-long",
    "remark",
    f"A message has more than {LONGEST:,} characters",
    "OpenAI has refused longer ones.",
)
def find_long(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        length = sum(len(part.text) for part in entry.message.parts if isinstance(part, Text))
        if length > LONGEST:
            yield Found(
                entry, f"The text has {length:,} characters; OpenAI has refused over a million."
            )


@rule(
    "message-heavy",
    "remark",
    "One message outweighs all others",
    "It costs most of the input tokens of every further request.",
    Need.MESSAGES,
)
def find_heavy(subject: Subject) -> Iterator[Found]:
    sizes = [len(join_texts(entry.message)) for entry in subject.entries]
    total = sum(sizes)
    for entry, size in zip(subject.entries, sizes, strict=True):
        if len(sizes) > 2 and size > HEAVY and 2 * size > total:
            yield Found(entry, f"This message is {100 * size // total} % of the text of the input.")


@rule(
    "base64-in-text",
    "warning",
    "A file was sent as text",
    "The model reads it as noise, and every character is billed.",
)
def find_pasted_files(subject: Subject) -> Iterator[Found]:
    for entry in (*subject.entries, *subject.outputs):
        runs = [
            (text.endswith("base64,", 0, run.start()), run[0])
            for text in _iter_texts(entry)
            for run in _BASE64.finditer(text)
            if run[0].startswith(_SIGNATURES)
        ]
        if not runs:
            continue
        is_link, data = min(runs, key=itemgetter(0))
        # Servers of models that draw answer with such links.
        severity: Severity | None = "remark" if is_link and entry.choice else None
        yield Found(
            entry,
            f"{len(data):,} characters of base64 ({quote(data, 16)}) are in the text: a file that "
            "the model reads as noise.",
            severity,
        )


@rule(
    "media-type",
    "warning",
    "The declared type of media is not that of the data",
    "OpenAI refuses such an image.",
)
def find_wrong_types(subject: Subject) -> Iterator[Found]:
    for entry, part in _iter_parts(subject):
        media = extract_media(part)
        sentence = describe_contradiction(media) if media else None
        if sentence:
            yield Found(entry, sentence)


@rule(
    "media-unreadable",
    "warning",
    "Media cannot be decoded",
    "The API refuses it.",
)
def find_unreadable(subject: Subject) -> Iterator[Found]:
    for entry, part in _iter_parts(subject):
        media = extract_media(part)
        if media is None:
            continue
        try:
            media.decode()
        except NotMedia as problem:
            yield Found(entry, f"The data of a part ({part.kind}) cannot be decoded: {problem}")


@rule(
    "image-role",
    "remark",
    "An image is in a message of another role than the user's",
    "OpenAI takes images in user messages alone; put the images of a tool into one that follows.",
)
def find_images_of_others(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        role = entry.message.role or "none"
        if role != "user" and any(isinstance(part, Image) for part in entry.message.parts):
            yield Found(
                entry,
                f"The role is {quote(role)}; OpenAI takes images in user messages alone when "
                "the conversation goes on.",
            )


@rule(
    "image-detail",
    "remark",
    "The model sees an image in low detail",
    "With `detail: low` it sees at most 512 × 512 pixels.",
)
def find_low_detail(subject: Subject) -> Iterator[Found]:
    for entry, part in _iter_parts(subject):
        if isinstance(part, Image) and part.detail == "low":
            media = extract_media(part)
            size = media.image_size if media else None
            if size is not None and max(size) > 512:
                yield Found(
                    entry,
                    f"With `detail: low` the model sees {size[0]} × {size[1]} pixels as 512.",
                )


@rule(
    "audio-expires",
    "remark",
    "The id of a spoken answer expires",
    "After that it cannot be sent back; its data can.",
)
def find_expiring(subject: Subject) -> Iterator[Found]:
    for entry, part in _iter_parts(subject):
        if isinstance(part, Audio) and part.id and part.expires_at:
            try:
                until = datetime.fromtimestamp(part.expires_at, UTC)
            except (OverflowError, OSError, ValueError):
                continue
            yield Found(
                entry,
                f"The id of the audio expires at {until:%Y-%m-%d %H:%M} UTC; after that it cannot "
                "be sent back.",
            )


@rule(
    "hidden-text",
    "warning",
    "A text has invisible characters",
    "Models read them; they are a way to smuggle instructions.",
)
def find_hidden(subject: Subject) -> Iterator[Found]:
    for entry in (*subject.entries, *subject.outputs):
        found: list[tuple[str, Severity | None]] = []
        for text in _iter_texts(entry):
            if not text.isascii():
                found += _iter_hidden(text)
        if found:
            sentence, severity = min(found, key=lambda one: one[1] is not None)
            yield Found(entry, sentence, severity)


@rule(
    "instructions-in-result",
    "remark",
    "A result speaks to the model",
    "Text that a tool fetched is not a request of the user.",
)
def find_instructions(subject: Subject) -> Iterator[Found]:
    for entry in subject.iter_results():
        found = _TO_A_MODEL.search(join_texts(entry.message)[:_MAX_TEXT])
        if found:
            yield Found(entry, f"The result says {quote(found[0])}.")


@rule(
    "mixed-scripts",
    "remark",
    "A word mixes letters of two scripts",
    "Letters that look alike make two names seem equal.",
)
def find_mixed(subject: Subject) -> Iterator[Found]:
    for entry in (*subject.entries, *subject.outputs):
        for text in _iter_texts(entry):
            word = next(
                (
                    found[0]
                    for found in _MIXED.finditer(text[:_MAX_TEXT])
                    if all(letter in _LOOK_ALIKES for letter in found[0] if ord(letter) >= 0x370)
                ),
                None,
            )
            if word:
                yield Found(entry, f"{quote(word)} mixes Latin with Greek or Cyrillic letters.")
                break


@rule(
    "secret",
    "warning",
    "A text may hold a secret",
    "Revoke it if it is real, and share the transcript only redacted.",
)
def find_secrets(subject: Subject) -> Iterator[Found]:
    for entry in (*subject.entries, *subject.outputs):
        text = "\n".join(_iter_texts(entry))
        kinds = dict.fromkeys(one.kind for one in redaction.find(text[:_MAX_TEXT]))
        if kinds:
            yield Found(entry, f"It may hold a secret: {', '.join(kinds)}.")


@rule(
    "citation-range",
    "warning",
    "A citation points outside the text",
    "Clients that slice the text there show nothing, or fail.",
)
def find_bad_citations(subject: Subject) -> Iterator[Found]:
    for entry in (*subject.outputs, *subject.entries):
        texts = [part.text for part in entry.message.parts if isinstance(part, Text)]
        if len(texts) != 1:
            continue
        longest = len(texts[0].encode("utf-8", "surrogatepass"))
        for one in entry.message.annotations:
            if not isinstance(one, UrlCitation) or one.start_index is None or one.end_index is None:
                continue
            if not 0 <= one.start_index <= one.end_index <= longest:
                yield Found(
                    entry,
                    f"The citation of {quote(one.url)} covers {one.start_index} to "
                    f"{one.end_index} of a text of {len(texts[0]):,} characters.",
                )


def _iter_hidden(text: str) -> Iterator[tuple[str, Severity | None]]:
    """Yield a sentence for each kind of invisible characters, with its severity."""
    if tags := _TAGS.search(_FLAG.sub("", text)):
        words = quote(decode_tags(tags[0][:400]), 120)
        yield f"Hidden text in tag characters: {words}.", None
    if selectors := _SELECTORS.search(text):
        numbers = (ord(one) for one in selectors[0][:400])
        data = bytes(one - 0xFE00 if one <= 0xFE0F else one - 0xE0100 + 16 for one in numbers)
        words = quote(data.decode("utf-8", "replace"), 120)
        yield f"Hidden text in variation selectors: {words}.", None
    if turning := _OVERRIDING.search(text) or _TURNING.search(text):
        # Keyboards and address books put the others around names and numbers.
        severity: Severity | None = None if _OVERRIDING.match(turning[0]) else "remark"
        code = f"U+{ord(turning[0]):04X}"
        yield f"A character that turns the reading direction ({code}) is in the text.", severity
    spread = _NO_WIDTH.findall(text)
    if hidden := _ZERO_WIDTH.findall(text):
        # Some programs put a few bits after each word.
        if words := decode_bits("".join(hidden)) or decode_bits(hidden[0]):
            yield f"Hidden text in characters of no width: {quote(words, 120)}.", None
        else:
            yield f"{len(hidden[0])} characters of no width in a row are in the text.", None
    elif len(spread) >= _LEAST_SPREAD and (words := decode_bits("".join(spread))):
        yield f"Hidden text in characters of no width between others: {quote(words, 120)}.", None
    elif within := _WITHIN_WORDS.findall(text):
        places = count(len(within), "place", "places")
        yield (
            f"Characters of no width are within words, at {places} (U+{ord(within[0][0]):04X} "
            "first); the words do not equal those that look the same.",
            "remark",
        )


def _iter_parts(subject: Subject) -> Iterator[tuple[Entry, Part]]:
    for entry in (*subject.entries, *subject.outputs):
        for part in entry.message.parts:
            yield entry, part


def _iter_texts(entry: Entry) -> Iterator[str]:
    """Yield the texts of a message and the arguments of its calls."""
    for part in entry.message.parts:
        text = getattr(part, "text", None)
        if isinstance(text, str):
            yield text
    for call in entry.calls:
        text = getattr(call.call, "arguments", None)
        if isinstance(text, str):
            yield text
