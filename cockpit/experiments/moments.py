"""Moments: the few sums over profiles that every interval is computed from.

Law: moments of disjoint sets of profiles add, so what changed is subtracted and added, and the order never matters.
All are whole numbers of any size: money is cents, its squares cents squared.
"""

from operator import add, sub
from typing import Self

import msgspec


class Moments(msgspec.Struct, frozen=True):
    """Over `n` profiles: y of the metric, z of its denominator, x and w the same before the first exposure.

    `nonzero` counts the profiles whose y is not 0. A metric without a denominator has z = w = 0, one without a
    covariate x = w = 0.
    """

    n: int = 0
    nonzero: int = 0
    y: int = 0
    z: int = 0
    x: int = 0
    w: int = 0
    yy: int = 0
    yz: int = 0
    yx: int = 0
    yw: int = 0
    zz: int = 0
    zx: int = 0
    zw: int = 0
    xx: int = 0
    xw: int = 0
    ww: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))

    def __sub__(self, other: Self) -> Self:
        return type(self)(*map(sub, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


SUMS: tuple[str, ...] = Moments.__struct_fields__
