"""Split code into the tokens of a Pygments lexer, in half of its time.

At each place Pygments tries all rules of its state, some fifty, one after the other. Here only
those are tried that can begin with the next character, in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, TypeAlias

from pygments.lexer import Lexer, RegexLexer
from pygments.token import Error, Whitespace
from pygments.token import _TokenType as TokenType

# It has no public name. Without it, all rules are tried.
_parse: Final[Callable[[str, int], Any] | None] = getattr(
    getattr(re, "_parser", None), "parse", None
)

_ASCII: Final = frozenset(range(128))
_CATEGORIES: Final = {
    f"CATEGORY_{name}": frozenset(code for code in _ASCII if re.match(pattern, chr(code)))
    for name, pattern in {
        "DIGIT": r"\d",
        "NOT_DIGIT": r"\D",
        "SPACE": r"\s",
        "NOT_SPACE": r"\S",
        "WORD": r"\w",
        "NOT_WORD": r"\W",
    }.items()
}
_NO_WIDTH: Final = frozenset({"AT", "ASSERT", "ASSERT_NOT"})
_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})

_Rule: TypeAlias = tuple[Callable[[str, int], re.Match[str] | None], Any, Any]
"""A rule of Pygments: its pattern, what it makes of a match, and the states that follow."""


class _State(dict[str, list[_Rule]]):
    """The rules of a state that may match before a character, which is empty at the end."""

    def __init__(self, rules: Iterable[_Rule]) -> None:
        super().__init__()
        self._all = [(rule, _find_beginnings(rule[0].__self__)) for rule in rules]  # type: ignore[attr-defined]
        self._any = [rule for rule, _ in self._all]

    def __missing__(self, character: str) -> list[_Rule]:
        if not character.isascii():
            return self._any
        rules = [rule for rule, begins in self._all if begins is None or character in begins]
        self[character] = rules
        return rules


def iter_tokens(code: str, lexer: Lexer) -> Iterator[tuple[TokenType, str]]:
    """Yield the tokens that `lexer` finds in `code`, each with its text."""
    states = read_states(lexer)
    if states is None:
        yield from (found[1:] for found in lexer.get_tokens_unprocessed(code))
        return
    stack, at = ["root"], 0
    while True:
        character = code[at : at + 1]
        for rule in states[stack[-1]][character]:
            if found := rule[0](code, at):
                break
        else:
            if not character:
                return
            if character == "\n":
                stack = ["root"]
            yield Whitespace if character == "\n" else Error, character
            at += 1
            continue
        _, action, after = rule
        if type(action) is TokenType:
            yield action, found[0]
        elif action is not None:
            yield from (one[1:] for one in action(lexer, found))
        at = found.end()
        if after is not None:
            _change_state(stack, after)


def _change_state(stack: list[str], after: tuple[str, ...] | str | int) -> None:
    """Change the `stack` of states as a rule says; the first one always stays."""
    if isinstance(after, int):
        del stack[max(1, len(stack) + after) :]
        return
    for state in (after,) if isinstance(after, str) else after:
        if state != "#pop":
            stack.append(stack[-1] if state == "#push" else state)
        elif len(stack) > 1:
            stack.pop()


@lru_cache(maxsize=64)
def read_states(lexer: Lexer) -> dict[str, _State] | None:
    """Read the rules of each state of a lexer. Returns None if it uses more than such rules."""
    if type(lexer).get_tokens_unprocessed is not RegexLexer.get_tokens_unprocessed:
        return None
    states: dict[str, list[_Rule]] = lexer._tokens  # type: ignore[attr-defined]
    return {name: _State(rules) for name, rules in states.items()}


@lru_cache(maxsize=4096)
def _find_beginnings(pattern: re.Pattern[str]) -> frozenset[str] | None:
    """Find the ASCII characters that a match may begin with; None if it may be empty."""
    found, may_be_empty = (
        _walk(_parse(pattern.pattern, pattern.flags)) if _parse else (_ASCII, True)
    )
    if may_be_empty:
        return None
    # Flags decide whether these are white space.
    characters = {*map(chr, found), "\x1c", "\x1d", "\x1e", "\x1f"}
    if pattern.flags & re.IGNORECASE:
        # Some letters outside of ASCII match i, k and s.
        characters |= {one.swapcase() for one in characters} | set("iIkKsS")
    return frozenset(characters)


def _walk(items: Iterable[tuple[Any, Any]]) -> tuple[frozenset[int], bool]:
    """Find the ASCII codes that a pattern may begin with, and whether it may be empty."""
    begins: frozenset[int] = frozenset()
    for kind, value in items:
        found, may_be_empty = _find_first(str(kind), value)
        begins |= found
        if not may_be_empty:
            return begins, False
    return begins, True


def _find_first(kind: str, value: Any) -> tuple[frozenset[int], bool]:
    """Find the ASCII codes that one piece may begin with, and whether it may be empty."""
    if kind == "LITERAL":
        return _ASCII & {value}, False
    if kind == "IN":
        return _list_set(value), False
    if kind == "BRANCH":
        found = [_walk(one) for one in value[1]]
        return frozenset().union(*(one[0] for one in found)), any(one[1] for one in found)
    if kind == "SUBPATTERN" and not value[1]:
        return _walk(value[3])
    if kind in _REPEATS:
        begins, may_be_empty = _walk(value[2])
        return begins, may_be_empty or value[0] == 0
    return frozenset() if kind in _NO_WIDTH else _ASCII, True


def _list_set(items: list[tuple[Any, Any]]) -> frozenset[int]:
    """List the ASCII codes of a set such as `[^a-z]`."""
    found: set[int] = set()
    for kind, value in items:
        match str(kind):
            case "LITERAL":
                found.add(value)
            case "RANGE":
                found.update(range(value[0], min(value[1], 127) + 1))
            case "CATEGORY":
                found |= _CATEGORIES[str(value)]
    is_negated = str(items[0][0]) == "NEGATE"
    return _ASCII - found if is_negated else _ASCII & found
