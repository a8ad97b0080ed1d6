"""How the rules ask the warehouse: one thing at a time, each for a few seconds at most, and a round not for ever."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cockpit.store.database import Database, QueryFailed
from cockpit.store.reader import read

LONGEST = timedelta(seconds=5)
LONGEST_ROUND = timedelta(seconds=15)


class Asking:
    """Named reads on a connection of its own. Used by one thread.

    What failed is not asked again in the same round, nor is anything asked when the round's time is over.
    """

    def __init__(
        self, cursor: Database, zone: ZoneInfo, monotonic: Callable[[], float], longest: timedelta = LONGEST
    ) -> None:
        self._cursor = cursor
        self._zone = zone
        self._monotonic = monotonic
        self._longest = longest
        self._ends_at = 0.0
        self._failed: dict[str, str] = {}

    def begin(self) -> None:
        """A new round."""
        self._ends_at = self._monotonic() + LONGEST_ROUND.total_seconds()
        self._failed.clear()

    def __call__(self, name: str, **params: Any) -> pl.DataFrame:
        """The answer; QueryFailed: there is none in time."""
        key = f"{name} {params}"
        if key in self._failed:
            raise QueryFailed(self._failed[key])
        if self._monotonic() >= self._ends_at:
            raise QueryFailed(f"{name}: the round has no time left")
        try:
            with self._cursor.limited(self._longest):
                return read(self._cursor, name, params, self._zone)
        except QueryFailed as error:
            self._failed[key] = str(error)
            raise
