"""Find the secrets and personal data of a JSON value, and mask each wherever it occurs in it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain
from typing import Final

from webapp.exact_json import Value, parse
from webapp.redaction.base64_texts import iter_base64, iter_escaped_base64
from webapp.redaction.decoding import has_escapes, iter_decoded
from webapp.redaction.detecting import Detected, detect
from webapp.redaction.documents import Rewriter, Step, apply_edits, list_segments
from webapp.redaction.dumps import iter_dumps
from webapp.redaction.masking import write_mask
from webapp.redaction.rules.kinds import GENERAL_KINDS, is_made
from webapp.redaction.spreading import SHORTEST, Known

_MAX_IN_NAME: Final = 40
_PART: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,4096}(?![A-Za-z0-9+/_-])={0,2}")
UNSEARCHED: Final = write_mask("unsearched-data")
"""The mask of archives, and of data too long to be unpacked and searched."""

REDACTION_VERSION: Final = 20
"""Counts up when a rule finds more or less than before."""


@dataclass(frozen=True, slots=True)
class SecretFinding:
    """A secret or a personal detail, with all its places in a value.

    `id` is a digest of its text with the key of the `Redactor`, of no use without that key. `paths`
    are the JSON pointers of the strings that hold it; they go on into the JSON that a string holds.
    `text` is only for the maker, who decides.
    """

    id: str
    kind: str
    text: str = field(repr=False)
    paths: tuple[str, ...]
    count: int
    is_kept: bool

    @property
    def path(self) -> str:
        """The first of the paths."""
        return self.paths[0]


WORD: Final = "word"
"""The kind of the maker's own words."""


class Redactor:
    """Finds and masks; the same for every output of a share.

    `words` are masked as well, secret or not; `keep` are the ids of findings that stay. `kinds`
    are the kinds to look for, by default all. Ids are the same under the same `key`; without one
    they are valid for this object only.
    """

    def __init__(
        self,
        words: Collection[str] = (),
        keep: Collection[str] = (),
        kinds: Collection[str] | None = None,
        *,
        key: bytes | None = None,
    ) -> None:
        self.words: Final = tuple(
            re.compile(r"\s{1,9}".join(map(re.escape, word.split())), re.IGNORECASE)
            for word in (unicodedata.normalize("NFC", word) for word in words)
            if word.strip()
        )
        self.keep: Final = frozenset(keep)
        self.kinds: Final = None if kinds is None else frozenset(kinds)
        self._key = key or secrets.token_bytes(32)

    def scan(self, value: Value) -> Scan:
        """Find everything in `value`."""
        return Scan(value, self)

    def redact(self, value: Value) -> Value:
        """Mask everything in `value` that is not kept."""
        return Scan(value, self).redact(value)

    def identify(self, text: str) -> str:
        """Compute the id of a finding."""
        return hmac.new(
            self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()[:24]


@lru_cache(maxsize=8192)
def _holds_nothing(text: str) -> bool:
    """Return whether a name of a member, which many values have, holds no secret of any kind."""
    return not (
        has_escapes(text) or any(detect(text)) or any(iter_base64(text)) or any(iter_dumps(text))
    )


class Scan:
    """All secrets of a value, by which it or any part of it can be masked.

    A part is masked by the findings of the whole: a password that is named in one message is masked
    in the next one too, where it has no name.
    """

    def __init__(self, value: Value, redactor: Redactor) -> None:
        self._redactor = redactor
        self._value = value
        self._detected: dict[tuple[str, str], tuple[Detected, ...]] = {}
        self._found: dict[tuple[str, str], list[Detected]] = {}
        self._plain: set[tuple[str, str]] = set()
        self.unencoded: Final[set[str]] = set()
        self._finds = 0
        self._kinds: dict[str, str] = {}
        self._known = Known(())
        self._counts: dict[str, _Count] = {}
        self._has_unread = False
        # The first pass finds the secrets of each text by itself.
        Rewriter(_Editor(self, masks=False)).rewrite(value)
        self._known = Known(self._kinds, (text for text, _ in self._detected))
        if any(self._detected.values()) or redactor.words:
            # The second one finds all places of the secrets that are known now.
            Rewriter(_Editor(self, masks=True, counts=self._counts)).rewrite(value)

    @property
    def findings(self) -> tuple[SecretFinding, ...]:
        """The findings in the order of first appearance, kept or not."""
        return tuple(
            SecretFinding(
                id=count.id,
                kind=count.kind,
                text=text,
                paths=tuple(self._write_path(step) for step in count.steps),
                count=count.count,
                is_kept=count.is_kept,
            )
            for text, count in self._counts.items()
        )

    def redact(self, value: Value) -> Value:
        """Mask `value`, the scanned one or a part of it."""
        if value is self._value and not self._counts and not self._has_unread:
            return value
        source = Rewriter(_Editor(self, masks=True)).rewrite(value)
        return value if source == value.source else parse(source)

    def redact_text(self, text: str) -> str:
        """Mask a text that goes with the value, as a title or a file's name."""
        return Rewriter(_Editor(self, masks=True)).rewrite_text(text)

    def _write_path(self, step: Step) -> str:
        """Write the JSON pointer of a string, the names in it masked."""
        names = (
            str(segment).replace("~", "~0").replace("/", "~1") for segment in list_segments(step)
        )
        return self.redact_text("".join(f"/{name}" for name in names))

    def detect(self, text: str, name: str) -> tuple[Detected, ...]:
        """Find the secrets of one text alone, and remember them."""
        known = self._detected.get((text, name))
        if known is None:
            kinds = self._redactor.kinds
            known = tuple(one for one in detect(text, name) if kinds is None or one.kind in kinds)
            self._detected[text, name] = known
            for one in known:
                if one.spreads and len(one.text) >= SHORTEST:
                    self._remember_kind(one.text, one.kind)
                    # Some parts are keys alone: lines of a private key, and cookies.
                    for part in _PART.findall(one.text):
                        if len(part) < len(one.text) and is_made(part):
                            self._remember_kind(part, one.kind)
        self._finds += bool(known)
        return known

    def _remember_kind(self, secret: str, kind: str) -> None:
        """Remember a secret; the kind that says most of it is its kind everywhere."""
        known = self._kinds.get(secret, kind)
        self._kinds[secret] = min(known, kind, key=lambda one: (one in GENERAL_KINDS, one))

    def find_kind(self, one: Detected) -> str:
        """Find the kind that a secret has in the whole value."""
        return self._kinds.get(one.text, one.kind)

    @property
    def finds(self) -> int:
        """The number of texts so far that need a second look: with secrets, or with base64."""
        return self._finds

    @property
    def hides(self) -> bool:
        """Whether a finding is masked."""
        return any(not count.is_kept for count in self._counts.values())

    def remember_plain(self, text: str, name: str) -> None:
        """Remember that nothing was found in a text; one with escapes is searched each time."""
        if not has_escapes(text):
            self._plain.add((text, name))

    def note_base64(self, *, is_unread: bool) -> None:
        """Take notice that the last text holds another one, which may be too long to be read."""
        self._finds += 1
        self._has_unread |= is_unread

    def is_plain(self, text: str, name: str) -> bool:
        """Return whether there is nothing to mask in a text, as far as that is known."""
        found_nothing = (text, name) in self._plain or (
            not name and len(text) <= _MAX_IN_NAME and _holds_nothing(text)
        )
        words = self._redactor.words
        if not found_nothing or not (self._kinds or words):
            return found_nothing
        return next(self._known.search(text), None) is None and not any(
            word.search(text) for word in words
        )

    def find_all(self, text: str, name: str) -> list[Detected]:
        """Find the secrets of a text, with those that are known from elsewhere, in their order."""
        found = set(self.detect(text, name))
        if (text, name) in self._found:
            return self._found[text, name]
        for decoded in iter_decoded(text):
            for start, end, secret in self._known.search(decoded.text):
                place = decoded.locate(start, end)
                found.add(Detected(self._kinds[secret], *place, secret, True))
            for word in self._redactor.words:
                for match in word.finditer(decoded.text):
                    place = decoded.locate(*match.span())
                    found.add(Detected(WORD, *place, match[0], True))
        self._found[text, name] = sorted(
            found, key=lambda one: (one.start, -one.end, one.kind, one.text)
        )
        return self._found[text, name]

    def identify(self, secret: str) -> tuple[str, bool]:
        """Compute the id of a secret, and look up whether it is kept."""
        known = self._redactor.identify(secret)
        return known, known in self._redactor.keep


@dataclass(slots=True)
class _Count:
    """How often a secret occurs, and in which strings."""

    id: str
    kind: str
    is_kept: bool
    count: int = 0
    steps: list[Step] = field(default_factory=list)


class _Editor:
    """Detects for a scan, or masks by it; `counts` are filled if there are any."""

    def __init__(self, scan: Scan, *, masks: bool, counts: dict[str, _Count] | None = None) -> None:
        self._scan = scan
        self._masks = masks
        self._counts = counts
        self._inside = 0
        self.is_plain = scan.is_plain
        self.remember_plain = scan.remember_plain

    @property
    def finds(self) -> int:
        return self._scan.finds

    @property
    def hides(self) -> bool:
        return self._masks and self._scan.hides

    def edit_text(self, text: str, step: Step, name: str) -> str:
        edits = self._list_edits(text, step, name)
        return apply_edits(text, edits) if edits else text

    def edit_pieces(self, pieces: Sequence[str], step: Step) -> list[str]:
        text = "".join(pieces)
        ends = list(accumulate(map(len, pieces)))
        edits = self._list_edits(text, step, "")
        new = list(pieces)
        for start, end, mask in sorted(edits, reverse=True):
            first = bisect_right(ends, start)
            last = bisect_right(ends, end - 1)
            for number in range(last, first - 1, -1):
                begin = ends[number] - len(pieces[number])
                piece = new[number]
                before = piece[: max(start - begin, 0)]
                after = piece[end - begin :] if number == last else ""
                new[number] = before + (mask if number == first else "") + after
        return new

    def edit_number(self, number: str, step: Step, name: str) -> str:
        if len(number) < SHORTEST or self.is_plain(number, name):
            return number
        before = self.finds
        edits = self._find_edits(number, step, name)
        if self.finds == before:
            self.remember_plain(number, name)
        return apply_edits(number, edits) if edits else number

    def _list_edits(self, text: str, step: Step, name: str) -> list[tuple[int, int, str]]:
        """List the edits of a text and of those in base64 in it, none within another one."""
        edits = self._find_edits(text, step, name)
        encoded = self._edit_base64(text, edits, step, name)
        apart = [
            one
            for one in edits
            if not any(start <= one[0] and one[1] <= end for start, end, _ in encoded)
        ]
        return [*apart, *encoded]

    def _find_edits(self, text: str, step: Step, name: str) -> list[tuple[int, int, str]]:
        """List the places to mask, each with its mask; none while detecting."""
        if not self._masks:
            self._scan.detect(text, name)
            return []
        edits: list[tuple[int, int, str]] = []
        length = 0
        counted: set[tuple[str, int]] = set()
        reached = -1
        for one in self._scan.find_all(text, name):
            if one.end <= reached and (one.text, one.start) not in counted:
                # It is a part of another one, which decides.
                continue
            reached = max(reached, one.end)
            is_new = (one.text, one.start) not in counted
            counted.add((one.text, one.start))
            if self._is_kept(one, step, counts=is_new):
                continue
            mask = write_mask(self._scan.find_kind(one))
            if not edits or one.start >= edits[-1][1]:
                edits.append((one.start, one.end, mask))
                length = one.end - one.start
            else:
                start, end, kept = edits[-1]
                if one.end - one.start > length:
                    length, kept = one.end - one.start, mask
                edits[-1] = start, max(end, one.end), kept
        return edits

    def _is_kept(self, one: Detected, step: Step, *, counts: bool) -> bool:
        known, is_kept = self._scan.identify(one.text)
        if self._counts is not None and counts:
            kind = self._scan.find_kind(one)
            count = self._counts.setdefault(one.text, _Count(known, kind, is_kept))
            count.count += 1
            if not count.steps or count.steps[-1] is not step:
                count.steps.append(step)
        return is_kept

    def _edit_base64(
        self, text: str, edits: Sequence[tuple[int, int, str]], step: Step, name: str
    ) -> list[tuple[int, int, str]]:
        """List the edits of the texts in base64 within a text; decode twice at most."""
        if self._inside == 2 or text in self._scan.unencoded:
            return []
        found: list[tuple[int, int, str]] = []
        taken = sorted((start, end) for start, end, _ in edits)
        self._inside += 1
        is_unencoded = True
        # Dumps and those with escapes first: they go beyond their pieces without.
        for one in chain(iter_dumps(text), iter_escaped_base64(text), iter_base64(text)):
            is_unencoded = False
            self._scan.note_base64(is_unread=one.is_unread)
            before = bisect_left(taken, (one.end,))
            if before and taken[before - 1][1] > one.start:
                first = bisect_right([end for _, end in taken], one.start)
                is_around = taken[first][0] >= one.start and taken[before - 1][1] <= one.end
                if not (one.is_shown and is_around):
                    continue
            new = UNSEARCHED
            if not one.is_unread:
                new = Rewriter(self).rewrite_text(one.text, step, name)
                is_mask = new.startswith("[masked: ") and new.find("]") == len(new) - 1
                if new == one.text:
                    continue
                new = UNSEARCHED if one.is_binary else new if is_mask else one.encode(new)
            found.append((one.start, one.end, new))
            taken.insert(before, (one.start, one.end))
        self._inside -= 1
        if is_unencoded:
            self._scan.unencoded.add(text)
        return found
