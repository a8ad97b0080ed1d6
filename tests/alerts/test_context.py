from typing import Any

import polars as pl

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.readings import readings
from cockpit.alerts.world import World
from cockpit.errors import MachineError
from cockpit.store.frames import TABLES
from tests.alerts.looks import AT, DELAY, WHATSAPP, look, rule
from tests.alerts.shop import MINUTE, WEEK, ZONE, Shop, delivered, failed
from tests.warehouse_events import NOON


def test_failures_say_how_many_and_by_which_codes(shop: Shop) -> None:
    codes = ["timeout", "timeout", "timeout", "http_500", "http_500", "schema", "rare_1"]
    shop.take(*(failed(f"f{place}", code) for place, code in enumerate(codes)), delivered("d"))
    shop.take(failed("other", "unseen", channel="email"))
    said_of = look(shop, rule())["whatsapp",].context
    assert said_of == {"lost": 7, "top_codes": "timeout (3), http_500 (2), rare_1 (1)"}


def test_nothing_is_looked_up_for_a_value_within_its_limits_or_too_small(shop: Shop) -> None:
    shop.take(failed("f"), *(delivered(f"d{n}") for n in range(99)))
    assert look(shop, rule())["whatsapp",].context == {}
    assert look(shop, rule(fire=read_condition("> 0.001"), min_count=500))["whatsapp",].context == {}
    assert look(shop, rule(warn=read_condition("> 0.001")))["whatsapp",].context["lost"] == 1


def refuse(shop: Shop, refused: str) -> None:
    """A named read that takes too long from now on."""
    reads = shop.reads

    def some(name: str, **params: Any) -> pl.DataFrame:
        found = reads(name, **params)
        if name == refused:
            raise MachineError("too slow")
        return found

    shop.reads = some  # type: ignore[method-assign]


def test_a_reading_does_not_fail_for_its_context(shop: Shop) -> None:
    shop.take(delivered("d", reason="fallback", model_version="m"))
    refuse(shop, "alert_models")
    found = look(shop, rule("fallback_rate"))["whatsapp",]
    assert (found.value, found.context) == (1.0, {})


def test_a_worth_that_takes_too_long_is_left_out_and_not_asked_in_every_round(shop: Shop) -> None:
    shop.take(failed("f"))
    refuse(shop, "kpis")
    world = World(shop.reads, ZONE)
    for number in range(4):
        world.turn(AT + DELAY + number * MINUTE, {})
        found = readings(rule(window=10 * MINUTE), AT + number * MINUTE, world)["whatsapp",]
        assert found.context == {"lost": 1, "top_codes": "timeout (1)"}
    assert shop.asked.count("kpis") == 1


def derive(shop: Shop, **values: int) -> None:
    """What was derived of a day three weeks ago."""
    rows = [
        {"day": (NOON - 3 * WEEK).date(), "measure": measure, "channel": "whatsapp", "use_case": "cart", "value": value}
        for measure, value in values.items()
    ]
    shop.database.append("day_measures", pl.DataFrame(rows, TABLES["day_measures"]))


def test_lost_messages_are_worth_what_such_messages_were_followed_by(shop: Shop) -> None:
    shop.take(failed("f1"), failed("f2"))
    derive(shop, messages_delivered=40, messages_converted=4, orders=5, value_cents=60_000)
    assert look(shop, rule())["whatsapp",].context["lost_cents"] == 2400  # two of a tenth of 120.00
    by_use_case = look(shop, rule(by=("use_case",), where=WHATSAPP))
    assert by_use_case["cart",].context["lost_cents"] == 2400
    by_integration = look(shop, rule(by=("integration",)))  # of which messages know nothing
    assert "lost_cents" not in by_integration["unknown",].context


def test_a_handful_of_messages_says_nothing_of_their_worth(shop: Shop) -> None:
    shop.take(failed("f1"))
    derive(shop, messages_delivered=20, messages_converted=4, orders=5, value_cents=60_000)
    assert "lost_cents" not in look(shop, rule())["whatsapp",].context


def test_what_cannot_be_known_is_left_out(shop: Shop) -> None:
    shop.take(failed("f1"), failed("f2", channel="site"))
    assert [reading.context.keys() & {"lost", "lost_cents"} for reading in look(shop, rule()).values()] == [
        {"lost"}
    ] * 2


def test_fallbacks_name_the_model(shop: Shop) -> None:
    about: dict[str, Any] = {"reason": "fallback", "model_version": "als-2.4"}
    shop.take(delivered("a", **about), delivered("b", **about), delivered("c", reason="fallback", model_version="x"))
    found = look(shop, rule("fallback_rate", by=("use_case",), fire=read_condition("> 0.2")))
    assert found["cart",].context == {"model_version": "als-2.4"}
