"""Columns of money: the ordinary amounts at once, the others one by one by the rule of `cockpit.events.money`."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cockpit.events.frame import Flag
from cockpit.events.money import ABSURD, cost_of_goods, to_minor

NAN = float("nan")
QUICK = 1e12  # below it an amount in hundredths has at most 15 digits
MANY_PIECES = 100_000
DEAR = 10**9  # minor units of one piece; with these two bounds no sum of an event of 32 KiB leaves 64 bits
CENTS = 2
FLAGGED, ROUNDED = int(Flag.VALUE_FLAGGED), int(Flag.VALUE_ROUNDED)

Floats = npt.NDArray[np.float64]


class Amounts(NamedTuple):
    """Minor units of each event, None when unknown, and its flags."""

    cents: list[int | None]
    flags: list[int]


def quick_cents(numbers: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Hundredths, and where they are exactly the decimal that the number's shortest text says.

    If `cents / 100` is the number and cents has at most 15 digits, then the decimal cents/100 reads back as this
    float; a float has at most one decimal of up to 15 significant digits (C's DBL_DIG), so the shortest text is that
    decimal.
    """
    numbers = np.where(np.abs(numbers) < QUICK, numbers, NAN)
    hundredths = np.rint(numbers * 100)
    exact = hundredths / 100 == numbers
    return np.where(exact, hundredths, 0).astype(np.int64), exact


def values_to_minor(values: Sequence[object], places: Sequence[int | None]) -> Amounts:
    """Amounts of events. `places` of the currency are None when it is unknown: then the amount is null and flagged."""
    floats = np.array([value if type(value) is float else NAN for value in values], dtype=np.float64)
    quick, exact = quick_cents(floats)
    cents: list[int | None] = quick.tolist()
    flags = np.where((quick < 0) | (quick > ABSURD), FLAGGED, 0).tolist()
    if set(places) != {CENTS}:
        exact &= np.array([place == CENTS for place in places])
    for at in np.flatnonzero(~exact).tolist():
        cents[at], flags[at] = value_to_minor(values[at], places[at])
    return Amounts(cents, flags)


def value_to_minor(value: object, places: int | None) -> tuple[int | None, int]:
    if value is None:
        return None, 0
    if places is None:
        return None, FLAGGED
    cents, is_rounded = to_minor(value, places)
    is_odd = cents is None or not 0 <= cents <= ABSURD
    return cents, (FLAGGED if is_odd else 0) | (ROUNDED if is_rounded else 0)


def costs_to_minor(items: Sequence[object], own: Sequence[object], places: Sequence[int | None]) -> list[int | None]:
    """Cost of the goods of each event: of its items, else its own."""
    lists: list[list[Any]] = [some if type(some) is list else [] for some in items]
    try:
        flat = list(chain.from_iterable(lists))
        costs = [item.get("cost") for item in flat]
        pieces = [item.get("quantity", 1) for item in flat]
    except AttributeError:  # an item that is no object
        return [cost_of(*event) for event in zip(items, own, places, strict=True)]
    quick, exact = quick_cents(np.array([cost if type(cost) is float else NAN for cost in costs], dtype=np.float64))
    counts = np.array([n if type(n) is int and 0 <= n < MANY_PIECES else -1 for n in pieces], dtype=np.int64)
    good = exact & (counts >= 0) & (quick >= 0) & (quick < DEAR)
    lengths = np.array([len(some) for some in lists], dtype=np.int64)
    ends = np.cumsum(lengths)
    totals = running(quick * counts * good)
    good_until = running(good)
    starts = ends - lengths
    is_quick = (good_until[ends] - good_until[starts] == lengths) & (lengths > 0)
    sums: list[int | None] = (totals[ends] - totals[starts]).tolist()
    if set(places) != {CENTS}:
        is_quick &= np.array([place == CENTS for place in places])
    for at in np.flatnonzero(~is_quick).tolist():
        sums[at] = cost_of(items[at], own[at], places[at])
    return sums


def cost_of(items: object, own: object, places: int | None) -> int | None:
    return None if places is None else cost_of_goods(items, own, places)


def running(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Sums of the first 0, 1, ... values."""
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
