"""What the gateway remembers of a client's session: how far its batches are committed, and who holds it."""

from collections import OrderedDict
from typing import Generic, TypeVar

Holder = TypeVar("Holder")

REMEMBERED = 10_000


class Session(Generic[Holder]):
    """`last_committed`: every batch up to this sequence number is on disk; None before the first."""

    def __init__(self) -> None:
        self.last_committed: int | None = None
        self.holder: Holder | None = None
        self._ahead: set[int] = set()

    def begin(self, seq: int) -> None:
        """The first batch seen says where counting starts."""
        if self.last_committed is None:
            self.last_committed = seq - 1

    def committed(self, seq: int) -> None:
        self.begin(seq)
        self._ahead.add(seq)
        assert self.last_committed is not None
        while self.last_committed + 1 in self._ahead:
            self.last_committed += 1
            self._ahead.discard(self.last_committed)
        if len(self._ahead) > 1_000:  # a client that skips numbers; what it learns from us then is less, never wrong
            self._ahead.clear()


class Sessions(Generic[Holder]):
    """The most recently used sessions, by source and session id."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[str, str], Session[Holder]] = OrderedDict()

    def open(self, source: str, session_id: str) -> Session[Holder]:
        key = (source, session_id)
        session = self._sessions.pop(key, None) or Session()
        self._sessions[key] = session
        if len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)
        return session
