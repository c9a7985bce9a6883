"""JSON for property tests: values of all kinds, their text with odd white space, and the real data.

Values are Python's (dicts, lists, texts, numbers); `json_texts` are documents that Python's own
writer could not make: other spacing, number lexemes, escapes, names that are repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from hypothesis import settings
from hypothesis import strategies as st

from tools.paths import SHARED

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
T = TypeVar("T")

TRANSCRIPTS: Final = tuple(sorted((SHARED / "data" / "transcripts").glob("*.jsonl")))


def checked(test: Callable[..., T]) -> Callable[..., T]:
    """Run a property test with 100 examples that are the same everywhere, and no deadline."""
    return settings(deadline=None, derandomize=True, max_examples=100)(test)


texts: Final = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
scalars: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)


def values_over(names: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    """Any JSON value whose objects take their names from `names`."""
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
        max_leaves=12,
    )


values: Final = values_over(texts)

_space: Final = st.text(" \t\n\r", max_size=2)
_numbers: Final = st.from_regex(
    r"\A-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,3})?([eE][-+]?[0-9]{1,2})?\Z"
) | st.sampled_from(["1" * 5000, "-0", "1.0", "1E400", "NaN", "Infinity", "-Infinity"])
_strings: Final = st.builds(
    lambda text, ascii_only: json.dumps(text, ensure_ascii=ascii_only), texts, st.booleans()
) | st.sampled_from(['"\\/"', '"\\u0041"', '"\\ud800"', '"\t"', '""'])


@st.composite
def _array(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(inner, max_size=4))
    return "[" + (",".join(items) or draw(_space)) + "]"


@st.composite
def _object(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    names = _strings | st.sampled_from(['"a"', '"b"'])
    members = draw(st.lists(st.tuples(names, _space, inner), max_size=4))
    written = ",".join(f"{name}{space}:{value}" for name, space, value in members)
    return "{" + (written or draw(_space)) + "}"


def _spaced(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{}{}{}".format, _space, inner, _space)


json_texts: Final = st.recursive(
    _spaced(st.sampled_from(["null", "true", "false"]) | _numbers | _strings),
    lambda inner: _spaced(_array(inner) | _object(inner)),
    max_leaves=12,
)
