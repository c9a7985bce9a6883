"""The metrics of several worker processes, as Prometheus reads them from a port of their own."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
import requests
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from tests.support.command import PATIENCE, Readback, Served, find_free_port
from tools.forking import Forkable
from tools.memory import find_children
from webapp.monitoring import metrics
from webapp.monitoring.exporter import MOST_AT_ONCE, MOST_SECONDS, Exporter

SECRET: Final = "the-words-of-a-reader"

pytestmark = pytest.mark.process


def scrape(port: int) -> dict[tuple[str, ...], float]:
    """Return each number by its name and the values of its labels."""
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert SECRET not in answer.text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def scrape_until(port: int, sample: tuple[str, ...], number: float) -> dict[tuple[str, ...], float]:
    """Return the numbers once `sample` has come to `number`: requests count after their answers."""
    while (found := scrape(port)).get(sample, 0) < number:
        pass
    return found


def ask_on_new_connections(served: Served, path: str, times: int) -> None:
    for _ in range(times):
        answer = requests.get(served.url(path), headers={"Connection": "close"}, timeout=PATIENCE)
        assert answer.status_code == 200


def test_what_all_workers_did_adds_up_and_outlives_them(tmp_path: Path, forkable: Forkable) -> None:
    port = find_free_port()
    listed = ("readback_requests_total", "GET", "/completions", "200")
    readback = Readback.of_user(tmp_path, forkable=forkable)
    with readback.serve(READBACK_METRICS_PORT=str(port), READBACK_WORKERS="2") as served:
        assert served.get("/healthz").ok
        before = scrape(port)
        ask_on_new_connections(served, f"/completions?model={SECRET}", 8)
        first = scrape_until(port, listed, 8)
        workers = find_children(served.process.pid)
        assert len(workers) == 3
        for worker in workers[:2]:
            os.kill(worker, signal.SIGKILL)
        while set(workers[:2]) & set(find_children(served.process.pid)):
            pass
        ask_on_new_connections(served, "/completions", 4)
        last = scrape_until(port, listed, 12)
        other = requests.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE)
        refused = readback.with_settings(
            PORT=str(find_free_port()), READBACK_METRICS_PORT=str(port)
        )("serve")
        with ExitStack() as stack:
            silent = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
                for _ in range(MOST_AT_ONCE + 1)
            ]
            beyond = silent[-1].recv(1)
        served.stop()

    assert beyond == b""
    assert before.get(listed, 0) == 0
    assert first[listed] == 8
    assert last[listed] == 12
    assert last["readback_request_seconds_count", "/completions"] == 12
    assert last["readback_upstream_requests_total", "200", "upstream"] >= 12
    assert last["readback_store_seconds_count",] >= 12
    assert (last["readback_store_up",], last["readback_spool_waiting",]) == (1, 0)
    assert other.status_code == 404
    assert refused.errors == (
        f"readback: READBACK_METRICS_PORT={port} is in use on 127.0.0.1; set another one\n"
    )


class BeginningWorker:
    """A worker that fills the file of its counts after some reads of it."""

    def __init__(self, folder: Path, reads: int) -> None:
        self._file = folder / "counter_1.db"
        self._file.touch()
        self._reads = reads

    def collect(self) -> Iterator[Metric]:
        self._reads -= 1
        if self._reads < 0:
            self._file.unlink(missing_ok=True)
        yield GaugeMetricFamily("reads", "", self._reads)


@pytest.mark.parametrize(("reads", "status"), [(1, 200), (1_000, 503)])
def test_a_worker_that_has_not_begun_to_count_breaks_off_no_answer(
    tmp_path: Path, reads: int, status: int
) -> None:
    registry = CollectorRegistry()
    registry.register(BeginningWorker(tmp_path, reads))
    MultiProcessCollector(registry, path=str(tmp_path))  # type: ignore[no-untyped-call]
    exporter = Exporter(socket.create_server(("127.0.0.1", 0)), registry)
    served = threading.Thread(target=exporter.serve, kwargs={"parent": os.getppid()}, daemon=True)
    served.start()
    address = f"http://127.0.0.1:{exporter.server_address[1]}/metrics"
    assert requests.get(address, timeout=PATIENCE).status_code == status
    exporter.shutdown()
    exporter.server_close()
    served.join()


def test_a_process_without_room_for_its_counts_leaves_those_of_others_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(metrics, "_metrics", metrics.Metrics())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        metrics.begin_counting()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []
    metrics.count_store_error("down")


def test_a_client_that_sends_its_request_too_slowly_is_cut_off() -> None:
    exporter = Exporter(socket.create_server(("127.0.0.1", 0)), CollectorRegistry())
    served = threading.Thread(target=exporter.serve_forever, args=(0.01,), daemon=True)
    served.start()
    with socket.create_connection(exporter.socket.getsockname(), PATIENCE) as slow:
        slow.sendall(b"GET /met")
        while not exporter._began:
            """Its thread may not have begun."""
        exporter.end_slow(time.monotonic() + MOST_SECONDS + 1)
        assert slow.recv(1) == b""
    exporter.shutdown()
    exporter.server_close()
    served.join()
