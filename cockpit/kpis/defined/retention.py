"""Retention and lifetime value (kpis.md 7.4). Cohorts by the day of the first order; only those old enough count."""

from cockpit.kpis.formula import Described, Ratio, Sum, Survival
from cockpit.kpis.kpi import SMALL_BREAKDOWN, Better, By, Kpi, Missing, Unit, Uplift, Window

BOUGHT = ("purchase",)
COHORT = Sum(("new_buyers",))


def _repurchase(days: int) -> Kpi:
    return Kpi(
        id=f"repurchase_rate_{days}d",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum((f"repurchased_{days}d",)), denominator=COHORT),
        window=Window(By.COHORT_DAY, within=f"{days}d", matured_days=days),
        counts="matured_buyers",
        events=BOUGHT,
        screens=("T10",),
        uplift=Uplift.WINDOWED,
    )


def _ltv(days: int, *, is_margin: bool) -> Kpi:
    margin = "_margin" if is_margin else ""
    return Kpi(
        id=f"ltv_{days}d{margin}",
        unit=Unit.MONEY,
        formula=Ratio(numerator=Sum((f"ltv_{days}d{margin}_cents",)), denominator=COHORT),
        window=Window(By.COHORT_DAY, within=f"{days}d", matured_days=days),
        counts="matured_buyers",
        events=BOUGHT,
        screens=("E3", "E10", "T10"),
        uplift=Uplift.WINDOWED,
    )


KPIS = (
    Kpi(
        id="churn_rate",
        unit=Unit.SHARE,
        formula=Described(),
        window=Window(By.MONTH),
        counts="subscriptions",
        events=("subscription_cancelled",),
        screens=("E4", "T7", "T10"),
        better=Better.LOWER,
        uplift=Uplift.WINDOWED,
        missing=Missing.SUBSCRIPTION_BALANCE,
    ),
    Kpi(
        id="inactive_rate",
        unit=Unit.SHARE,
        formula=Described("cockpit.measures.people"),
        window=Window(By.DAY),
        counts="buyers",
        events=BOUGHT,
        screens=("E4", "T7"),
        better=Better.LOWER,
        uplift=Uplift.WINDOWED,
    ),
    *(_repurchase(days) for days in (30, 60, 90)),
    Kpi(
        id="time_to_repurchase_days",
        unit=Unit.DAYS,
        formula=Survival("repurchase_ages"),
        window=Window(By.COHORT_DAY),
        counts="cohort_buyers",
        events=BOUGHT,
        screens=("T7",),
        better=Better.LOWER,
    ),
    *(_ltv(days, is_margin=is_margin) for days in (90, 365) for is_margin in (False, True)),
    Kpi(
        id="ltv_predicted_12m",
        unit=Unit.MONEY,
        formula=Described(),
        window=Window(By.DAY, within="365d"),
        counts="buyers",
        events=BOUGHT,
        screens=("E3",),
        missing=Missing.PREDICTION,
    ),
    Kpi(
        id="rfm_class",
        unit=Unit.CLASS,
        formula=Described("cockpit.kpis.rfm"),
        window=Window(By.DAY, lengths=("365d",)),
        counts="buyers",
        events=BOUGHT,
        screens=("E10", "T14"),
        better=Better.NEITHER,
        minimum_sample=SMALL_BREAKDOWN,
    ),
)
