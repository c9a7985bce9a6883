"""One request as it arrives: admitted or refused by its head, and its body held within bounds.

Extends waitress where it trusts its clients.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest, RequestHeaderFieldsTooLarge

from webapp.addresses.forwarding import remove_prefix
from webapp.redaction import get_logger
from webapp.serving.admission import (
    MAX_PARAMETERS,
    NO_ROOM,
    TOO_MANY_PARAMETERS,
    Admission,
    Kind,
    Permit,
    classify,
)
from webapp.serving.refusals import Refusal

log = get_logger("readback")

MAX_HEADERS: Final = 100
MAX_CHUNK_LINE: Final = 4_096
"""Bytes of the line before a chunk, or of the lines after the last one."""

MAX_CHUNK_OVERHEAD: Final = 32 * 1024
"""Bytes of a body in chunks beside the data, and one for each `_LEAST_CHUNK` bytes of them.

The loop parses each chunk, for all connections.
"""
_LEAST_CHUNK: Final = 8
_CHUNKED_AT_ONCE: Final = 4_096
"""Bytes of such a body that are parsed at once, in a time that grows with the square of them."""

_TARGET: Final = re.compile(rb"[!-~]+")
_VERSIONS: Final = (b"HTTP/1.0", b"HTTP/1.1")
_CODINGS: Final = re.compile(rb"^transfer-encoding:(.*)$", re.IGNORECASE | re.MULTILINE)


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request as it arrives, with its permit or its refusal once its head is there."""

    body_rcv: Any
    completed: bool
    error: Any

    def __init__(
        self, adj: Any, admission: Admission, remote: str, hold_back: Callable[[bytes], None]
    ) -> None:
        super().__init__(adj)
        self.started = time.monotonic()
        self.kind = Kind.QUICK
        self.client = remote
        self.refusal: Refusal | None = None
        self._admission = admission
        self._hold_back = hold_back
        self._permit: Permit | None = None

    def received(self, data: bytes) -> int:
        """Take bytes of the connection; return how many of them are dealt with.

        Those after the end of this request are held back until it is answered.
        """
        had_head = self.headers_finished
        is_chunked = had_head and self.chunked
        try:
            consumed: int = super().received(data[:_CHUNKED_AT_ONCE] if is_chunked else data)
        except OSError as error:
            # A large body waits in a temporary file.
            log.error("the body of a request could not be written: %s", error.strerror)
            self._refuse(NO_ROOM)
            return len(data)
        if self.error is None and self.headers_finished and not self.empty:
            refusal = self._hold_more() if had_head else self._admit()
            if refusal is not None:
                self._refuse(refusal)
        if self.error is not None:
            self.kind = Kind.QUICK
        if self.error is not None or self.refusal is not None or self.body_rcv is None:
            self.expect_continue = False
        if self.error is not None or self.refusal is not None:
            # Nothing after a refused request is one: it may be the rest of its body.
            return len(data)
        if self.completed and not self.empty:
            self._hold_back(data[consumed:])
            return len(data)
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head. Raise `ParsingError` for faults that waitress would let through."""
        first, _, _ = header_plus.partition(b"\r\n")
        words = first.rstrip().split(b" ")
        if len(words) != 3 or words[2] not in _VERSIONS or not _TARGET.fullmatch(words[1]):
            raise ParsingError("Start line is invalid")
        if b"\n " in header_plus or b"\n\t" in header_plus:
            raise ParsingError("A header on several lines")
        if header_plus.count(b"\r\n") > MAX_HEADERS + 2:
            # Thousands would take the loop, which serves all connections, too long to parse.
            self.error = RequestHeaderFieldsTooLarge("too many headers")
            self.completed = True
            return
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # Of a length of thousands of digits, or of a host in brackets that are not closed.
            raise ParsingError("A number or a host is invalid") from error
        # Another server could find the end of such a body elsewhere, and a request in its rest.
        codings = b",".join(_CODINGS.findall(header_plus)).split(b",")
        is_ambiguous = self.chunked and (len(codings) > 1 or "CONTENT_LENGTH" in self.headers)
        if is_ambiguous or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("The end of the body is ambiguous")

    def holds_bytes(self, body_bytes: int) -> bool:
        """Hold so many bytes in all for the body, and return whether they may be held."""
        permit = self._permit
        return permit is not None and self._admission.hold_bytes(permit, body_bytes) is None

    def close(self) -> None:
        """Release the resources of the request; it has been answered, or never will be."""
        if self._permit is not None:
            self._permit.release()
        super().close()

    def _admit(self) -> Refusal | None:
        if self.query.count("&") >= MAX_PARAMETERS:
            return TOO_MANY_PARAMETERS
        quotas, remote = self._admission.quotas, self.client
        self.client = quotas.find_client(remote, self.headers.get("X_FORWARDED_FOR", ""))
        forwarded = self.headers.get("X_FORWARDED_PREFIX", "")
        prefix = quotas.proxies.find_prefix(remote, forwarded)
        path = remove_prefix(self.path, prefix)
        has_body = self.chunked or self.content_length > 0
        kind = classify(self.command, path, self.query, has_body=has_body)
        admitted = self._admission.admit(kind, self.content_length, self.client)
        if isinstance(admitted, Refusal):
            return admitted
        self._permit = admitted
        self.kind = kind
        return self._hold_more()

    def _hold_more(self) -> Refusal | None:
        """Hold the bytes of a body in chunks as they come, and those its chunk announces."""
        if self._permit is None or not self.chunked or self.completed:
            return None
        has_long_line = (
            max(len(self.body_rcv.control_line), len(self.body_rcv.trailer)) > MAX_CHUNK_LINE
        )
        overhead = self.body_bytes_received - len(self.body_rcv)
        if has_long_line or overhead > MAX_CHUNK_OVERHEAD + len(self.body_rcv) // _LEAST_CHUNK:
            self.error = BadRequest("A line of a chunk is too long, or the chunks are too small")
            self.completed = True
            return None
        announced = self.body_bytes_received + self.body_rcv.chunk_remainder
        return self._admission.hold_bytes(self._permit, announced)

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self.kind = Kind.QUICK
        self.completed = True
        self.connection_close = True
        if self._permit is not None:
            self._permit.release()
        if self.body_rcv is not None:
            # A full disk does not take what is left to write either.
            with suppress(OSError):
                self.body_rcv.getbuf().close()
            self.body_rcv = None
