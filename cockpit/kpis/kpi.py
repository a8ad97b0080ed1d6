"""What a KPI says of itself. Every code here has a text in both languages under `definitions.*`.

Source of all definitions: kpis.md of the design; docs/kpis.md prints them.
"""

from enum import StrEnum

import msgspec

from cockpit.kpis.formula import Formula

SMALL = 30  # a denominator below it: the rate is greyed
SMALL_P99 = 500  # below it the p99 is practically the maximum
SMALL_BREAKDOWN = 20  # profiles: a group below it is not shown at all


class Unit(StrEnum):
    SHARE = "share"  # 0 to 1, shown as a percentage; below 0 where what is shared can be
    MONEY = "money"  # cents of the reporting currency
    NUMBER = "number"  # something per something
    COUNT = "count"
    COUNT_PER_MINUTE = "count_per_minute"
    POINTS = "points"  # -100 to 100
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    DAYS = "days"
    CLASS = "class"


class Group(StrEnum):
    ENGAGEMENT = "engagement"
    VALUE = "value"
    CART = "cart"
    RETENTION = "retention"
    SATISFACTION = "satisfaction"
    MESSAGES = "messages"
    PERSONALIZATION = "personalization"
    OPERATIONS = "operations"
    QUALITY = "quality"


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Uplift(StrEnum):
    """Which comparison with the control group it can carry (kpis.md section 8, statistics.md)."""

    BINARY = "binary"  # mean of 0/1 per exposed profile
    MEAN = "mean"  # non-negative mean per exposed profile
    RATIO = "ratio"  # ratio of sums, profiles as unit
    SIGNED = "signed"  # absolute difference: it can be below 0
    RESPONDERS = "responders"  # signed, of those who answered
    WINDOWED = "windowed"  # of matured profiles only
    DESCRIBED = "described"  # no verdict


class By(StrEnum):
    """Which instant puts a thing into a period."""

    NOW = "now"
    MINUTE = "minute"
    PERIOD = "period"  # a fixed one, named
    SESSION_DAY = "session_day"
    IMPRESSION_DAY = "impression_day"
    CLICK_DAY = "click_day"
    ORDER_DAY = "order_day"
    CART_DAY = "cart_day"
    COHORT_DAY = "cohort_day"
    MONTH = "month"
    DAY = "day"
    RESPONSE_DAY = "response_day"
    TICKET_DAY = "ticket_day"
    SENT_DAY = "sent_day"
    RECEIVED_DAY = "received_day"
    EXPERIMENT = "experiment"  # since the start of the version


class Window(msgspec.Struct, frozen=True):
    """`lengths`: the rolling windows it is read in. `within`: how long what follows may take. Spans as `5min 24h 7d`.

    `matured_days`: only days that are at least so old are whole.
    """

    by: By
    lengths: tuple[str, ...] = ()
    within: str = ""
    matured_days: int = 0


class Missing(StrEnum):
    """Why a KPI that is asked for cannot be measured yet (kpis.md section 9)."""

    SUBSCRIPTION_BALANCE = "subscription_balance"
    MEDIA_COST = "media_cost"
    COMPLAINT_EVENT = "complaint_event"
    LEAD_QUALIFICATION = "lead_qualification"
    SURVEY_EVENT = "survey_event"
    REQUIRED_PROPERTIES = "required_properties"
    PREDICTION = "prediction"


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """`counts`: the code of its denominator, what `minimum_sample` is of. `screens`: codes of screens.md section 2."""

    id: str
    unit: Unit
    formula: Formula
    window: Window
    counts: str
    events: tuple[str, ...]
    screens: tuple[str, ...]
    better: Better = Better.HIGHER
    uplift: Uplift = Uplift.DESCRIBED
    minimum_sample: int = SMALL
    missing: Missing | None = None
