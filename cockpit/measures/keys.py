"""What was seen: a set of 128-bit keys with their values, 16 bytes and 8 per value, partitioned by received day.

Laws: a key is seen on a day if it was added on that day or at most `days` days before it (tested against a dict);
when days are dropped, only answers for days that have passed change.
"""

import secrets
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Words = npt.NDArray[np.uint64]
Values = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LARGEST_MERGE = 1 << 22  # keys; larger runs stay apart, which bounds the pause and the memory of a merge


class Keys(NamedTuple):
    """128-bit keys as two columns."""

    high: Words
    low: Words

    def take(self, rows: npt.NDArray[np.int64] | Mask) -> "Keys":
        return Keys(self.high[rows], self.low[rows])


class Hasher:
    """Keyed: the seeds are secret to this process, so no sender can choose ids that meet on purpose.

    Two 64-bit hashes under independent seeds; 10^9 keys meet by chance with a probability below 10^-20.
    """

    def __init__(self, seeds: tuple[int, int] | None = None) -> None:
        self._high, self._low = seeds or (secrets.randbits(63), secrets.randbits(63))

    def keys(self, frame: pl.DataFrame, *columns: str) -> Keys:
        """One key per row from the text of the columns; null is a text of its own."""
        text = pl.concat_str([pl.col(column).fill_null("\1") for column in columns], separator="\0")
        hashed = frame.lazy().select(text.alias("text")).select(
            pl.col("text").hash(self._high).alias("high"), pl.col("text").hash(self._low).alias("low")
        ).collect()  # fmt: skip
        return Keys(hashed["high"].to_numpy(), hashed["low"].to_numpy())


class Run(NamedTuple):
    """Keys sorted by their high word, with their values."""

    keys: Keys
    values: Values


class KeyIndex:
    """A log-structured merge of sorted runs per day: adding costs O(log) merges, finding one search per run."""

    def __init__(self, days: int | None, shape: tuple[int, ...] = ()) -> None:
        """`days` before the asked one that still count; None: all. `shape` of a key's value: () for one number."""
        self._days = days
        self._shape = shape
        self._runs: dict[int, list[Run]] = {}

    def __len__(self) -> int:
        return sum(len(run.values) for runs in self._runs.values() for run in runs)

    def first_seen(self, keys: Keys, days: Values) -> Mask:
        """True for each key that the index does not know on its day and that stands for the first time in `keys`.

        `days` of one call may not lie further apart than the index remembers.
        """
        _, found = self.find(keys, days)
        return ~found & _first_of_each(keys)

    def find(self, keys: Keys, days: Values) -> tuple[Values, Mask]:
        """The value of each key (0 where there is none) and whether there is one, as seen from the key's day."""
        values, found = np.zeros((len(days), *self._shape), np.int64), np.zeros(len(days), np.bool_)
        for day in _distinct(days):
            rows = np.flatnonzero(days == day)
            order = rows[np.argsort(keys.high[rows])]  # sorted questions walk each run forward, which its cache likes
            asked = keys.take(order)
            for run in self._seen_on(day):
                hits, places = _search(run.keys, asked)
                values[order[hits]], found[order[hits]] = run.values[places], True
        return values, found

    def add(self, keys: Keys, values: Values, days: Values) -> None:
        """Keys that are not in the index yet."""
        for day in _distinct(days):
            rows = days == day
            runs = self._runs.setdefault(day, [])
            runs.append(_sorted(keys.take(rows), values[rows]))
            while len(runs) > 1 and len(runs[-2].values) < 2 * len(runs[-1].values) <= LARGEST_MERGE:
                runs[-2:] = [_merged(runs[-2], runs[-1])]

    def forget_before(self, day: int) -> None:
        """Drop what no question for `day` or the day before it (a clock may step back) can see."""
        if self._days is not None:
            for old in [kept for kept in self._runs if kept < day - self._days - 1]:
                del self._runs[old]

    def _seen_on(self, day: int) -> Iterable[Run]:
        for kept, runs in self._runs.items():
            if self._days is None or kept >= day - self._days:
                yield from runs


def _distinct(days: Values) -> list[int]:
    if len(days) and days.min() == days.max():
        return [int(days[0])]
    return [int(day) for day in np.unique(days)]


def _sorted(keys: Keys, values: Values) -> Run:
    order = np.argsort(keys.high)
    return Run(keys.take(order), values[order])


def _merged(left: Run, right: Run) -> Run:
    keys = Keys(np.concatenate([left.keys.high, right.keys.high]), np.concatenate([left.keys.low, right.keys.low]))
    order = np.argsort(keys.high, kind="stable")  # a merge of two sorted halves
    return Run(keys.take(order), np.concatenate([left.values, right.values])[order])


def _search(run: Keys, asked: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of `asked` that are in the run, and their places in it."""
    places = np.searchsorted(run.high, asked.high).astype(np.int64)
    rows = np.arange(len(places))
    hits: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    while len(rows):  # a second round only for keys that share their high word with another
        inside = places < len(run.high)
        rows, places = rows[inside], places[inside]
        same = run.high[places] == asked.high[rows]
        rows, places = rows[same], places[same]
        equal = run.low[places] == asked.low[rows]
        hits.append((rows[equal], places[equal]))
        rows, places = rows[~equal], places[~equal] + 1
    return np.concatenate([hit[0] for hit in hits] or [rows]), np.concatenate([hit[1] for hit in hits] or [places])


def _first_of_each(keys: Keys) -> Mask:
    order = np.argsort(keys.high)
    repeats = keys.high[order[1:]] == keys.high[order[:-1]]
    if not repeats.any():
        return np.ones(len(order), np.bool_)
    frame = pl.DataFrame({"high": keys.high, "low": keys.low})
    return frame.select(pl.struct("high", "low").is_first_distinct()).to_series().to_numpy()
