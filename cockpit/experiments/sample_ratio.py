"""Sample ratio mismatch: were the profiles shared out as planned? It may be asked after every one of them.

Law: p never rises again over the looks. The ordinary chi-square p is a number for those who expect it, no alarm.
Source: Lindon, Malek (2022), Anytime-valid inference for multinomial count data; statistics.md section 14.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from cockpit.experiments.chi_square import chi_square_p

CONCENTRATION = 10_000.0  # of the Dirichlet prior around the plan: optimizely/ssrm's default
ALARM = 0.05

Counts = Mapping[str, int]  # first exposed profiles by variant, from the start until a look
Shares = Mapping[str, float]  # planned, by variant; they add up to 1


class Epoch(NamedTuple):
    """Looks at the counts since the shares were last changed, the oldest first, and the shares."""

    looks: Sequence[Counts]
    shares: Shares


class SampleRatio(msgspec.Struct, frozen=True):
    """`log_bf`: greatest ln Bayes factor seen against the plan, 0 or more. `chi_square_p`: at the last look only."""

    p: float
    log_bf: float
    chi_square_p: float | None

    @property
    def is_broken(self) -> bool:
        return self.p < ALARM


def log_bayes_factor(counts: Counts, shares: Shares, concentration: float = CONCENTRATION) -> float:
    """Natural logarithm, against the plan. Infinite if a variant was seen that has no share."""
    if any(count and variant not in shares for variant, count in counts.items()):
        return math.inf
    seen = sum(counts.values())
    return (
        math.lgamma(concentration)
        - math.lgamma(concentration + seen)
        + sum(_evidence(counts.get(variant, 0), share, concentration) for variant, share in shares.items())
    )


def sequential(counts_by_look: Sequence[Counts], shares: Shares) -> SampleRatio:
    """Takes the counts from the start until each look, the oldest first. No look: nothing against the plan."""
    return over_epochs([Epoch(counts_by_look, shares)])


def over_epochs(epochs: Iterable[Epoch]) -> SampleRatio:
    """As `sequential`, when the planned shares changed on the way: each epoch counts from 0, the evidence adds up."""
    carried = highest = 0.0
    seen: dict[str, float] = {}
    planned: dict[str, float] = {}
    for looks, shares in epochs:
        factors = [log_bayes_factor(counts, shares) for counts in looks]
        highest = max(highest, *(carried + factor for factor in factors), carried)
        if looks:
            carried += factors[-1]
            _add(seen, looks[-1])
            _add(planned, {variant: share * sum(looks[-1].values()) for variant, share in shares.items()})
    return SampleRatio(math.exp(-highest), highest, _chi_square_p(seen, planned))


def _evidence(count: int, share: float, concentration: float) -> float:
    prior = concentration * share
    return math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)


def _add(total: dict[str, float], more: Mapping[str, float]) -> None:
    for variant, count in more.items():
        total[variant] = total.get(variant, 0) + count


def _chi_square_p(seen: Mapping[str, float], planned: Mapping[str, float]) -> float | None:
    """None before anybody was seen."""
    if not sum(seen.values()):
        return None
    if any(count and not planned.get(variant) for variant, count in seen.items()):
        return 0.0
    distances = ((seen.get(variant, 0) - count) ** 2 / count for variant, count in planned.items())
    return chi_square_p(sum(distances), len(planned) - 1)
