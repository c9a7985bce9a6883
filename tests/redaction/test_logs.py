"""Logs without secrets, tracebacks included, whatever formats them."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from webapp.redaction import get_logger, remember_secrets
from webapp.redaction.logs import MaskingFilter

SECRET = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"


@pytest.fixture
def log() -> logging.Logger:
    return get_logger("readback.tests.redaction")


@pytest.fixture
def written(log: logging.Logger) -> Iterator[io.StringIO]:
    """Yield what a handler with a formatter of its own writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)
    yield stream
    log.removeHandler(handler)


def test_messages_and_their_arguments_are_masked(
    log: logging.Logger, written: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    log.warning("refused %s at %d", SECRET, 7)
    log.warning("broken %d", SECRET)

    assert written.getvalue().startswith("WARNING refused [masked: api-key] at 7\n")
    assert SECRET not in written.getvalue() + caplog.text


def test_tracebacks_are_masked_with_their_causes(
    log: logging.Logger, written: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        try:
            raise ValueError(f"Bearer {SECRET}")
        except ValueError as error:
            raise RuntimeError(f"postgresql://me:hunter@db, {SECRET}") from error
    except RuntimeError:
        log.exception("failed")

    assert "RuntimeError: postgresql://me:[masked: password]@db" in written.getvalue()
    assert SECRET not in written.getvalue() + caplog.text
    assert "hunter" not in written.getvalue() + caplog.text


def test_remembered_secrets_are_masked_in_any_form(
    log: logging.Logger, written: io.StringIO
) -> None:
    remember_secrets(["correct horse", "short"])
    log.warning("with correct horse, with correct%20horse, in short")

    assert written.getvalue() == "WARNING with ***, with ***, in short\n"


def test_a_logger_is_masked_once() -> None:
    twice = [get_logger("readback.tests.twice") for _ in range(2)]

    assert len([one for one in twice[0].filters if isinstance(one, MaskingFilter)]) == 1
