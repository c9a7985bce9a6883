"""The environment of the templates, and their code, for all applications of the process."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from types import CodeType
from typing import Any, Final

import jinja2
from flask.templating import Environment
from jinja2 import BytecodeCache, Template
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Call
from jinja2.runtime import Context, Macro
from markupsafe import escape

from webapp.formatting import replace_surrogates

_KEPT: Final[dict[str, tuple[str, CodeType]]] = {}
"""The checksum of the source and the code of each template, by the key that Jinja gives it."""

_find_special: Final = re.compile("[&<>'\"]").search
_Escaped: Final = type(escape(""))
_mark: Final = partial(str.__new__, _Escaped)


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


class _CodeGenerator(CodeGenerator):
    """Compiles calls to calls with their arguments alone: none of ours asks for the context."""

    def visit_Call(self, node: Call, frame: Frame, forward_caller: bool = False) -> None:
        self.write("context.call(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")


class _Context(Context):
    call: Any = staticmethod(operator.call)


class _Template(Template):
    """A template whose output UTF-8 can encode, and whose code escapes values by `_escape`.

    The code that Jinja compiles calls `escape` for each value of a page, more than a thousand
    times, and hundreds of macros. If it calls other names some day, it is only slower.
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
        template.root_render_func.__globals__.update(escape=_escape, Macro=_make_macro)
        return template


def _make_macro(
    environment: jinja2.Environment,
    render: Callable[..., str],
    name: str,
    arguments: Sequence[str],
    catch_kwargs: bool,
    catch_varargs: bool,
    caller: bool,
    autoescape: bool,
) -> Callable[..., str]:
    """Make a macro that calls `render` in one step if it is called with its `arguments` alone."""
    options = catch_kwargs, catch_varargs, caller, autoescape
    macro = Macro(environment, render, name, list(arguments), *options)
    if any(options[:3]) or not autoescape:
        return macro
    count = len(arguments)

    def call(*values: Any, **named: Any) -> str:
        if named or len(values) != count:
            return macro(*values, **named)
        marked: str = _mark(render(*values))
        return marked

    return call


def _escape(value: Any) -> str:
    """Escape `value` as `markupsafe.escape` does, but make no `Markup` if none is needed."""
    if type(value) is str:
        return value if _find_special(value) is None else escape(value)
    if type(value) is _Escaped:
        return value
    return str(value) if type(value) is int else escape(value)


class TemplateEnvironment(Environment):
    """Looks up the globals of templates in one step, and calls macros and functions likewise."""

    code_generator_class = _CodeGenerator
    context_class = _Context
    template_class = _Template

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja chains the two, which costs every include and import a search for each global.
        return self.globals if not d else {**self.globals, **d}
