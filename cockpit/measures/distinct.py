"""Exact distinct counts that grow by what is new: 64-bit keys in an open-addressing table of numpy arrays.

Law: `ids` gives the same id for the same key for ever, and ids are 0, 1, 2, ... without a gap. Two of 10^7 keys meet by
chance with a probability of 3 in a million. 16 to 24 bytes per key (a Python set takes about 70).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import compress

import numpy as np
import numpy.typing as npt
import polars as pl

from cockpit.measures.keys import Mask, Values, Words

FREE = -1
ALL = "all"


class Directory:
    """Keys and their ids."""

    def __init__(self) -> None:
        self._size = 0
        self._keys: Words = np.zeros(512, np.uint64)
        self._table: npt.NDArray[np.int32] = np.full(1024, FREE, np.int32)

    def __len__(self) -> int:
        return self._size

    def keys(self) -> Words:
        """By id."""
        return self._keys[: self._size]

    def ids(self, keys: Words) -> tuple[Values, Mask]:
        """The id of each key and whether it is new; of keys that repeat in the call, the first is the new one."""
        self._make_room(len(keys))
        ids, is_new = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        rows, places = np.arange(len(keys)), self._home(keys)
        while len(rows):
            held = self._table[places]
            claimed = rows[held == FREE]
            if len(claimed):
                self._claim(claimed, places[held == FREE], keys, is_new)
                held = self._table[places]
            same = self._keys[held] == keys[rows]
            ids[rows[same]] = held[same]
            rows, places = rows[~same], (places[~same] + 1) & (len(self._table) - 1)
        return ids, is_new

    def has(self, keys: Words) -> Mask:
        """Which keys have an id."""
        found = np.zeros(len(keys), np.bool_)
        rows, places = np.arange(len(keys)), self._home(keys)
        while len(rows):
            held = self._table[places]
            same = (held != FREE) & (self._keys[held] == keys[rows])
            found[rows[same]] = True
            going = (held != FREE) & ~same
            rows, places = rows[going], (places[going] + 1) & (len(self._table) - 1)
        return found

    def _claim(self, rows: Values, places: Values, keys: Words, is_new: Mask) -> None:
        """Give each free place to the first row that asked for it; the others will find it taken."""
        won = self._race(places)
        rows, places = rows[won], places[won]
        ids = np.arange(self._size, self._size + len(rows))
        self._keys[ids], self._table[places] = keys[rows], ids
        is_new[rows] = True
        self._size += len(rows)

    def _race(self, places: Values) -> Mask:
        """True for the first of those that want the same place; of repeated places numpy keeps the last assigned."""
        marks = np.arange(len(places), dtype=np.int32)
        self._table[places[::-1]] = marks[::-1]
        won: Mask = self._table[places] == marks
        return won

    def _home(self, keys: Words) -> Values:
        return (keys & np.uint64(len(self._table) - 1)).astype(np.int64)

    def _make_room(self, more: int) -> None:
        needed = self._size + more
        if needed > len(self._keys):
            grown = np.zeros(max(needed, 2 * len(self._keys)), np.uint64)
            grown[: self._size] = self._keys[: self._size]
            self._keys = grown
        if 2 * needed > len(self._table):
            known, self._size = self._keys[: self._size].copy(), 0
            self._table = np.full(1 << (2 * needed).bit_length(), FREE, np.int32)
            self._place(known)

    def _place(self, known: Words) -> None:
        """Known keys, in order, into an empty table: ids stay what they were."""
        ids, places = np.arange(len(known), dtype=np.int32), self._home(known)
        self._size = len(known)
        while len(ids):
            free = self._table[places] == FREE
            asking, wanted = ids[free], places[free]
            won = self._race(wanted)
            self._table[wanted[won]] = asking[won]
            placed = self._table[places] == ids
            ids, places = ids[~placed], (places[~placed] + 1) & (len(self._table) - 1)


class Distinct:
    """How many different values each group has seen, and all groups together under `all`."""

    def __init__(self) -> None:
        self._directory = Directory()
        self.counts: dict[str, int] = {}

    def saw(self, groups: Sequence[str], in_group: Words, in_all: Words) -> None:
        """Count values: the group of each, its `key_of` within the group and over all groups."""
        _, new_in_group = self._directory.ids(in_group)
        if not new_in_group.any():
            return
        for group, more in Counter(compress(groups, new_in_group.tolist())).items():
            self.counts[group] = self.counts.get(group, 0) + more
        # What is new to all groups is new to its own.
        _, new_in_all = self._directory.ids(in_all[new_in_group])
        self.counts[ALL] = self.counts.get(ALL, 0) + int(new_in_all.sum())

    def unite(self, group: str, former: Words, now: Words) -> None:
        """Values of a group that turned out to be one: who was counted as both counts once from now on."""
        had_former, had_now = self._directory.has(former), self._directory.has(now)
        self._directory.ids(now[had_former & ~had_now])
        if twice := int((had_former & had_now).sum()):
            self.counts[group] -= twice


def key_of(*columns: str) -> pl.Expr:
    """One 64-bit key per row."""
    return pl.struct(columns).hash(len(columns))  # the number of columns keeps (value) and (group, value) apart
