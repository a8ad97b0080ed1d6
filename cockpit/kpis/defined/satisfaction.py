"""Satisfaction and support (kpis.md 7.5). Times are by the clock, not by business hours."""

from cockpit.kpis.formula import Described, Quantile, Ratio, Sum
from cockpit.kpis.kpi import Better, By, Kpi, Missing, Unit, Uplift, Window

OPENED = Sum(("tickets_opened",))
ANSWERED = ("support_ticket_opened", "support_ticket_replied")
SOLVED = ("support_ticket_opened", "support_ticket_resolved")
DAY_AFTER = Window(By.TICKET_DAY, within="1d", matured_days=1)
WEEK_AFTER = Window(By.TICKET_DAY, within="7d", matured_days=7)


def _time(kpi_id: str, histogram: str, q: float, window: Window, events: tuple[str, ...]) -> Kpi:
    return Kpi(
        id=kpi_id,
        unit=Unit.SECONDS,
        formula=Quantile(histogram, q, is_in_seconds=True),
        window=window,
        counts="tickets_timed",
        events=events,
        screens=("T12",),
        better=Better.LOWER,
    )


KPIS = (
    Kpi(
        id="nps",
        unit=Unit.POINTS,
        formula=Ratio(
            numerator=Sum(("nps_promoters",), minus=("nps_detractors",)),
            denominator=Sum(("nps_responses",)),
            scale=100,
        ),
        window=Window(By.RESPONSE_DAY, lengths=("90d",)),
        counts="responses",
        events=("nps_response",),
        screens=("E5", "T7", "T10"),
        uplift=Uplift.RESPONDERS,
    ),
    Kpi(
        id="nps_response_rate",
        unit=Unit.SHARE,
        formula=Described(),
        window=Window(By.RESPONSE_DAY, lengths=("90d",)),
        counts="surveys",
        events=("nps_response",),
        screens=("E5",),
        uplift=Uplift.BINARY,
        missing=Missing.SURVEY_EVENT,
    ),
    Kpi(
        id="ticket_answer_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("tickets_answered",)), denominator=OPENED),
        window=DAY_AFTER,
        counts="tickets",
        events=ANSWERED,
        screens=("T12",),
    ),
    _time("first_response_seconds", "first_response_us", 0.95, Window(By.TICKET_DAY, lengths=("1h", "1d")), ANSWERED),
    _time(
        "first_response_seconds_p50", "first_response_us", 0.5, Window(By.TICKET_DAY, lengths=("1h", "1d")), ANSWERED
    ),
    Kpi(
        id="resolution_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("tickets_resolved",)), denominator=OPENED),
        window=WEEK_AFTER,
        counts="tickets",
        events=SOLVED,
        screens=("T12",),
    ),
    _time("resolution_seconds", "resolution_us", 0.95, WEEK_AFTER, SOLVED),
    _time("resolution_seconds_p50", "resolution_us", 0.5, WEEK_AFTER, SOLVED),
    Kpi(
        id="handover_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("tickets_handed_over",)), denominator=Sum(("tickets_bot_first",))),
        window=DAY_AFTER,
        counts="tickets_bot_first",
        events=ANSWERED,
        screens=("T12",),
        better=Better.NEITHER,
    ),
)
