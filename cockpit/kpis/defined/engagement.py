"""Acquisition and engagement (kpis.md 7.1)."""

from cockpit.kpis.formula import Amount, Described, Gauge, Ratio, Sum
from cockpit.kpis.kpi import Better, By, Kpi, Unit, Uplift, Window

SESSION = Window(By.SESSION_DAY)
SESSIONS = Sum(("sessions",))
STEPS = ("step_home", "step_view_item", "step_add_to_cart", "step_begin_checkout", "step_purchase")
ANY = ("page_view", "view_item", "add_to_cart", "begin_checkout", "purchase")
RECOMMENDED = ("select_item", "purchase")


def _step(number: int) -> Kpi:
    """Of the sessions that reached a step of the funnel, those that reached the next; a later step implies it."""
    before, after = STEPS[number - 1 : number + 1]
    return Kpi(
        id=f"funnel_{after}_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum((after,)), denominator=Sum((before,))),
        window=Window(By.SESSION_DAY, within="session"),
        counts="sessions_at_step",
        events=tuple(ANY[number - 1 : number + 1]),
        screens=("T11",),
        uplift=Uplift.RATIO,
    )


FUNNEL = tuple(_step(number) for number in range(1, len(STEPS)))

KPIS = (
    Kpi(
        id="ctr",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("impressions_clicked",)), denominator=Sum(("impressions",))),
        window=Window(By.IMPRESSION_DAY, within="24h", matured_days=1),
        counts="impressions",
        events=("personalization_delivered", "personalization_clicked"),
        screens=("T4", "T6", "T8"),
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="reco_click_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("reco_clicks",)), denominator=Sum(("reco_impressions",))),
        window=Window(By.SESSION_DAY, within="session"),
        counts="list_impressions",
        events=("view_item_list", "select_item"),
        screens=("T6", "T8"),
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="reco_conversion_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("reco_converted",)), denominator=Sum(("reco_item_clicks",))),
        window=Window(By.CLICK_DAY, within="24h", matured_days=1),
        counts="reco_clicks",
        events=RECOMMENDED,
        screens=("T1",),
    ),
    Kpi(
        id="reco_revenue_share",
        unit=Unit.SHARE,
        formula=Ratio(
            numerator=Sum(("reco_value_24h_cents",)), denominator=Sum(("value_cents",)), sample=Sum(("orders",))
        ),
        window=Window(By.ORDER_DAY, within="24h"),
        counts="orders",
        events=RECOMMENDED,
        screens=("T6",),
    ),
    Kpi(
        id="reco_revenue_share_7d",
        unit=Unit.SHARE,
        formula=Ratio(
            numerator=Sum(("reco_value_7d_cents",)), denominator=Sum(("value_cents",)), sample=Sum(("orders",))
        ),
        window=Window(By.ORDER_DAY, within="7d"),
        counts="orders",
        events=RECOMMENDED,
        screens=("T6",),
    ),
    Kpi(
        id="sessions_per_profile",
        unit=Unit.NUMBER,
        formula=Ratio(numerator=SESSIONS, denominator=Sum(("profiles",))),
        window=Window(By.SESSION_DAY, lengths=("7d", "28d")),
        counts="profiles",
        events=("page_view", "session_start"),
        screens=("T8",),
        uplift=Uplift.MEAN,
    ),
    Kpi(
        id="session_seconds_mean",
        unit=Unit.SECONDS,
        formula=Ratio(numerator=Sum(("session_ms",)), denominator=SESSIONS, scale=0.001),
        window=SESSION,
        counts="sessions",
        events=("page_view", "session_start"),
        screens=("T6", "T8"),
        better=Better.NEITHER,
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="engagement_seconds_mean",
        unit=Unit.SECONDS,
        formula=Ratio(
            numerator=Sum(("engagement_ms",)), denominator=SESSIONS, scale=0.001, known_by=Sum(("engagement_ms",))
        ),
        window=SESSION,
        counts="sessions",
        events=("user_engagement",),
        screens=("T6", "T8"),
        better=Better.NEITHER,
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="engaged_session_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("engaged_sessions",)), denominator=SESSIONS),
        window=SESSION,
        counts="sessions",
        events=("page_view", "screen_view", "purchase"),
        screens=("T8",),
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="bounce_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("engaged_sessions",)), denominator=SESSIONS, is_complement=True),
        window=SESSION,
        counts="sessions",
        events=("page_view", "screen_view", "purchase"),
        screens=("T8",),
        better=Better.LOWER,
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="pages_per_session",
        unit=Unit.NUMBER,
        formula=Ratio(numerator=Sum(("pages",)), denominator=SESSIONS),
        window=SESSION,
        counts="sessions",
        events=("page_view", "screen_view"),
        screens=("T6",),
        better=Better.NEITHER,
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="funnel_step_rate",
        unit=Unit.SHARE,
        formula=Described(", ".join(kpi.id for kpi in FUNNEL)),
        window=Window(By.SESSION_DAY, within="session"),
        counts="sessions_at_step",
        events=ANY,
        screens=("T11",),
        uplift=Uplift.RATIO,
    ),
    *FUNNEL,
    Kpi(
        id="sessions",
        unit=Unit.COUNT,
        formula=Amount(of=SESSIONS, known_by=SESSIONS),
        window=SESSION,
        counts="nothing",
        events=("page_view", "session_start"),
        screens=("T8",),
        minimum_sample=0,
    ),
    Kpi(
        id="active_sessions",
        unit=Unit.COUNT,
        formula=Gauge("active_sessions"),
        window=Window(By.NOW, within="5min"),
        counts="nothing",
        events=(),
        screens=("O1", "O9"),
        better=Better.NEITHER,
        minimum_sample=0,
    ),
    Kpi(
        id="events_per_minute",
        unit=Unit.COUNT_PER_MINUTE,
        formula=Gauge("events_per_minute"),
        window=Window(By.MINUTE),
        counts="nothing",
        events=(),
        screens=("O2", "O9"),
        better=Better.NEITHER,
        minimum_sample=0,
    ),
)
