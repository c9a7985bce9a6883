"""Find the title of a transcript; group and summarize the settings, and order the metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from webapp import formatting
from webapp.completions import IDENTITY_FIELDS, Completion, scalar_text
from webapp.exact_json import Array, Member, Object, Value
from webapp.formatting import count
from webapp.notes import MEMBER
from webapp.services import services
from webapp.templating.context import RenderContext

_GROUPS: Final = {
    "readback_timing": "Timing",
    **dict.fromkeys(IDENTITY_FIELDS, "Identity"),
}
"""The groups of settings; those of other names are part of the request."""
_MAX_NAMES: Final = 12
_ZERO: Final = ("0", "0.0")
_ONE: Final = ("1", "1.0")
_DEFAULTS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("temperature", "top_p", "n"), _ONE),
    **dict.fromkeys(("presence_penalty", "frequency_penalty", "top_logprobs"), _ZERO),
    **dict.fromkeys(("service_tier",), ('"default"', '"auto"')),
    "tool_choice": ('"auto"',),
    "parallel_tool_calls": ("true",),
    "object": ('"chat.completion"',),
}

_LONG_VALUE: Final = 40
_LONGEST_SEEN: Final = 200
_MAX_SEEN: Final = 5
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+")
_OUTCOMES: Final = frozenset(
    ("reward", "score", "result", "outcome", "status", "success", "passed", "failed", "error")
    + ("grade", "rating", "verdict", "label", "feedback", "correct", "resolved")
    + ("solved", "accepted", "accuracy", "rewards", "scores", "results", "pass", "fail")
)
_FAILURES: Final = frozenset(("failed", "fail", "error"))
_NO: Final = frozenset(("false", "no", "none", "null"))
_BAD: Final = frozenset(
    ("false", "no", "fail", "failed", "failure", "error", "wrong", "incorrect", "rejected", "bad")
    + ("unresolved", "unsolved", "negative", "thumbs_down")
)
_GOOD: Final = frozenset(
    ("pass", "passed", "success", "succeeded", "successful", "correct", "resolved", "solved")
    + ("accepted", "thumbs_up")
)
_SUCCESSES: Final = frozenset(
    ("success", "passed", "pass", "correct", "resolved", "solved", "accepted")
)
_UP_TO_ONE: Final = frozenset(("reward", "success", "accuracy"))
"""Values that 1 is the best of; scores and counts have no such bound."""
_ORIGINS: Final = frozenset(
    ("source", "path", "file", "url", "uri", "commit", "sha", "hash", "revision", "license")
    + ("licence", "dataset", "repo", "repository", "retrieved", "kind")
)
_REMARKS: Final = frozenset(
    ("note", "notes", "comment", "comments", "remark", "remarks", "description", "dropped")
    + ("warning", "warnings", "reason", "explanation", "summary")
)
"""Words of keys."""


def find_title(context: RenderContext) -> str:
    """Find the first words of the question, or the id if they are not known."""
    page, run = context.page, context.run
    question = page.question or (run.question if run is not None else "")
    return shorten_title(question) or page.completion_id


def shorten_title(question: str) -> str:
    """Shorten a question to the title of its page."""
    return formatting.first_words(formatting.skip_preamble(question), 100)


def group_settings(completion: Completion) -> list[tuple[str, list[Member]]]:
    """Group the settings of a completion, without groups that are empty."""
    groups: dict[str, list[Member]] = {"Request": [], "Usage": [], "Timing": [], "Identity": []}
    if completion.usage is not None and isinstance(completion.usage.json, Object):
        groups["Usage"].extend(completion.usage.json.members)
    for member in completion.settings:
        if member.name.text == MEMBER and services().share is not None:
            # The notes are shown beside their messages.
            continue
        groups[_GROUPS.get(member.name.text, "Request")].append(member)
    return [(name, members) for name, members in groups.items() if members]


def list_counts(value: Value) -> list[tuple[str, int]] | None:
    """List the counts of nested usage, `cached_tokens` as `cached`; None if it is not counts."""
    if not isinstance(value, Object) or not value.members:
        return None
    names = (member.name.text for member in value.members)
    counts = [(name.removesuffix("_tokens"), value.integer(name)) for name in names]
    known = [(name, number) for name, number in counts if number is not None]
    return known if len(known) == len(counts) else None


def is_default(member: Member) -> bool:
    """Return whether a setting has the value that it has when nobody sets it."""
    source = member.value.source
    return source in _DEFAULTS.get(member.name.text, ()) or source in ("null", "[]", "{}")


def summarize_setting(member: Member) -> str:
    """Summarize a setting, like `2 tools: look, touch`; empty if its value is short."""
    name, value = member.name.text, member.value
    if name in ("tools", "functions") and isinstance(value, Array):
        names = [_find_name(tool) for tool in value.items]
        shown = ", ".join(one or "no name" for one in names[:_MAX_NAMES])
        more = ", …" if len(names) > _MAX_NAMES else ""
        tools = count(len(names), name.removesuffix("s"))
        return f"{tools}: {shown}{more}" if any(names) else ""
    if not isinstance(value, Object):
        return ""
    if name == "logit_bias":
        return count(len(value.members), "token")
    if name in ("tool_choice", "function_call"):
        return " ".join(filter(None, (value.text("type"), _find_name(value))))
    if name == "response_format":
        words = [value.text("type")]
        if schema := value.object("json_schema"):
            words += [schema.text("name"), "strict" if schema.boolean("strict") else None]
        return ", ".join(filter(None, words))
    return ""


def _find_name(tool: Value) -> str | None:
    """Find the name of a tool, which is in the member of its type, or of a lone function."""
    if not isinstance(tool, Object):
        return None
    inner = tool.object(tool.text("type") or "function")
    return (inner or tool).text("name") or (None if inner else tool.text("type"))


def sort_metadata(members: Iterable[Member], *, with_remarks: bool = False) -> list[Member]:
    """Sort metadata by how much it says at a glance: outcomes first, origins and long texts last.

    `with_remarks` brings those for people, even long ones, before ids. Members of the same rank
    keep their order.
    """

    def rank(member: Member) -> int:
        words, size = _split_key(member), _measure_value(member)
        if words & _OUTCOMES:
            return 0
        if with_remarks and words & _REMARKS and size <= _LONGEST_SEEN:
            return 1
        if size > _LONG_VALUE or words & _ORIGINS:
            return 3
        return 2 if with_remarks and "id" in words else 1

    return sorted(members, key=rank)


def fold_metadata(members: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Split metadata into a few short values, which are seen at once, and those to fold.

    A single one is folded only if it is long.
    """
    seen: list[Member] = []
    folded: list[Member] = []
    for member in sort_metadata(members, with_remarks=True):
        is_seen = len(seen) < _MAX_SEEN and _measure_value(member) <= _LONGEST_SEEN
        (seen if is_seen else folded).append(member)
    if len(folded) == 1 and _measure_value(folded[0]) <= _LONGEST_SEEN:
        seen.append(folded.pop())
    return seen, folded


def list_outcomes(members: Iterable[Member]) -> list[Member]:
    """List the metadata that say how a run ended, such as `reward` and `verdict`, if short."""
    outcomes = []
    for member in members:
        if _split_key(member) & _OUTCOMES and 0 < _measure_value(member) <= _LONGEST_SEEN:
            outcomes.append(member)
    return outcomes[:_MAX_SEEN]


def is_bad_outcome(member: Member) -> bool:
    """Return whether an outcome says that something failed: `score: 0`, `failed: 2`, `no`."""
    plain = (scalar_text(member.value) or "").strip().lower()
    try:
        number = float(plain)
    except ValueError:
        is_failure = plain not in _NO if _split_key(member) & _FAILURES else plain in _BAD
        return bool(plain) and is_failure
    return number > 0 if _split_key(member) & _FAILURES else number <= 0


def is_good_outcome(member: Member) -> bool:
    """Return whether an outcome plainly says that it succeeded: `reward: 1.0`, `resolved: true`."""
    plain = (scalar_text(member.value) or "").strip().lower()
    words = _split_key(member)
    if words & (_FAILURES | {"not", "rate"}):
        return False
    if plain in ("true", "yes"):
        return bool(words & _SUCCESSES)
    return plain in _GOOD or bool(plain in _ONE and words & _UP_TO_ONE)


def _split_key(member: Member) -> set[str]:
    return {word.lower() for word in _WORD.findall(member.name.text)}


def _measure_value(member: Member) -> int:
    plain = scalar_text(member.value)
    return len(member.value.source if plain is None else plain)
