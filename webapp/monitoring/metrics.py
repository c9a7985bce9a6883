"""Count the work of all worker processes, in files that they share; nothing until turned on.

The library decides at its import whether counts are in files, so it is imported late, and a
process that exports no metrics does not load it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from webapp.redaction import get_logger

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = get_logger("readback")

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_RESERVED: Final = 512 * 1024
"""Bytes of a file for counts, which is more than all routes need."""
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class Metrics:
    """The metrics of one process; their names and labels are listed in `docs/operating.md`."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        # Nothing reads this registry: the exporter reads the files of all processes.
        registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, buckets=_SECONDS, registry=registry)
        self.requests = counter(
            "readback_requests", "Answered requests.", ("method", "route", "status")
        )
        self.request_seconds = histogram(
            "readback_request_seconds",
            "Seconds until the last byte of an answer was handed over.",
            ("route",),
        )
        self.upstream = counter(
            "readback_upstream_requests",
            "Requests to other servers, by status or by the way they failed.",
            ("server", "outcome"),
        )
        self.upstream_seconds = histogram(
            "readback_upstream_seconds",
            "Seconds until the head of another server's answer.",
            ("server",),
        )
        self.cache = counter(
            "readback_cache_reads",
            "Reads of a cache, by whether it had what was wanted.",
            ("cache", "result"),
        )
        self.store_seconds = histogram(
            "readback_store_seconds", "Seconds that a statement in the database took."
        )
        self.store_errors = counter(
            "readback_store_errors",
            "Statements that failed, by the outage of the database.",
            ("outage",),
        )
        self.replicated_reads = counter(
            "readback_replicated_reads",
            "Reads of the store that a replica may run, by the server that ran them.",
            ("server",),
        )


_metrics: Metrics | None = None


@contextmanager
def shared_metrics(folder: Path) -> Iterator[CollectorRegistry]:
    """Count in files of `folder` within, in this process and its forks; yield the sums of all."""
    global _metrics
    os.environ[_FOLDER] = str(folder)
    _reserve_files()
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    _metrics = Metrics()
    sums = CollectorRegistry()
    MultiProcessCollector(sums)  # type: ignore[no-untyped-call]
    try:
        yield sums
    finally:
        _metrics = None
        del os.environ[_FOLDER]


def begin_counting() -> None:
    """Reserve room for the counts of a new process; count nothing in it if the disk has none."""
    global _metrics
    if _metrics is None:
        return
    try:
        _reserve_files()
    except OSError as error:
        _metrics = None
        log.error("This process is not in the metrics: %s.", error.strerror)


def _reserve_files() -> None:
    """Write the files of this process in their whole size.

    The library maps files without contents, and a signal ends the process that writes into one
    when the disk is full.
    """
    for kind in ("counter", "histogram"):
        path = Path(os.environ[_FOLDER], f"{kind}_{os.getpid()}.db")
        # An earlier process may have had the number of this one.
        with suppress(FileExistsError), open(path, "xb") as file:
            try:
                file.write(bytes(_RESERVED))
                file.flush()
            except OSError:
                # Nobody could read the sums of all processes with a file that has no beginning.
                path.unlink()
                raise


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    if _metrics is not None:
        _metrics.requests.labels(method, route, str(status)).inc()
        _metrics.request_seconds.labels(route).observe(seconds)


def count_upstream(server: str, outcome: str, seconds: float) -> None:
    """Count a request to another server; `outcome` is its status, or the kind of its failure."""
    if _metrics is not None:
        _metrics.upstream.labels(server, outcome).inc()
        _metrics.upstream_seconds.labels(server).observe(seconds)


def count_cache_read(cache: str, result: Literal["hit", "miss"]) -> None:
    if _metrics is not None:
        _metrics.cache.labels(cache, result).inc()


def count_statement(seconds: float) -> None:
    if _metrics is not None:
        _metrics.store_seconds.observe(seconds)


def count_replicated_read(server: Literal["primary", "replica"]) -> None:
    if _metrics is not None:
        _metrics.replicated_reads.labels(server).inc()


def count_store_error(outage: str) -> None:
    if _metrics is not None:
        _metrics.store_errors.labels(outage).inc()
