"""Which links were seen, and when first: 16 bytes per link, as sorted runs of hashes.

A link is known by 64 bits under a seed that is secret to this process. That two of n links meet, so that the later one
would be taken for known, has a probability of n^2 / 2^65: 3 in a million for 10^7 links.
"""

import secrets

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
Instants = npt.NDArray[np.int64]  # microseconds

NEVER = np.iinfo(np.int64).max
LARGEST_MERGE = 1 << 22


class KnownLinks:
    def __init__(self) -> None:
        self._seed = secrets.randbits(63)
        self._runs: list[tuple[Hashes, Instants]] = []

    def is_news(self, links: pl.DataFrame) -> pl.Series:
        """True for each link that is not known, or only for later."""
        return pl.Series(_instants(links) < self._first_at(self._hashes(links)))

    def add(self, links: pl.DataFrame) -> None:
        if links.height:
            self._runs.append(_sorted(self._hashes(links), _instants(links)))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]) <= LARGEST_MERGE:
            left, right = self._runs.pop(), self._runs.pop()
            self._runs.append(_sorted(np.concatenate([left[0], right[0]]), np.concatenate([left[1], right[1]])))

    def _first_at(self, asked: Hashes) -> Instants:
        earliest = np.full(len(asked), NEVER, np.int64)
        order = np.argsort(asked)  # sorted questions walk each run forward, which its cache likes
        ordered = asked[order]
        for hashes, first_at in self._runs:
            places = np.minimum(np.searchsorted(hashes, ordered), len(hashes) - 1)
            found = np.where(hashes[places] == ordered, first_at[places], NEVER)
            earliest[order] = np.minimum(earliest[order], found)
        return earliest

    def _hashes(self, links: pl.DataFrame) -> Hashes:
        text = pl.concat_str("source", "left_id", "right_id", separator="\0")
        return links.lazy().select(text.hash(self._seed)).collect().to_series().to_numpy()


def _sorted(hashes: Hashes, first_at: Instants) -> tuple[Hashes, Instants]:
    """By hash and instant, so that the first of a hash that repeats is its earliest."""
    order = np.lexsort((first_at, hashes))
    return hashes[order], first_at[order]


def _instants(links: pl.DataFrame) -> Instants:
    return links["first_at"].to_physical().to_numpy()
