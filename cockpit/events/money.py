"""Amounts: from the number on the wire to whole minor units, by decimal arithmetic.

Law: the result is the decimal of the number's shortest text times 10^places, rounded half to even; never float
multiplication.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999)
NUMERIC = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
LARGEST = 2**63 - 1
ABSURD = 10**12  # minor units: ten thousand million, far above any order in any currency
WHOLE = Decimal(1)


class Amount(NamedTuple):
    """Minor units, or None when it is no amount or does not fit the column; whether decimals were lost."""

    cents: int | None
    is_rounded: bool


NO_AMOUNT = Amount(None, is_rounded=False)


def to_decimal(number: object) -> Decimal | None:
    """The exact decimal of an integer, of a float's shortest text or of a numeric string; None for anything else."""
    if isinstance(number, bool):
        return None
    if isinstance(number, int):
        return Decimal(number) if -LARGEST <= number <= LARGEST else None
    text = repr(number) if isinstance(number, float) else number
    if isinstance(text, str) and NUMERIC.fullmatch(text := text.strip()):
        return Decimal(text)
    return None


def to_minor(number: object, places: int) -> Amount:
    """Minor units of a currency with so many decimal places."""
    decimal = to_decimal(number)
    return NO_AMOUNT if decimal is None else round_minor(decimal, places)


def round_minor(amount: Decimal, places: int) -> Amount:
    scaled = EXACT.scaleb(amount, places)
    whole = EXACT.quantize(scaled, WHOLE) if scaled.adjusted() < 20 else None
    if whole is None or not -LARGEST <= whole <= LARGEST:
        return NO_AMOUNT
    return Amount(int(whole), is_rounded=whole != scaled)


def cost_of_goods(items: object, own: object, places: int) -> int | None:
    """Minor units that the goods cost: of each item its unit cost times its quantity, else the event's own cost.

    None when the cost of any item is unknown and the event gives none.
    """
    if isinstance(items, list) and items:
        costs = [item_cost(item) for item in items]
        if None not in costs:
            total = sum((cost for cost in costs if cost is not None), start=Decimal(0))
            return round_minor(total, places).cents
    cost = to_decimal(own)
    return None if cost is None or cost < 0 else round_minor(cost, places).cents


def item_cost(item: object) -> Decimal | None:
    """Unit cost times quantity (1 when not given); None when it is unknown or negative."""
    if not isinstance(item, dict):
        return None
    quantity = item.get("quantity")
    cost, pieces = to_decimal(item.get("cost")), to_decimal(1 if quantity is None else quantity)
    return None if cost is None or pieces is None or cost < 0 or pieces < 0 else EXACT.multiply(cost, pieces)
