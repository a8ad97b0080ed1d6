"""Numbers as people read them, in Portuguese and English. `cockpit/ui/live/format.js` is its twin in the browser.

Laws: missing or NaN is a dash, never 0. Round first and sign afterwards, so that zero is never signed. ASCII minus.
Units are kept on their number's line by a no-break space.
"""

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

MISSING = "—"
SPACE = "\u00a0"
DECIMALS_OF_MONEY = 2

Number = int | float


class Marks(NamedTuple):
    decimal: str
    group: str
    units: tuple[str, ...]  # thousand, million, billion, trillion
    points: str  # of a percentage


MARKS = {
    "pt": Marks(",", ".", (f"{SPACE}mil", f"{SPACE}mi", f"{SPACE}bi", f"{SPACE}tri"), "p.p."),
    "en": Marks(".", ",", ("K", "M", "B", "T"), "pp"),
}


def num(value: Number | None, language: str, decimals: int = 0) -> str:
    """`17.434` or `17,434`."""
    return MISSING if value is None or math.isnan(value) else _fixed(value, language, decimals)


def compact(value: Number | None, language: str) -> str:
    """At most four digits with the unit: `12,3 mil`, `1.2B`."""
    if value is None or math.isnan(value):
        return MISSING
    power, scaled = _scale(value)
    if power == 0:
        return _fixed(scaled, language, 0 if float(value).is_integer() else 1)
    return _fixed(scaled, language, 1) + MARKS[language].units[power - 1]


def brl(reais: Number | None, language: str, *, short: bool = False) -> str:
    """`R$ 1.234,56`; short from a thousand on: `R$ 1,2 mi`."""
    if reais is None or math.isnan(reais):
        return MISSING
    power = _scale(reais)[0] if short else 0
    text = compact(abs(reais), language) if power else _fixed(abs(reais), language, DECIMALS_OF_MONEY)
    sign = "-" if reais < 0 and any(digit in "123456789" for digit in text) else ""
    return f"{sign}R${SPACE}{text}"


def money(cents: int | None, language: str, *, short: bool = False) -> str:
    """Whole cents, the money inside Cockpit, in reais."""
    return brl(None if cents is None else cents / 100, language, short=short)


def pct(ratio: Number | None, language: str, decimals: int = 1) -> str:
    """`12,3%`, of a ratio of 0.1234."""
    return MISSING if ratio is None or math.isnan(ratio) else _fixed(ratio * 100, language, decimals) + "%"


def rate(ratio: Number | None, language: str) -> str:
    """A percentage with a second decimal below 1 %, where the first says too little."""
    small = ratio is not None and 0 < abs(ratio) < 0.01
    return pct(ratio, language, 2 if small else 1)


def pp(difference: Number | None, language: str, decimals: int = 1) -> str:
    """Percentage points: `-1,2 p.p.`."""
    if difference is None or math.isnan(difference):
        return MISSING
    return f"{_fixed(difference * 100, language, decimals)}{SPACE}{MARKS[language].points}"


def signed(text: str) -> str:
    """A number that is written already, with its plus: `+4,2%`, `+R$ 1,50`. Zero and the dash stay without."""
    is_above = not text.startswith("-") and any(digit in "123456789" for digit in text)
    return f"+{text}" if is_above else text


def dur(seconds: Number | None, language: str) -> str:
    """`420 ms`, `7,5 s`, `47 s`, `2 min 05 s`, `2 h 01 min`. A negative duration keeps its sign."""
    if seconds is None or math.isnan(seconds):
        return MISSING
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    if round_half_up(size * 1000, 0) < 1000:
        text = _fixed(size * 1000, language, 0)
        return f"{sign if text != '0' else ''}{text}{SPACE}ms"
    if round_half_up(size, 1) < 10:
        return f"{sign}{_fixed(size, language, 1)}{SPACE}s"
    return sign + _clockwork(int(round_half_up(size, 0)))


def round_half_up(value: Number, decimals: int) -> Decimal:
    """Exact, ties away from zero: what JavaScript's toFixed gives for a number above 0."""
    return Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _fixed(value: Number, language: str, decimals: int) -> str:
    marks = MARKS[language]
    rounded = round_half_up(value, decimals)
    plain = f"{abs(rounded):,.{decimals}f}".translate({ord(","): marks.group, ord("."): marks.decimal})
    return f"-{plain}" if rounded < 0 else plain


def _scale(value: Number) -> tuple[int, float]:
    """The power of a thousand that leaves less than 1000 after rounding to one decimal, at most trillions.

    Divides floats, not decimals, because that is what the twin can do.
    """
    scaled, power = float(value), 0
    while power < 4 and round_half_up(abs(scaled), 1) >= 1000:
        scaled, power = scaled / 1000, power + 1
    return power, scaled


def _clockwork(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds}{SPACE}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}{SPACE}min {seconds:02d}{SPACE}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{SPACE}h {minutes:02d}{SPACE}min"
