"""Data quality, identity and consent (kpis.md 7.9), by source and day of receipt."""

from cockpit.kpis.formula import Described, Quantile, Ratio, Sum
from cockpit.kpis.kpi import SMALL, SMALL_P99, Better, By, Kpi, Missing, Unit, Window

RECEIPT = Window(By.RECEIVED_DAY)
RECEIVED = Sum(("received",))


def _intake(kpi_id: str, part: str, of: Sum, counts: str, screens: tuple[str, ...] = ("G1",)) -> Kpi:
    return Kpi(
        id=kpi_id,
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum((part,)), denominator=of),
        window=RECEIPT,
        counts=counts,
        events=(),
        screens=screens,
        better=Better.LOWER,
    )


def _delay(kpi_id: str, q: float) -> Kpi:
    return Kpi(
        id=kpi_id,
        unit=Unit.MILLISECONDS,
        formula=Quantile("ingest_us", q),
        window=RECEIPT,
        counts="stored_events",
        events=(),
        screens=("G1",),
        better=Better.LOWER,
        minimum_sample=SMALL_P99 if q >= 0.99 else SMALL,
    )


KPIS = (
    _intake("duplicate_rate", "duplicate", RECEIVED, "received_events"),
    _intake("invalid_rate", "refused", RECEIVED, "received_events", ("G1", "G2")),
    _intake("late_rate", "late", Sum(("stored",)), "stored_events"),
    Kpi(
        id="completeness_rate",
        unit=Unit.SHARE,
        formula=Described(),
        window=RECEIPT,
        counts="stored_events",
        events=(),
        screens=("G1",),
        missing=Missing.REQUIRED_PROPERTIES,
    ),
    _delay("ingest_delay_ms", 0.95),
    _delay("ingest_delay_ms_p50", 0.5),
    _delay("ingest_delay_ms_p99", 0.99),
    Kpi(
        id="identity_match_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("known_events",)), denominator=Sum(("profile_events",))),
        window=Window(By.DAY),
        counts="profile_events",
        events=("login", "sign_up", "identify"),
        screens=("X7", "G3"),
    ),
    Kpi(
        id="consent_rate",
        unit=Unit.SHARE,
        formula=Described("cockpit.measures.people"),
        window=Window(By.NOW),
        counts="profiles",
        events=("consent_updated",),
        screens=("G4", "X8"),
    ),
    Kpi(
        id="consent_block_rate",
        unit=Unit.SHARE,
        formula=Ratio(
            numerator=Sum(("suppressed_consent",)),
            denominator=Sum(("delivered", "failed", "suppressed"), minus=("suppressed_control",)),
        ),
        window=Window(By.PERIOD, lengths=("1h", "1d")),
        counts="decisions",
        events=("personalization_delivered", "personalization_failed", "personalization_suppressed"),
        screens=("G4", "A7"),
        better=Better.NEITHER,
    ),
)
