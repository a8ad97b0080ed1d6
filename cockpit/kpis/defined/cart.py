"""Carts (kpis.md 7.3). Only closed carts count: the last activity is older than the window."""

from cockpit.kpis.formula import Amount, Ratio, Sum
from cockpit.kpis.kpi import Better, By, Kpi, Unit, Uplift, Window

CARTS = Sum(("carts",))
CARTED = ("add_to_cart", "remove_from_cart", "view_cart", "begin_checkout", "purchase")
REMINDED = (*CARTED, "message_sent", "personalization_delivered")

KPIS = (
    Kpi(
        id="cart_abandonment_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("carts_purchased",)), denominator=CARTS, is_complement=True),
        window=Window(By.CART_DAY, within="24h", matured_days=1),
        counts="closed_carts",
        events=CARTED,
        screens=("T5",),
        better=Better.LOWER,
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="checkout_abandonment_rate",
        unit=Unit.SHARE,
        formula=Ratio(
            numerator=Sum(("checkout_purchased",)), denominator=Sum(("checkout_sessions",)), is_complement=True
        ),
        window=Window(By.SESSION_DAY, within="session"),
        counts="checkout_sessions",
        events=("begin_checkout", "purchase"),
        screens=("T11",),
        better=Better.LOWER,
        uplift=Uplift.RATIO,
    ),
    Kpi(
        id="cart_recovery_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("carts_recovered",)), denominator=Sum(("carts_reminded",))),
        window=Window(By.CART_DAY, within="7d", matured_days=15),
        counts="reminded_carts",
        events=REMINDED,
        screens=("T5",),
        uplift=Uplift.WINDOWED,
    ),
    Kpi(
        id="cart_return_rate",
        unit=Unit.SHARE,
        formula=Ratio(numerator=Sum(("carts_returned",)), denominator=Sum(("carts_unreminded",))),
        window=Window(By.CART_DAY, within="7d", matured_days=8),
        counts="unreminded_carts",
        events=REMINDED,
        screens=("T5",),
        uplift=Uplift.WINDOWED,
    ),
    Kpi(
        id="carts_owed",
        unit=Unit.COUNT,
        formula=Amount(of=Sum(("carts_owed",)), known_by=CARTS),
        window=Window(By.CART_DAY, within="7d"),
        counts="nothing",
        events=REMINDED,
        screens=("T5",),
        better=Better.LOWER,
        minimum_sample=0,
    ),
)
