"""Read and write completions and their input messages in a database, by id.

Takes and returns JSON texts; knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from itertools import count
from threading import Event
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, TextClause, text

from webapp.config import CONVERSATION_KEYS
from webapp.conversations import Conversation, PromptDifference
from webapp.database import (
    ROWS_AT_ONCE,
    Database,
    DatabaseOpener,
    migrate,
    open_database,
    report_failures,
    retry_deadlocks,
)
from webapp.embedded.documents.records import CompletionRecord, Metadata, index_text
from webapp.embedded.finding.checking import Assess, check_all, count_faults
from webapp.embedded.finding.filters import build_selection
from webapp.embedded.finding.walking import ListCursor, walk
from webapp.embedded.store.conversations import (
    MAX_REQUESTS,
    find_prompt_difference,
    list_conversations,
    read_continued,
    read_conversation,
)
from webapp.embedded.store.deriving import (
    Derived,
    lock_conversations,
    reassign_children,
    write_derived,
)
from webapp.embedded.store.filling import fill, refresh
from webapp.embedded.store.messages import (
    RecentPages,
    read_messages,
    read_row,
    read_wire_json,
)
from webapp.embedded.store.originals import write_as_given
from webapp.embedded.store.pages import (
    JsonPage,
    ListRequest,
    PageRequest,
    UnknownCursor,
    build_page,
)
from webapp.embedded.store.passages import index_passages
from webapp.embedded.store.queries import (
    COMPLETION_CURSOR,
    COMPLETION_GIVEN,
    COMPLETION_IDS,
    COMPLETION_TEXT,
    select_completions,
)
from webapp.embedded.store.rebuilding import rebuild
from webapp.embedded.store.schema import SCHEMA
from webapp.embedded.store.writing import (
    Outcome,
    add_parts,
    add_record,
    amend_record,
    replace_metadata,
    reserve_seqs,
)
from webapp.finding.query import SORTS

_T = TypeVar("_T")

_RETRIEVE: Final = text("SELECT id, wire_json, given_json FROM completions WHERE id = :id")
_VERSION: Final = text("SELECT seq, digest, wire_json FROM completions WHERE id = :id")
_STORED_TIME: Final = text("SELECT stored FROM completions WHERE id = :id")
_DELETE: Final = text("DELETE FROM completions WHERE id = :id")
_STORED_BEFORE: Final = text(
    "SELECT id FROM completions WHERE stored < :time ORDER BY stored LIMIT :rows"
)


class Store:
    """Stored completions in the database at `database_url`, such as `sqlite:////srv/store.db`
    or `postgresql+psycopg://readback@db.example/readback`.

    Safe to share between threads, and the database between processes. Raises `StoreError` if
    it cannot be opened; if the store `opens_later`, every method does so until it can be.
    `is_new` is true if opening the store created it. Completions with the same value of one of
    the metadata `conversation_keys` belong to one conversation. `added` is set whenever this
    object has stored completions; whoever waits for it clears it. `changes` is another number
    after each attempt of it to delete or amend a completion or to replace metadata. `replica_url`
    and `is_patient` are those of `open_database`.
    """

    def __init__(
        self,
        database_url: str,
        *,
        replica_url: str | None = None,
        opens_later: bool = False,
        conversation_keys: Sequence[str] = CONVERSATION_KEYS,
        is_patient: bool = False,
    ) -> None:
        self._url = database_url
        self._replica_url = replica_url
        self._is_patient = is_patient
        self._keys = tuple(conversation_keys)
        self.added = Event()
        self.changes = 0
        self._change_numbers = count(1)
        self._opener = DatabaseOpener(self._open)
        self.is_new = False
        self._pages = RecentPages()
        if not opens_later:
            self.open()

    def open(self) -> None:
        """Open the database unless it is open. Raise `StoreError` if that fails."""
        self._opener.get(insists=True)

    def close(self) -> None:
        """Close all connections, after all other threads have stopped using the store."""
        self._opener.close()

    @property
    def _database(self) -> Database:
        return self._opener.get()

    def _open(self) -> Database:
        database = open_database(
            self._url, replica_url=self._replica_url, is_patient=self._is_patient
        )
        try:
            self.is_new = migrate(database, SCHEMA)
            rebuild(database)
        except BaseException:
            database.close()
            raise
        return database

    def complete(self) -> None:
        """Derive the missing rows of older completions, and index new ones; this may take long.

        The store can be used meanwhile. Raise `StoreUnavailable` if the database cannot be used.
        """
        with report_failures(self._database):
            fill(self._database, keys=self._keys)
            refresh(self._database, keys=self._keys)
            index_passages(self._database)

    def check(self, assess: Assess, *, rules: int) -> None:
        """Store the findings of the completions that were not checked by these `rules` yet.

        This may take long; the store can be used meanwhile. Raise `StoreUnavailable` if the
        database cannot be used.
        """
        with report_failures(self._database):
            check_all(self._database, assess, rules=rules)

    def count_faults(self, completion_id: str, *, rules: int) -> int | None:
        """Count the errors and warnings that `rules` found in a completion; None if not checked."""
        return count_faults(self._database, completion_id, rules=rules)

    def connect(self) -> Connection:
        """Open a connection that reads one snapshot of the primary, a few rows at a time."""
        return self._database.reader.connect()

    def read(self, query: Callable[[Connection], _T]) -> _T:
        """Return the result of `query` from one snapshot, as `Database.read` does."""
        return self._database.read(query)

    def list_completions(
        self,
        page: PageRequest,
        *,
        model: str | None = None,
        metadata: Sequence[tuple[str, str]] = (),
        listed: ListRequest | None = None,
        as_given: bool = False,
    ) -> JsonPage:
        """List a page of completions, filtered by model and by all metadata pairs.

        They are sorted by time, unless `listed` says otherwise, which may have more filters.
        They are in the API's form, or `as_given`; the same holds for the other methods.
        Raise `UnknownCursor` if `page.after` is not the id of a completion.
        """
        listed = listed or ListRequest(is_bounded=False)
        selection = build_selection(listed.query, model=model, metadata=metadata)
        sort = SORTS[listed.sort]

        def find(connection: Connection) -> tuple[list[Any], str | None]:
            walked = walk(
                connection,
                selection,
                order=page.order,
                after=_find_place(connection, page.after, sort) if page.after else None,
                rows=page.limit + 1,
                sort=sort,
                folds=listed.folds,
                is_bounded=listed.is_bounded,
            )
            seqs = [place.seq for place in walked.places]
            select = select_completions(as_given=as_given)
            found = connection.execute(select, {"seqs": seqs}).all() if seqs else []
            rows = sorted(found, key=lambda row: seqs.index(row.position))
            if walked.resume is None:
                return rows, None
            binds = {"seqs": [walked.resume.seq]}
            return rows, connection.execute(COMPLETION_IDS, binds).scalar_one()

        rows, resume = self.read(find)
        select = COMPLETION_GIVEN if as_given else COMPLETION_TEXT
        read = partial(read_row, self._database, select, {})
        built = build_page(
            rows, page, read, write=_write_completion if as_given else read_wire_json
        )
        return replace(built, resume=resume, has_more=True) if resume else built

    def retrieve_completion(self, completion_id: str, *, as_given: bool = False) -> str | None:
        """Read a completion's JSON; None if there is none of this id."""
        row = self._look_up_one(_RETRIEVE, completion_id)
        if row is None:
            return None
        wire_json: str = row.wire_json
        return _write_completion(row) if as_given else wire_json

    def find_version(self, completion_id: str) -> bytes | None:
        """Compute a value that changes with a completion; None if there is no completion."""
        row = self._look_up_one(_VERSION, completion_id)
        if row is None:
            return None
        source = f"{row.seq} {row.digest} {row.wire_json}".encode()
        return blake2b(source, digest_size=20).digest()

    def find_stored_time(self, completion_id: str) -> int | None:
        """Look up when a completion was stored, in unix seconds; None if there is none."""
        row = self._look_up_one(_STORED_TIME, completion_id)
        return None if row is None else row.stored

    def _look_up_one(self, query: TextClause, completion_id: str) -> Any:
        rows = self._database.look_up(query, {"id": index_text(completion_id)})
        return rows[0] if rows else None

    def replace_metadata(self, completion_id: str, metadata: Metadata) -> str | None:
        """Replace all metadata of a completion and return its JSON, or None if there is none."""

        def transact() -> str | None:
            with self._database.writer.begin() as connection:
                lock_conversations(connection, (), [metadata.pairs], self._keys)
                return replace_metadata(connection, completion_id, metadata, self._keys)

        return self._change(transact)

    def amend(self, earlier: CompletionRecord, later: CompletionRecord) -> bool:
        """Replace `earlier`, but not its messages and current metadata, by `later` of the same id.

        Return False if it is not stored, or with other content.
        """

        def transact() -> bool:
            with self._database.writer.begin() as connection:
                lock_conversations(connection, [later.facts], [later.metadata], self._keys)
                return amend_record(connection, earlier, later, self._keys)

        return self._change(transact)

    def delete_completion(self, completion_id: str) -> bool:
        """Delete a completion with its messages; return False if there is none of this id."""
        binds = {"id": index_text(completion_id)}

        def transact() -> bool:
            with self._database.writer.begin() as connection:
                reassign_children(connection, binds["id"])
                return connection.execute(_DELETE, binds).rowcount == 1

        return self._change(transact)

    def _change(self, transact: Callable[[], _T]) -> _T:
        try:
            return retry_deadlocks(transact)
        finally:
            self.changes = next(self._change_numbers)

    def find_conversation(
        self, completion_id: str, *, most: int = MAX_REQUESTS
    ) -> Conversation | None:
        """Find the completions that continue each other, with this one; None if it is not here.

        At most the first `most` of them. Also None if it comes from an older program, and its facts
        are yet to be derived.
        """
        return self.read(partial(read_conversation, completion_id=completion_id, most=most))

    def find_continued(
        self, completion_ids: Sequence[str], *, most: int = MAX_REQUESTS
    ) -> dict[str, Conversation]:
        """Find the conversations of those completions that are not alone in theirs, by their ids.

        Of each at most the first `most` requests.
        """
        return read_continued(self._database, completion_ids, most=most)

    def list_conversations(self, *, limit: int, least: int) -> list[str]:
        """List the id of a completion of each conversation, the latest conversation first.

        Only those of `least` requests, and at most `limit`.
        """
        return self.read(partial(list_conversations, limit=limit, least=least))

    def find_prompt_difference(
        self, earlier: str, later: str, *, beyond_system: bool = False
    ) -> PromptDifference | None:
        """Find where the prompts of two completions part; None if one is not here."""
        find = partial(
            find_prompt_difference, earlier=earlier, later=later, beyond_system=beyond_system
        )
        return self.read(find)

    def list_stored_before(self, time: int, *, without: Collection[str] = ()) -> list[str]:
        """List the ids of the oldest completions that were stored before `time`, some at once.

        Those of `without`, which are few, are left out.
        """
        with self.connect() as connection:
            binds = {"time": time, "rows": ROWS_AT_ONCE + len(without)}
            ids = connection.execute(_STORED_BEFORE, binds).scalars()
            return [one for one in ids if one not in without]

    def list_messages(
        self, completion_id: str, page: PageRequest, *, as_given: bool = False
    ) -> JsonPage | None:
        """List a page of a completion's input messages; None if there is no completion.

        Raise `UnknownCursor` if `page.after` is not the id of one of its messages.
        """
        # Our own pages keep more than the answers that they are made of.
        if as_given:
            return read_messages(self._database, completion_id, page, as_given=True)
        return self._pages.read(self._database, completion_id, page)

    def add(self, completions: Sequence[CompletionRecord]) -> list[Outcome]:
        """Add completions in one transaction and return the outcome of each, in their order.

        Nothing is overwritten: adding the same content again changes nothing, and other content
        under a stored id is a conflict.
        """

        def transact() -> list[Outcome]:
            with self._database.writer.begin() as connection:
                facts = [one.facts for one in completions]
                pairs = [one.metadata for one in completions]
                lock_conversations(connection, facts, pairs, self._keys)
                seqs = reserve_seqs(connection, len(completions))
                outcomes = dict.fromkeys(range(len(completions)), Outcome.ADDED)
                # Two batches that share ids wait for each other in this order, which has no circle.
                for at in sorted(outcomes, key=lambda at: completions[at].id):
                    outcomes[at] = add_record(connection, completions[at], seqs[at])
                added = [
                    (seqs[at], one)
                    for at, one in enumerate(completions)
                    if outcomes[at] is Outcome.ADDED
                ]
                add_parts(connection, added)
                derived = [
                    Derived(seq, one.created, one.model, one.metadata, one.facts)
                    for seq, one in added
                ]
                write_derived(connection, derived, keys=self._keys)
                return list(outcomes.values())

        outcomes = retry_deadlocks(transact)
        self.added.set()
        return outcomes


def _find_place(connection: Connection, after: str, sort: str | None) -> ListCursor:
    """Find the place of a completion in a list. Raise `UnknownCursor` if it is not stored."""
    row = connection.execute(COMPLETION_CURSOR, {"after": index_text(after)}).one_or_none()
    if row is None:
        raise UnknownCursor(after)
    number = text(f"SELECT {sort} FROM facts WHERE completion = :seq") if sort else None
    value = None if number is None else connection.execute(number, {"seq": row.seq}).scalar()
    return ListCursor(value, row.created, row.seq)


def _write_completion(row: Any) -> str | None:
    given = row.given_json
    return None if given is None else write_as_given(given, row.wire_json, row.id)
