"""What people and pipelines say has changed, and what alerts make of it beside what experiments did."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from cockpit.alerts.nearby import Annotation, Instant, Marker, Noting, annotation_of, markers
from cockpit.clock import Clock
from cockpit.errors import CallerError
from cockpit.events.frame import INSTANT
from ingest.warehouse.flight import Action, Serve
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import MAY_ACT, Registry

SCHEMA = pl.Schema({"at": INSTANT, "text": pl.String(), "kind": pl.String(), "by": pl.String(), "role": pl.String()})


class Between(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `start` up to, not including, `end`; ISO 8601 with an offset."""

    start: Instant
    end: Instant


class Annotations:
    """Used by any thread; the journal is its own connection. What a caller holds never changes."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._turn = threading.Lock()
        self._all: tuple[Annotation, ...] = tuple(journal.annotations())

    def all(self) -> Sequence[Annotation]:
        """In the order in which they were said."""
        return self._all

    def note(self, noting: Noting) -> Annotation:
        """As it is kept, when it is on disk; CallerError when the role may not, or it says nothing that may be kept."""
        if noting.role not in MAY_ACT:
            raise CallerError(f"the role {noting.role!r} may not annotate; {' and '.join(MAY_ACT)} may")
        now = self._clock()
        annotation = annotation_of(noting, now)
        with self._turn:
            self._journal.note(annotation, now)
            self._all = (*self._all, annotation)
        return annotation

    def between(self, start: datetime, end: datetime) -> pl.DataFrame:
        """What happened from `start` up to, not including, `end`, oldest first."""
        rows = [msgspec.structs.asdict(each) for each in self._all if start <= each.at < end]
        return pl.DataFrame(rows, schema=SCHEMA).sort("at", maintain_order=True)


def markers_of(annotations: Annotations, registry: Registry) -> Callable[[], Sequence[Marker]]:
    """The changes that alerts may name; made again only after something was said or decided. Used by one thread."""
    known: tuple[tuple[int, int], tuple[Marker, ...]] = ((-1, -1), ())

    def look() -> Sequence[Marker]:
        nonlocal known
        said, decided = annotations.all(), registry.entries()
        size = (len(said), len(decided))
        if size != known[0]:
            known = size, markers(said, decided)
        return known[1]

    return look


def annotation_actions(annotations: Annotations) -> Mapping[str, Action]:
    def annotate(body: bytes) -> Mapping[str, object]:
        """Notes that something changed in the business: a deploy, a campaign, other content."""
        kept = annotations.note(msgspec.json.decode(body, type=Noting))
        return {"at": kept.at, "text": kept.text, "kind": kept.kind}

    return {"annotate": annotate}


def annotation_reads(annotations: Annotations) -> Mapping[str, Serve]:
    def between(params: Mapping[str, Any]) -> pl.DataFrame:
        asked = msgspec.convert(params, Between)
        return annotations.between(asked.start, asked.end)

    return {"annotations": between}
