"""Operations (kpis.md 7.8). Percentiles come from merged histograms: they neither add nor average."""

from cockpit.kpis.formula import Gauge, Quantile, Ratio, Sum
from cockpit.kpis.kpi import SMALL, SMALL_P99, Better, By, Kpi, Unit, Window

ROLLING = Window(By.PERIOD, lengths=("5min", "1h", "1d"))
ATTEMPTED = ("personalization_delivered", "personalization_failed")


def _latency(kpi_id: str, histogram: str, q: float = 0.95, screens: tuple[str, ...] = ("O4",)) -> Kpi:
    return Kpi(
        id=kpi_id,
        unit=Unit.MILLISECONDS,
        formula=Quantile(histogram, q),
        window=ROLLING,
        counts="actions",
        events=("personalization_delivered",),
        screens=screens,
        better=Better.LOWER,
        minimum_sample=SMALL_P99 if q >= 0.99 else SMALL,
    )


def _gauge(kpi_id: str, unit: Unit, screens: tuple[str, ...]) -> Kpi:
    return Kpi(
        id=kpi_id,
        unit=unit,
        formula=Gauge(kpi_id),
        window=Window(By.NOW),
        counts="nothing",
        events=(),
        screens=screens,
        better=Better.LOWER,
        minimum_sample=0,
    )


KPIS = (
    _latency("event_to_action_ms", "event_to_action_us", screens=("O4", "A2")),
    _latency("event_to_action_ms_p50", "event_to_action_us", 0.5),
    _latency("event_to_action_ms_p99", "event_to_action_us", 0.99),
    _latency("decide_ms", "decide_us"),
    _latency("report_ms", "report_us"),
    Kpi(
        id="integration_error_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("failed",)), denominator=Sum(("delivered", "failed"))),
        window=Window(By.PERIOD, lengths=("5min", "1h")),
        counts="calls",
        events=ATTEMPTED,
        screens=("O6", "A1"),
        better=Better.LOWER,
    ),
    _gauge("queue_lag_s", Unit.SECONDS, ("O7", "A5")),
    _gauge("queue_events", Unit.COUNT, ("O7",)),
    _gauge("freshness_s", Unit.SECONDS, ("G1",)),
)
