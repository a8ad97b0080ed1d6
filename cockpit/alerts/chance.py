"""Whether chance alone may have put a value beyond its limit: then nothing follows from it yet.

Law: the more a value rests on and the further it is beyond the limit, the surer it is. If the truth lay just at the
limit, values as far beyond it as one that is sure would come up in fewer than exp(-SURE) of all looks; in health, where
it lies well on the good side, in next to none. Source: Chernoff's bounds on the tails of binomial and Poisson sums, as
in Boucheron, Lugosi and Massart (2013), Concentration Inequalities, section 2.2.
"""

from math import inf, log

SURE = 5.0  # one look in 150


def is_sure(distance: float, n: int) -> bool:
    """Of a value so far beyond its limit that rests on `n` things."""
    return n * distance >= SURE


def of_share(share: float, limit: float) -> float:
    """How far, in nats for each thing, of which each counts or does not, by itself."""
    if not 0 < limit < 1:
        return inf  # whatever is beyond such a limit is not there by chance
    return _part(share, limit) + _part(1 - share, 1 - limit)


def of_count(ratio: float, limit: float) -> float:
    """How far, in nats for each thing that is expected, of things that come one by one."""
    return limit - ratio + _part(ratio, limit) if limit > 0 else inf


def _part(value: float, limit: float) -> float:
    return value * log(value / limit) if value else 0.0
