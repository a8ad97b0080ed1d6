"""A side of a limit, as a rule file writes it: `> 0.05`."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

Op = Literal[">", ">=", "<", "<="]
COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
FORM = re.compile(r"(>=|<=|>|<) (-?\d+(?:\.\d+)?)", re.ASCII)


class Condition(msgspec.Struct, frozen=True):
    """Holds for the values on one side of `limit`, which is in the unit of the rule's metric."""

    op: Op
    limit: float

    def holds(self, value: float) -> bool:
        return COMPARE[self.op](value, self.limit)

    @property
    def is_upward(self) -> bool:
        return self.op.startswith(">")

    @property
    def is_closed(self) -> bool:
        """Whether the limit itself is on its side."""
        return self.op.endswith("=")

    def worse(self, one: float | None, other: float) -> float:
        """Whichever lies further on this side."""
        if one is None:
            return other
        return max(one, other) if self.is_upward else min(one, other)

    def __str__(self) -> str:
        return f"{self.op} {self.limit:g}"


def read_condition(text: str) -> Condition:
    """ValueError says what a condition looks like."""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no condition such as '> 0.05' or '<= 20'")
    return msgspec.convert({"op": found[1], "limit": float(found[2])}, Condition)


def are_apart(fire: Condition, recover: Condition) -> bool:
    """Whether they look away from each other and no value is on both sides."""
    if fire.is_upward == recover.is_upward:
        return False
    gap = fire.limit - recover.limit if fire.is_upward else recover.limit - fire.limit
    return gap > 0 or (gap == 0 and not (fire.is_closed and recover.is_closed))


def comes_before(warn: Condition, fire: Condition) -> bool:
    """Whether a value that gets worse meets `warn` first."""
    if warn.is_upward != fire.is_upward:
        return False
    return warn.limit < fire.limit if fire.is_upward else warn.limit > fire.limit
