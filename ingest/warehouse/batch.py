"""A micro-batch: as many log entries as are there, up to a size, as two frames."""

from collections import deque
from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA, from_bytes
from ingest.log import Entry, EventLog, Kind

MOST_ROWS = 40_000  # two row groups of the store; larger batches cost memory and lag, smaller ones cost commits
MOST_BYTES = 8 * 1024**2
DAY_US = 86_400_000_000


class Batch(msgspec.Struct, frozen=True):
    """Rows in log order: `events` with position, row and received_day; `dead_letters` with position."""

    position: int
    appended_at: datetime  # of the oldest entry
    events: pl.DataFrame
    dead_letters: pl.DataFrame

    @property
    def size(self) -> int:
        return self.events.height + self.dead_letters.height


class BatchReader:
    """Reads ahead of what it hands out, so that a large read is cut into batches without reading twice."""

    def __init__(self, log: EventLog, position: int, most_rows: int = MOST_ROWS) -> None:
        self._log = log
        self._read = position
        self._most_rows = most_rows
        self._ahead: deque[Entry] = deque()

    def next(self) -> Batch | None:
        """The next entries of one received day, or None when the log has no more.

        One day per batch, judged by the first event of each entry: the memory of what was seen is cut at days.
        """
        if sum(entry.rows for entry in self._ahead) < self._most_rows:
            more = self._log.read(self._read, MOST_BYTES)
            self._ahead.extend(more)
            self._read = more[-1].position if more else self._read
        return _batch(self._take()) if self._ahead else None

    def _take(self) -> list[tuple[Entry, pl.DataFrame]]:
        taken: list[tuple[Entry, pl.DataFrame]] = []
        rows, day = 0, None
        while self._ahead and (not taken or rows + self._ahead[0].rows <= self._most_rows):
            frame = from_bytes(self._ahead[0].payload)
            received = frame["received_at"][0].date() if frame.height else day
            if day is not None and received != day:
                break
            taken.append((self._ahead.popleft(), frame))
            rows, day = rows + frame.height, received
        return taken


def _batch(taken: list[tuple[Entry, pl.DataFrame]]) -> Batch:
    events = _joined(taken, "events", EVENT_SCHEMA).with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        received_day=pl.col("received_at").to_physical() // DAY_US,
    )
    dead_letters = _joined(taken, "dead_letters", DEAD_LETTER_SCHEMA)
    return Batch(taken[-1][0].position, taken[0][0].appended_at, events, dead_letters)


def _joined(taken: list[tuple[Entry, pl.DataFrame]], kind: Kind, schema: pl.Schema) -> pl.DataFrame:
    """The frames of a kind with the position of the entry that each row came in."""
    chosen = [(entry.position, frame) for entry, frame in taken if entry.kind == kind]
    positions = np.repeat([position for position, _ in chosen], [frame.height for _, frame in chosen])
    rows = pl.concat([schema.to_frame(), *(frame for _, frame in chosen)])
    return rows.with_columns(pl.Series("position", positions, dtype=pl.Int64))
