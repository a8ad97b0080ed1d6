"""Messages and sequences (kpis.md 7.6): of the deliveries that could take a step, those that took it."""

from cockpit.kpis.formula import Described, Ratio, Sum
from cockpit.kpis.kpi import Better, By, Kpi, Missing, Unit, Uplift, Window


def _of_delivered(  # noqa: PLR0913 - a row of the table
    kpi_id: str,
    taken: str,
    event: str,
    days: int,
    screens: tuple[str, ...],
    *,
    better: Better = Better.HIGHER,
    uplift: Uplift = Uplift.RATIO,
) -> Kpi:
    return Kpi(
        id=kpi_id,
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum((taken,)), denominator=Sum(("messages_delivered",))),
        window=Window(By.SENT_DAY, within=f"{days}d", matured_days=days + 1),
        counts="delivered_messages",
        events=("message_delivered", event),
        screens=screens,
        better=better,
        uplift=uplift,
    )


KPIS = (
    Kpi(
        id="message_delivery_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("messages_sent_delivered",)), denominator=Sum(("messages_sent",))),
        window=Window(By.SENT_DAY, within="24h", matured_days=1),
        counts="sent_messages",
        events=("message_sent", "message_delivered"),
        screens=("T2", "T13"),
    ),
    _of_delivered("message_open_rate", "messages_opened", "message_opened", 7, ("T2",)),
    _of_delivered("message_click_rate", "messages_clicked", "message_clicked", 5, ("T2", "T8")),
    _of_delivered("message_reply_rate", "messages_replied", "message_replied", 7, ("T2", "T12")),
    Kpi(
        id="message_conversion_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("messages_converted",)), denominator=Sum(("messages_delivered",))),
        window=Window(By.SENT_DAY, within="5d", matured_days=11),
        counts="delivered_messages",
        events=("message_delivered", "message_clicked", "purchase"),
        screens=("T2",),
    ),
    _of_delivered(
        "unsubscribe_rate",
        "messages_unsubscribed",
        "message_unsubscribed",
        7,
        ("T12", "T13"),
        better=Better.LOWER,
        uplift=Uplift.BINARY,
    ),
    Kpi(
        id="messages_per_profile",
        unit=Unit.NUMBER,
        formula=Ratio(numerator=Sum(("messages_sent",)), denominator=Sum(("messaged_profiles",))),
        window=Window(By.SENT_DAY, lengths=("7d",)),
        counts="messaged_profiles",
        events=("message_sent",),
        screens=("T13",),
        better=Better.NEITHER,
    ),
    Kpi(
        id="complaint_rate",
        unit=Unit.SHARE,
        formula=Described(),
        window=Window(By.SENT_DAY),
        counts="delivered_messages",
        events=("message_delivered",),
        screens=("T13",),
        better=Better.LOWER,
        missing=Missing.COMPLAINT_EVENT,
    ),
)
