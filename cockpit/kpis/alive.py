"""The chance that a customer is still one, by BG/NBD with given parameters.

Source: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model.
"""

import msgspec

from cockpit.errors import CallerError


class BgNbd(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted parameters, all above 0, of one unit of time."""

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        if min(self.r, self.alpha, self.a, self.b) <= 0:
            raise CallerError("the parameters of BG/NBD are above 0")


def alive(model: BgNbd, *, repeats: int, last_at: float, age: float) -> float:
    """P(alive) of a customer with so many repeat purchases, the last at age `last_at`, observed until `age`.

    It is 1 for everybody who bought only once: that says nothing of loyalty.
    """
    if not (0 <= last_at <= age) or repeats < 0:
        raise CallerError("a last purchase lies between the first and now")
    if repeats == 0:
        return 1.0
    odds = model.a / (model.b + repeats - 1) * ((model.alpha + age) / (model.alpha + last_at)) ** (model.r + repeats)
    return float(1 / (1 + odds))
