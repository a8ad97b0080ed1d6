"""What is planted: every rate, uplift, latency and incident of the simulated shop, as frozen values read from TOML."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from cockpit.clock import to_us
from cockpit.errors import BadSetting

UseCaseName = Literal["recommendations", "cart", "churn"]
IncidentKind = Literal["failing_integration", "slow_decisions", "silent_channel", "bad_variant"]

MINUTE_US = 60_000_000


class Truth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shop's parameters. A `share` is of what its name says, 0 to 1; `visits_per_second` is the weekly mean."""

    visits_per_second: float
    season_depth: float  # 0: the same traffic day and night; 1: the full swing of day and week
    channels: dict[str, float]  # share of visits
    segments: dict[str, "Segment"]
    use_cases: dict[UseCaseName, "UseCase"]
    global_control: "GlobalControl | None" = None  # None: everybody may get every use case
    messages: dict[str, "MessageRates"]  # by channel
    integrations: dict[str, str]  # by channel
    incidents: tuple["Incident", ...] = ()
    view_share: float  # visits that look at a product at all
    checkout_share: float  # carts that reach the checkout
    purchase_share: float  # checkouts that end in a purchase
    recovery_share: float  # abandoned carts bought later by themselves, without a reminder
    recovery_minutes: float  # mean time until then
    search_share: float
    coupon_share: float
    sign_up_share: float  # of first purchases
    nps_share: float  # of purchases
    ticket_share: float  # of purchases
    refund_share: float  # of purchases
    consent_share: float  # of visits of those who agree: they say so
    refusal_share: float  # of profiles: no personalization reaches them; a part of every suppressed_share
    lost_share: float  # events that never arrive
    duplicate_share: float  # events that arrive twice
    late_share: float  # events that arrive late ...
    late_minutes: float  # ... by this much on average

    def __post_init__(self) -> None:
        for name in ("channels", "segments", "use_cases"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty")
        if any(case.suppressed_share < self.refusal_share for case in self.use_cases.values()):
            raise ValueError("refusal_share is a part of every use case's suppressed_share, so none is smaller")


class Segment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`profiles` known people share the segment's visits; 0 means that every visit is somebody new and anonymous."""

    share: float
    profiles: int
    cart_share: float  # visits with a product view that fill a cart


class UseCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`uplift` is relative, on the conversion of those whose personalization was delivered."""

    experiment_id: str
    version: str
    experience_id: str
    model_version: str
    uplift: float
    control_share: float
    suppressed_share: float  # of triggers
    failure_rate: float  # failed / (delivered + failed)
    fallback_share: float
    latency_median_ms: float
    latency_sigma: float  # of its logarithm
    channels: dict[str, float] = {}  # empty: the channel of the visit

    def suppressed_of_willing(self, refusal_share: float) -> float:
        """Share of triggers that is suppressed for other reasons than consent, among those who consent."""
        return (self.suppressed_share - refusal_share) / (1 - refusal_share)

    @property
    def uplift_by_intention(self) -> float:
        """Uplift of the assigned over the control, incidents apart: delivery dilutes it (intention to treat)."""
        return self.uplift * (1 - self.suppressed_share) * (1 - self.failure_rate)


class GlobalControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Profiles that no personalization ever reaches, and that take part in no other experiment."""

    experiment_id: str
    version: str
    control_share: float


class MessageRates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Delivered of sent; the others of delivered."""

    delivered: float
    opened: float
    clicked: float
    replied: float
    unsubscribed: float


class Incident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something breaks for `lasts_minutes` every `every_minutes` (none: once), counted from `begins_at` (none: 1970).

    `strength` is the failure rate of a failing_integration, the factor on the latency of slow_decisions (a use case's),
    the uplift meanwhile of a bad_variant (a use case's); a silent_channel has none.
    """

    kind: IncidentKind
    target: str
    lasts_minutes: float
    every_minutes: float | None = None
    begins_at: datetime | None = None
    strength: float = 1.0

    def is_on(self, at_us: int) -> bool:
        since_us = at_us - (to_us(self.begins_at) if self.begins_at else 0)
        if self.every_minutes is not None:
            since_us %= int(self.every_minutes * MINUTE_US)
        return 0 <= since_us < self.lasts_minutes * MINUTE_US


class Category(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    brands: tuple[str, ...]
    words: tuple[str, ...]
    price: tuple[float, float]
    margin: tuple[float, float]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is on the shelves; `seed` fixes it, so that products are the same in every run."""

    seed: int
    products_per_category: int
    cost_known_share: float
    coupons: tuple[str, ...]
    searches: tuple[str, ...]
    categories: tuple[Category, ...]


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    truth: Truth
    catalogue: Catalogue


def load(text: str, overrides: Iterable[str] = ()) -> Scenario:
    """The scenario in a TOML text; each override is `path=value` below `truth`, such as `use_cases.cart.uplift=0.12`.

    BadSetting names what is missing, unknown or of the wrong type.
    """
    try:
        document = msgspec.toml.decode(text)
        for override in overrides:
            _override(document["truth"], override)
        return msgspec.convert(document, Scenario)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise BadSetting(f"scenario: {error}") from error


def _override(truth: dict[str, Any], override: str) -> None:
    path, equals, value = override.partition("=")
    *parents, leaf = path.strip().split(".")
    table: Any = truth
    for parent in parents:
        table = table.get(parent) if isinstance(table, dict) else None
    if not equals or not isinstance(table, dict) or leaf not in table:
        raise BadSetting(f"override {override!r}: want path=value with a path of the scenario's truth")
    try:
        table[leaf] = msgspec.toml.decode(f"v = {value}")["v"]
    except msgspec.DecodeError as error:
        raise BadSetting(f"override {override!r}: the value is no TOML value") from error
