"""Declare settings as dataclass fields and read them from the environment.

A field made by `setting` holds everything about one setting, a field made by `nested` the
settings of another dataclass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from webapp.addresses.credentials import find_url_secrets

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
D = TypeVar("D", bound="DataclassInstance")

_SETTING: Final = "setting"
_NESTED: Final = "nested"
_MAX_CHARACTERS: Final = 65_536
"""Of a file with the text of a setting; a device has no end."""


class ConfigError(ValueError):
    """A setting is missing or malformed; the message is one line for the operator."""


class AddressError(ConfigError):
    """The address to listen on cannot be had now; later it may be, without another setting."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its parser, and its row in `docs/reference.md`.

    `default_text` is the default as a reader sees it. A `parse` that raises `ValueError` says
    in it which values the setting takes.
    """

    name: str
    parse: Callable[[str], object]
    default_text: str
    help: str
    is_secret: bool = False

    def read(self, environ: Mapping[str, str]) -> str | None:
        """Read the text of the variable, or of the file that `{name}_FILE` names.

        Blank text counts as not set. Raises `ConfigError` if both variables are set or the
        file cannot be read.
        """
        value = environ.get(self.name, "").strip()
        path = environ.get(f"{self.name}_FILE", "").strip()
        if value and path:
            raise ConfigError(f"{self.name} and {self.name}_FILE are both set; set one of them")
        if path:
            try:
                with Path(path).open(encoding="utf-8-sig") as file:
                    content = file.read(_MAX_CHARACTERS + 1)
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"{self.name}_FILE names a file that cannot be read: {error}"
                ) from error
            if len(content) > _MAX_CHARACTERS:
                raise ConfigError(
                    f"{self.name}_FILE names a file of more than {_MAX_CHARACTERS:,} characters"
                )
            value = content.strip()
        return value or None


def setting(
    name: str,
    parse: Callable[[str], T],
    *,
    default: T,
    help: str,
    default_text: str | None = None,
    is_secret: bool = False,
) -> T:
    """Declare the dataclass field of the setting `name`.

    The text of the default is derived from `default` unless `default_text` is given. A secret
    is left out of the repr.
    """
    if default_text is None and default in (None, ()):
        default_text = ""
    elif default_text is None:
        # As it would be written in the environment.
        number = int(default) if isinstance(default, bool) else default
        default_text = f"{number:g}" if isinstance(number, float) else str(number)
    row = Setting(name, parse, default_text, help, is_secret)
    made: Any = field(default=default, repr=not is_secret, metadata={_SETTING: row})
    return made  # type: ignore[no-any-return]


def nested(config: type[D]) -> D:
    """Declare a field that holds a `config` with its own settings."""
    made: Any = field(default_factory=config, metadata={_NESTED: config})
    return made  # type: ignore[no-any-return]


def settings_of(config: type[DataclassInstance]) -> Iterator[Setting]:
    """Yield the settings of a dataclass in the order of its fields, nested ones included."""
    for one in fields(config):
        if _SETTING in one.metadata:
            yield one.metadata[_SETTING]
        elif _NESTED in one.metadata:
            yield from settings_of(one.metadata[_NESTED])


def list_settings(config: type[DataclassInstance]) -> tuple[Setting, ...]:
    """List the settings of a dataclass, those that two nested values share once.

    Raises `ValueError` if different settings have one name: one of them would not be described.
    """
    listed: dict[str, Setting] = {}
    for one in settings_of(config):
        if listed.setdefault(one.name, one) != one:
            raise ValueError(f"there are two different settings of the name {one.name}")
    return tuple(listed.values())


def read_secrets(config: DataclassInstance) -> Iterator[str]:
    """Yield the secrets of `config`: its keys, and of its addresses the passwords and keys."""
    for one in fields(config):
        if _NESTED in one.metadata:
            yield from read_secrets(getattr(config, one.name))
        row: Setting | None = one.metadata.get(_SETTING)
        if row is None or not row.is_secret or not (value := getattr(config, one.name)):
            continue
        if isinstance(value, str):
            yield from find_url_secrets(value) if "://" in value else (value,)
        else:
            # Headers: `Bearer TOKEN` can come back without the first word.
            yield from (word for _, text in value for word in text.split())


def read_settings(config: type[D], environ: Mapping[str, str]) -> D:
    """Read a `config` with the settings in `environ` and defaults for the others.

    Raises `ConfigError` if a value does not parse.
    """
    values: dict[str, object] = {}
    for one in fields(config):
        if _NESTED in one.metadata:
            values[one.name] = read_settings(one.metadata[_NESTED], environ)
        elif _SETTING in one.metadata:
            row: Setting = one.metadata[_SETTING]
            if (text := row.read(environ)) is None:
                continue
            try:
                values[one.name] = row.parse(text)
            except ValueError as error:
                raise ConfigError(f"{row.name} takes {error}") from error
    return config(**values)
