"""The tape: happenings written in any order, read in the order of their time."""

from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Any, NamedTuple


class Happening(NamedTuple):
    """One event as its sender would send it; `at_us` is its `timestamp`."""

    at_us: int
    message: dict[str, Any]


class Tape:
    """Gives every message its id, unique as long as `run` is."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.written = 0
        self._ahead: list[tuple[int, int, dict[str, Any]]] = []
        self._second = -1
        self._second_text = ""

    def track(self, at_us: int, ids: dict[str, str], event: str, properties: dict[str, Any]) -> str:
        """Write an event; its message id."""
        return self.write(at_us, {"type": "track", "event": event, **ids, "properties": properties})

    def write(self, at_us: int, message: dict[str, Any]) -> str:
        self.written += 1
        message_id = f"{self.run}-{self.written}"
        message["messageId"] = message_id
        heappush(self._ahead, (at_us, self.written, message))
        return message_id

    def read(self, before_us: int) -> list[Happening]:
        """Take off what happens before an instant, oldest first. Nothing may be written before it afterwards."""
        taken = []
        while self._ahead and self._ahead[0][0] < before_us:
            at_us, _, message = heappop(self._ahead)
            message["timestamp"] = self._timestamp(at_us)
            taken.append(Happening(at_us, message))
        return taken

    def _timestamp(self, at_us: int) -> str:
        second, rest_us = divmod(at_us, 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._second_text}{rest_us // 1000:03}Z"
