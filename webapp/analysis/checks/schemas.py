"""Validate values against JSON Schema, within bounds, and without fetching anything.

Schemas and values are hostile. Their depth is bounded, and so is the number of values and keywords
that one rule evaluates: a schema of thirty lines can need a thousand million. Patterns run on RE2,
whose time is linear; patterns that RE2 does not support are not checked, nor are formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from webapp.exact_json import Array, Boolean, Null, Object, String, Value
from webapp.recent import RecentValues

MAX_LEVELS: Final = 60
MAX_STEPS: Final = 15_000
"""Keywords evaluated and values looked at for one rule: about half a second."""

_STEPS_OF_AN_OBJECT: Final = 5
"""Steps that it takes to check that one object in a schema is a schema."""

_CHARACTERS_OF_A_STEP: Final = 1_000
"""Of the messages of errors, which quote values, and of which `anyOf` keeps each."""

_MAX_KEPT: Final = 4_000_000
"""Characters of schemas whose faults are kept."""
_OVERHEAD: Final = 400
"""Characters that one of them counts besides its own."""

_NO_LOG: Final = re2.Options()
_NO_LOG.log_errors = False


class NotChecked(Exception):
    """A schema cannot be applied; the message is the reason."""


class InvalidSchema(NotChecked):
    """A schema is not valid JSON Schema; the message is the fault."""


class OutOfSteps(NotChecked):
    """The steps of a rule are spent."""


class Steps:
    """The steps that one rule may still take, for all its schemas together."""

    def __init__(self, left: int = MAX_STEPS) -> None:
        self._left = left

    def take(self, count: int = 1) -> None:
        """Take steps. Raises `OutOfSteps` if too few are left."""
        self._left -= count
        if self._left < 0:
            raise OutOfSteps(f"it takes more than {MAX_STEPS:,} steps")


_running: ContextVar[Steps] = ContextVar("steps")
"""The steps of the rule that this thread evaluates a schema for."""


def _count(keyword: Callable[..., Any]) -> Callable[..., Iterator[ValidationError]]:
    """Wrap a keyword, so that it takes steps. A validator with such keywords is slow to build."""

    def evaluate(
        validator: Any, wanted: Any, instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        steps = _running.get()
        steps.take(1 + _measure(keyword, wanted, instance, schema))
        for error in keyword(validator, wanted, instance, schema) or ():
            steps.take(len(error.message) // _CHARACTERS_OF_A_STEP)
            yield error

    return evaluate


def _measure(keyword: Callable[..., Any], wanted: Any, instance: Any, schema: Any) -> int:
    """Estimate the steps of one keyword, besides those of the keywords in its schemas."""
    items, values = (len(one) if isinstance(one, list | dict) else 0 for one in (wanted, instance))
    if keyword is _check_pattern_properties:
        return items * values
    if keyword is _check_additional_properties:
        return values * (1 + len(schema.get("patternProperties", ())))
    return items + values


def _search(pattern: str, text: str) -> bool | None:
    """Search `text` for `pattern`; None if RE2 does not support it."""
    try:
        return re2.search(pattern, text, _NO_LOG) is not None
    except re2.error:
        return None


def _check_pattern(
    validator: Validator, pattern: str, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and _search(pattern, instance) is False:
        yield ValidationError(f"{instance[:60]!r} does not match {pattern[:60]!r}")


def _check_pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for name, value in instance.items():
            if _search(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _check_additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    others = [
        name
        for name in instance
        if name not in schema.get("properties", {})
        and not any(_search(pattern, name) in (True, None) for pattern in patterns)
    ]
    if isinstance(allowed, dict):
        for name in others:
            yield from validator.descend(instance[name], allowed, path=name)
    elif allowed is False and others:
        names = ", ".join(repr(name[:60]) for name in others[:5])
        yield ValidationError(f"it has {names}, and the schema allows no other properties")


def _check_unique_items(
    validator: Any, is_wanted: bool, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """Find equal items in linear time; jsonschema compares each object with each other one."""
    items = instance if is_wanted and isinstance(instance, list) else []
    if len(set(map(_freeze, items))) < len(items):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _freeze(value: Any) -> Any:
    """Return a hashable value that is equal for equal JSON: `1` and `1.0`, but not `true`."""
    if isinstance(value, dict):
        return frozenset((name, _freeze(one)) for name, one in value.items())
    if isinstance(value, list):
        return ("array", *map(_freeze, value))
    return ("boolean", value) if isinstance(value, bool) else value


_KEYWORDS: Final[Mapping[str, Callable[..., Any]]] = Draft202012Validator.VALIDATORS | {
    "pattern": _check_pattern,
    "patternProperties": _check_pattern_properties,
    "additionalProperties": _check_additional_properties,
    # It accepts everything: jsonschema evaluates it with `re`, which can run for ever.
    "unevaluatedProperties": lambda *_: None,
    "uniqueItems": _check_unique_items,
}
_VALIDATOR: Final[Any] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _count(keyword) for name, keyword in _KEYWORDS.items()}
)
_META_VALIDATOR: Final[Any] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"uniqueItems": _check_unique_items}
)(Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

_faults: Final[RecentValues[str, str]] = RecentValues(_MAX_KEPT)
"""The faults of schemas by their source, "" if there is none.

Each request of an agent defines the same tools, and several rules look at each.
"""


class Schema:
    """A JSON Schema, ready for many values.

    Raises `InvalidSchema` if it is not a schema, and `NotChecked` if it exceeds the bounds.
    """

    def __init__(self, json: Value, steps: Steps) -> None:
        plain = _convert(json, steps)
        source = json.source
        steps.take(_STEPS_OF_AN_OBJECT * source.count("{"))
        fault = _faults.get(source)
        if fault is None:
            fault = _find_fault(plain)
            _faults.keep(source, fault, len(source) + _OVERHEAD)
        if fault:
            raise InvalidSchema(fault)
        self._steps = steps
        # A registry that retrieves nothing: it knows no document but the schema itself.
        self._validator: Validator = _VALIDATOR(plain, registry=Registry())

    def find_mismatch(self, value: Value) -> str | None:
        """Find the first mismatch of `value`; None if it fits.

        Raises `NotChecked` if the schema refers elsewhere, or if this takes too many steps.
        """
        plain = _convert(value, self._steps)
        token = _running.set(self._steps)
        try:
            errors = list(self._validator.iter_errors(plain))
        except Unresolvable as error:
            raise NotChecked(f"it refers to {error.ref}, which is not fetched") from error
        except RecursionError as error:
            raise NotChecked("it refers to itself without end") from error
        except OverflowError as error:
            raise NotChecked("it has a number that is too large to divide") from error
        finally:
            _running.reset(token)
        # Errors of the whole value come before those of its parts.
        first = min(
            errors, key=lambda error: (len(error.absolute_path), error.json_path), default=None
        )
        return None if first is None else _describe(first)


def _find_fault(plain: Any) -> str:
    """Find the first fault of a schema, "" if there is none."""
    try:
        fault = next(_META_VALIDATOR.iter_errors(plain), None)
    except RecursionError as error:
        raise NotChecked("it is nested too deeply") from error
    return "" if fault is None else _describe(fault)


def _describe(error: ValidationError) -> str:
    """Describe an error on one line, with its place: `$.items[0]: 'x' is too short`."""
    words = " ".join(error.message.split())
    words = words if len(words) <= 160 else f"{words[:159]}…"
    return words if error.json_path == "$" else f"{error.json_path}: {words}"


def _convert(value: Value, steps: Steps, levels: int = 0) -> Any:
    """Convert `value` to Python's own types. Raise `NotChecked` if it is too large or deep."""
    steps.take()
    if levels > MAX_LEVELS:
        raise NotChecked(f"it is nested more than {MAX_LEVELS} levels deep")
    if isinstance(value, Object):
        return {
            member.name.text: _convert(member.value, steps, levels + 1) for member in value.members
        }
    if isinstance(value, Array):
        return [_convert(item, steps, levels + 1) for item in value.items]
    if isinstance(value, Null):
        return None
    if isinstance(value, String):
        return value.text
    if isinstance(value, Boolean):
        return value.value
    if len(value.source) > 400:
        raise NotChecked("it has a number of more than 400 characters")
    return float(value.source) if value.integer is None else value.integer
