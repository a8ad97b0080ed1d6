"""What is fixed about an experiment before it runs: a change is a new version. Source: statistics.md section 3."""

from typing import Annotated, Literal, Self

import msgspec

from cockpit.errors import CallerError
from cockpit.experiments.metrics import METRICS, metric_of

EVERYTHING = "*"  # the use case of the global control: all personalization
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Allocation = Literal["fixed", "thompson"]


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`share`: planned, of the profiles that are exposed."""

    id: Name
    share: Share


class Guardrail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`limit`: the worst change that is tolerated, as a fraction (-0.02: two per cent less; 0.1: ten per cent more)."""

    metric: Name
    limit: float


class Registration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`use_case` EVERYTHING makes it the permanent global control. `mde` and `target` are relative uplifts, fractions.

    `allocation` thompson lets the shares of the treatments move; the control keeps its planned share.
    """

    experiment_id: Name
    version: Name = "1"
    use_case: str | None = None
    hypothesis: str = ""
    owner: str = ""
    variants: tuple[Variant, ...]
    control: Name = "control"
    primary: Name = "conversion_rate_profile"
    secondary: tuple[Name, ...] = ("revenue_per_profile", "aov", "sessions_per_profile", "margin_per_profile")
    guardrails: tuple[Guardrail, ...] = (Guardrail("unsubscribe_rate_profile", 0.2),)
    mde: Annotated[float, msgspec.Meta(gt=0, le=10)] = 0.20
    smallest_differences: dict[str, float] = {}
    minimum_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 14
    target: float | None = None
    salt: str = ""  # empty: made of experiment and version
    lookback_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 28
    allocation: Allocation = "fixed"
    is_adjusted: bool = False  # by what profiles did before they were exposed (CUPED)

    def __post_init__(self) -> None:
        ids = [variant.id for variant in self.variants]
        if len(ids) < 2 or len(set(ids)) < len(ids):
            raise ValueError("an experiment needs two variants or more, each once")
        if self.control not in ids:
            raise ValueError(f"the control {self.control!r} is none of the variants {', '.join(ids)}")
        if abs(sum(variant.share for variant in self.variants) - 1) > 1e-6:
            raise ValueError("the planned shares must add up to 1")
        for name in (*self.metrics, *self.smallest_differences):
            if name not in METRICS:
                raise ValueError(f"no metric {name!r}; there are {', '.join(METRICS)}")

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that it is judged by, each once, the primary first."""
        return tuple(dict.fromkeys((self.primary, *self.secondary, *(rail.metric for rail in self.guardrails))))

    @property
    def shares(self) -> dict[str, float]:
        return {variant.id: variant.share for variant in self.variants}

    @property
    def is_program(self) -> bool:
        return self.use_case == EVERYTHING

    def smallest_difference(self, metric_id: str) -> float:
        """Of a signed metric, in its unit."""
        default = metric_of(metric_id).smallest_difference
        assert default is not None, f"{metric_id} is compared on the log scale"
        return self.smallest_differences.get(metric_id, default)

    @classmethod
    def of(cls, sent: object) -> Self:
        """CallerError says what is wrong with it."""
        try:
            return msgspec.convert(sent, cls)
        except msgspec.ValidationError as error:
            raise CallerError(f"registration: {error}") from error
