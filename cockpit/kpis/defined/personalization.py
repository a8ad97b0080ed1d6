"""Personalization and models (kpis.md 7.7). Suppressed on purpose is not an error, and a control is not a decision."""

from cockpit.kpis.formula import Described, Gauge, Ratio, Sum
from cockpit.kpis.kpi import Better, By, Kpi, Unit, Uplift, Window

EXPERIMENTS = "cockpit.experiments"
ATTEMPTED = ("personalization_delivered", "personalization_failed")
DECIDED = (*ATTEMPTED, "personalization_suppressed")
ATTEMPTS = Sum(("delivered", "failed"))
DECISIONS = Sum(("delivered", "failed", "suppressed"), minus=("suppressed_control",))
PROFILES = Sum(("profiles",))
SINCE_START = Window(By.EXPERIMENT)
SUPPRESSION = Window(By.PERIOD, lengths=("1h", "1d"))

KPIS = (
    Kpi(
        id="personalizations_per_minute",
        unit=Unit.COUNT_PER_MINUTE,
        formula=Gauge("personalizations_per_minute"),
        window=Window(By.MINUTE),
        counts="nothing",
        events=("personalization_delivered",),
        screens=("O3",),
        better=Better.NEITHER,
        minimum_sample=0,
    ),
    Kpi(
        id="personalization_error_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("failed",)), denominator=ATTEMPTS),
        window=Window(By.PERIOD, lengths=("5min", "1h")),
        counts="attempts",
        events=ATTEMPTED,
        screens=("O3",),
        better=Better.LOWER,
    ),
    Kpi(
        id="suppression_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("suppressed",), minus=("suppressed_control",)), denominator=DECISIONS),
        window=SUPPRESSION,
        counts="decisions",
        events=DECIDED,
        screens=("T13", "G4"),
        better=Better.NEITHER,
    ),
    Kpi(
        id="frequency_cap_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("suppressed_frequency_cap",)), denominator=DECISIONS),
        window=SUPPRESSION,
        counts="decisions",
        events=DECIDED,
        screens=("T13",),
        better=Better.NEITHER,
    ),
    Kpi(
        id="fallback_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("fallbacks",)), denominator=Sum(("delivered",))),
        window=Window(By.PERIOD, lengths=("1h",)),
        counts="deliveries",
        events=("personalization_delivered",),
        screens=("T4", "A8"),
        better=Better.LOWER,
    ),
    Kpi(
        id="coverage_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("covered_profiles",)), denominator=PROFILES),
        window=Window(By.PERIOD, lengths=("7d", "28d")),
        counts="profiles",
        events=("personalization_delivered",),
        screens=("E7", "T4"),
    ),
    Kpi(
        id="control_share",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("control_profiles",)), denominator=Sum(("exposed_profiles",))),
        window=Window(By.PERIOD, lengths=("7d", "28d")),
        counts="exposed_profiles",
        events=("experiment_viewed",),
        screens=("E7",),
        better=Better.NEITHER,
    ),
    Kpi(
        id="uplift",
        unit=Unit.SHARE,
        formula=Described(EXPERIMENTS),
        window=SINCE_START,
        counts="exposed_profiles",
        events=("experiment_viewed", "purchase"),
        screens=("E6", "P2"),
        uplift=Uplift.MEAN,
    ),
    Kpi(
        id="mixed_profile_rate",
        unit=Unit.SHARE,
        formula=Described(EXPERIMENTS),
        window=SINCE_START,
        counts="exposed_profiles",
        events=("experiment_viewed",),
        screens=("P5",),
        better=Better.LOWER,
    ),
    Kpi(
        id="holdout_contamination_rate",
        unit=Unit.SHARE,
        formula=Described(EXPERIMENTS),
        window=SINCE_START,
        counts="control_profiles",
        events=("experiment_viewed", "personalization_delivered"),
        screens=("P5",),
        better=Better.LOWER,
    ),
)
