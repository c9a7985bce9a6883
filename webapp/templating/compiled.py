"""The environment of the templates, and their code, for all applications of the process."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from types import CodeType
from typing import Any, Final

import jinja2
from flask.templating import Environment
from jinja2 import BytecodeCache, Template
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import escape

from webapp.formatting import replace_surrogates

_KEPT: Final[dict[str, tuple[str, CodeType]]] = {}
"""The checksum of the source and the code of each template, by the key that Jinja gives it."""

_find_special: Final = re.compile("[&<>'\"]").search
_Escaped: Final = type(escape(""))


class CompiledTemplates(BytecodeCache):
    """Compiles each template once in a process, although every application has an environment.

    The pages of shares and of kept copies are separate applications. `install` gives all
    environments the same options, which the code depends on as it does on the source.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = _KEPT.get(bucket.key, (None, None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            _KEPT[bucket.key] = bucket.checksum, bucket.code


def compile_all(environment: jinja2.Environment) -> None:
    """Compile all templates now, for all later environments of the process and of its forks."""
    for name in environment.list_templates():
        environment.get_template(name)


class _Context(Context):
    """Calls functions with their arguments alone: none of ours asks for the context."""

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
        return function(*args, **kwargs)


class _Template(Template):
    """A template whose output UTF-8 can encode, and whose code escapes with `_escape`.

    The code that Jinja compiles calls `escape` for each value of a page, more than a thousand
    times. If it calls another name some day, it is only slower.
    """

    def render(self, *args: Any, **kwargs: Any) -> str:
        return replace_surrogates(super().render(*args, **kwargs))

    @classmethod
    def from_code(
        cls,
        environment: jinja2.Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        template = super().from_code(environment, code, globals, uptodate)
        template.root_render_func.__globals__["escape"] = _escape
        return template


def _escape(value: Any) -> str:
    """Escape `value` as `markupsafe.escape` does, but make no `Markup` if none is needed."""
    if type(value) is str:
        return value if _find_special(value) is None else escape(value)
    if type(value) is _Escaped:
        return value
    return str(value) if type(value) is int else escape(value)


class TemplateEnvironment(Environment):
    """Looks up the globals of templates in one step."""

    context_class = _Context
    template_class = _Template

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja chains the two, which costs every include and import a search for each global.
        return self.globals if not d else {**self.globals, **d}
