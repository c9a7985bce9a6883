"""Open the store and the embedded server, and connect clients to it within the process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Flask, request

from webapp.access import RETENTION, Access, Event, Reader, Record, client_address
from webapp.addresses.forwarding import CLIENT
from webapp.analysis.assessing import assess_completion
from webapp.analysis.checks import CHECKS_VERSION
from webapp.config import Config
from webapp.embedded import (
    AS_GIVEN,
    ModelServer,
    Recovery,
    Retention,
    Spool,
    Store,
    Upkeep,
    create_server,
    load_samples,
)
from webapp.factories import find_database_url, open_upstream, without_upstream
from webapp.http.loopback import LoopbackAdapter
from webapp.media import MediaCache
from webapp.notes import Notes
from webapp.pins import Pins
from webapp.reading import TranscriptLoader
from webapp.shares import ShareStore

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_MOUNT: Final = "/v1"


@dataclass(frozen=True, slots=True)
class Traces:
    """The data of a completion beside the store, and the record of their deletion."""

    media: MediaCache
    shares: ShareStore
    pins: Pins
    notes: Notes
    spool: Spool
    record: Record

    def delete(
        self, completion_id: str, reader: Reader | None, *, revokes: bool = True, **details: str
    ) -> None:
        """Delete the files of a completion; revoke its shares unless they stay, and record that.

        A client that deletes cannot be asked whether its shares should stay, so they do not.
        """
        for share in self.shares.forget(completion_id, revokes=revokes):
            self.record.add(
                Event.SHARE_REVOKED, reader, completion=completion_id, share=share.id, **details
            )
        self.pins.remove(completion_id)
        self.notes.remove_all(completion_id)
        self.media.forget(completion_id)
        self.spool.forget(completion_id)

    def delete_for_client(self, completion_id: str, was_stored: bool) -> None:
        """Delete the data of a completion that is deleted through the API, and record both.

        If no completion `was_stored`, its data are deleted, and there is no deletion to record.

        A request of our own pages comes from no client; its reader chose whether to keep the
        shares, and the page records it.
        """
        details = {"address": client_address(), "by": "API"}
        is_of_client = CLIENT in request.environ
        self.delete(completion_id, None, revokes=is_of_client, **details)
        if is_of_client and was_stored:
            self.record.add(Event.DELETE, None, completion=completion_id, **details)


@dataclass(frozen=True, slots=True)
class OwnServer:
    """The embedded server, its store, and the completions that wait for its database."""

    store: Store
    spool: Spool
    api: Flask

    def mount(self, pages: WSGIApplication, guard: Access, config: Config) -> WSGIApplication:
        """Mount the API beside `pages` at `/v1`, which without a key is for this machine only."""

        def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            # Werkzeug's middleware would take the square of the slashes in a path.
            path = environ.get("PATH_INFO", "")
            is_api = path == _MOUNT or path.startswith(f"{_MOUNT}/")
            if not is_api or (config.api_key is None and not guard.is_local(environ)):
                return pages(environ, start)
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + _MOUNT
            environ["PATH_INFO"] = path.removeprefix(_MOUNT)
            return self.api(environ, start)

        return answer


def open_own_server(
    config: Config, traces: Traces, *, fills_new_store: bool, completes_store: bool
) -> OwnServer:
    """Open the embedded server; it creates completions if a model server is configured.

    It does without its database until that can be reached.
    """
    store = open_store(config)
    model = open_model(config)
    if model is not None:
        traces.spool.prepare()
    recovery = Recovery(store, traces.spool, fill=load_samples if fills_new_store else None)
    recovery.open_store()
    if completes_store:
        begin_upkeep(store)
    forget = partial(traces.delete, reader=RETENTION)
    begin_retention(config, store, traces.pins, traces.record, forget)
    api = create_server(
        store,
        api_key=config.api_key,
        model=model,
        recovery=recovery,
        on_delete=traces.delete_for_client,
    )
    return OwnServer(store, traces.spool, api)


def open_store(config: Config) -> Store:
    """Open the store of the configured database; the database itself is opened on first use."""
    return Store(
        find_database_url(config),
        replica_url=config.replica_url,
        opens_later=True,
        conversation_keys=config.conversation_keys,
    )


def open_model(config: Config) -> ModelServer | None:
    """Open the server that creates completions; None if none is configured."""
    if config.model_url is None:
        return None
    return ModelServer(
        config.model_url,
        api_key=config.model_api_key,
        headers=config.model_headers,
        forwards_store=config.model_forwards_store,
        stores_all=config.stores_all,
        limits=config.model_limits,
        proxy=config.proxy,
        ca_bundle=config.ca_bundle,
    )


def begin_upkeep(store: Store) -> None:
    """Keep the derived tables of a store complete in the background."""
    Upkeep(store, assess_completion, rules=CHECKS_VERSION).begin()


def begin_retention(
    config: Config, store: Store, pins: Pins, record: Record, forget: Callable[[str], None]
) -> None:
    """Delete old completions in the background, if the settings bound their age."""
    if config.keep_days:
        Retention(
            store,
            days=config.keep_days,
            erase_traces=forget,
            record_deletion=lambda one: record.add(Event.DELETE, RETENTION, completion=one),
            list_kept=pins.list_everywhere,
        ).begin()


def connect(server: Flask) -> LoopbackAdapter:
    """Build the transport of a client to `server`, which answers it with the original texts."""
    return LoopbackAdapter(server, mount="/v1", variables={AS_GIVEN: True})


def load_stored(store: Store, config: Config) -> TranscriptLoader:
    """Build the loader of the transcripts of `store`, for commands."""
    upstream = open_upstream(without_upstream(config), transport=connect(create_server(store)))
    return TranscriptLoader(upstream, input_only=True, threads=1, is_own_server=True)
