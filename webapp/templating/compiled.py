"""The environment of the templates, and their code, for all applications of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from types import CodeType
from typing import Any, Final

from flask.templating import Environment
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from jinja2.runtime import Context

from webapp.formatting import replace_surrogates

_KEPT: Final[dict[str, tuple[str, CodeType]]] = {}
"""The checksum of the source and the code of each template, by the key that Jinja gives it."""


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


class _Context(Context):
    """Calls functions with their arguments alone: none of ours asks for the context."""

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return function(*args, **kwargs)


class TemplateEnvironment(Environment):
    """Renders what UTF-8 can encode, and looks up the globals of templates in one step."""

    context_class = _Context

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        return replace_surrogates("".join(pieces))

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja chains the two, which costs every include and import a search for each global.
        return self.globals if not d else {**self.globals, **d}
