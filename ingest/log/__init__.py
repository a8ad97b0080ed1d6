"""The log: the truth. What it holds was acknowledged; everything else can be made from it again.

Law: `append` returns after the commit is on disk, and what it returned for is read back in that order, until
retention removes it, which never passes a consumer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

Kind = Literal["events", "dead_letters"]


class Draft(msgspec.Struct, frozen=True):
    """A batch before the log has it; `payload` is `frame.to_bytes` of a frame with the schema of its kind."""

    kind: Kind
    rows: int
    payload: bytes


class Entry(msgspec.Struct, frozen=True):
    """A batch that the log has. Positions rise and are never used twice, not even after retention."""

    position: int
    kind: Kind
    rows: int
    appended_at: datetime
    payload: bytes


class Tail(msgspec.Struct, frozen=True):
    """What lies behind a position and is not read yet."""

    entries: int
    events: int
    oldest_at: datetime | None


class EventLog(Protocol):
    """Embedded: SQLite. Later the same protocol over a replicated stream."""

    @property
    def epoch(self) -> str:
        """Identity of this log; another one means that positions start over."""
        ...

    def append(self, drafts: Sequence[Draft], now: datetime) -> int:
        """Position of the last draft, after one commit of all is on disk; LogUnwritable if it is not."""
        ...

    def read(self, after: int, max_bytes: int) -> list[Entry]:
        """Entries behind `after` in order: at least one if there is one, then up to about `max_bytes`."""
        ...

    def tail(self, after: int) -> Tail: ...

    def confirm(self, consumer: str, position: int) -> None:
        """The consumer has what lies up to `position`: retention may take it.

        A consumer that starts over says so by a lower position, and retention waits for it again.
        """
        ...

    def expire(self, now: datetime) -> int:
        """Entries removed because they are over the kept age or size and confirmed by every consumer."""
        ...

    def close(self) -> None: ...
