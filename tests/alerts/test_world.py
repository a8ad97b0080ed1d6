from datetime import UTC, datetime

from cockpit.alerts.readings import readings
from cockpit.alerts.world import Span, World, references
from tests.alerts.looks import AT, DELAY, WHATSAPP, numbers, rule
from tests.alerts.shop import MINUTE, SECOND, ZONE, Shop, delivered, every, failed
from tests.warehouse_events import NOON


def test_the_same_hour_is_that_of_the_clock_on_the_wall() -> None:
    # Brazil's clocks went forward on 2018-11-04: noon is 14:00 UTC from then on, and was 15:00 before.
    noon = datetime(2018, 11, 9, 14, tzinfo=UTC)
    spans = references(noon, datetime(2018, 1, 1, tzinfo=UTC), ZONE)
    assert [span.start for span in spans] == [
        datetime(2018, 11, 2, 15, tzinfo=UTC), datetime(2018, 10, 26, 15, tzinfo=UTC),
        datetime(2018, 10, 19, 15, tzinfo=UTC), datetime(2018, 10, 12, 15, tzinfo=UTC),
    ]  # fmt: skip
    assert references(noon, noon - 30 * MINUTE, ZONE) == [Span(noon - 30 * MINUTE, noon)]


def test_rules_of_one_window_share_one_query(shop: Shop) -> None:
    shop.take(failed("f"), delivered("d", channel="email"))
    world = World(shop.reads, ZONE)
    world.turn(AT + DELAY, {})
    for asked in (rule(), rule("fallback_rate"), rule(by=("use_case",), where=WHATSAPP), rule("suppression_rate")):
        readings(asked, AT, world)
    assert shop.asked.count("alert_events") == 1


def test_what_comes_in_for_a_window_that_has_settled_changes_no_reading_of_it(shop: Shop) -> None:
    shop.take(delivered("d"))
    world = World(shop.reads, ZONE)
    world.turn(AT + DELAY, {})
    before = numbers(readings(rule(), AT, world))
    shop.take(failed("late", at=NOON + 2 * MINUTE))
    world.turn(AT + 2 * DELAY, {})
    assert numbers(readings(rule(), AT + DELAY, world)) == before
    world.turn(AT + MINUTE + DELAY, {})
    assert numbers(readings(rule(), AT + MINUTE, world))["whatsapp",] == (1.0, 1)


def test_an_hour_that_was_still_filling_up_is_counted_again_after_a_while(shop: Shop) -> None:
    # A new shop that sends its last hour first: what is usual must not stay what the first look saw of it.
    asked = rule("channel_events_of_baseline", window=10 * MINUTE)
    shop.take(*every(20 * SECOND, NOON - 40 * MINUTE, NOON))
    world = World(shop.reads, ZONE)
    at = NOON + 10 * MINUTE
    world.turn(at + DELAY, {})
    assert numbers(readings(asked, at, world)) == {("site",): (0.0, 30)}
    more = [{**row, "message_id": f"more-{row['message_id']}"} for row in every(20 * SECOND, NOON - 40 * MINUTE, NOON)]
    shop.take(*more)
    for _ in range(5):
        at += MINUTE
        world.turn(at + DELAY, {})
        found = numbers(readings(asked, at, world))
    assert found == {("site",): (0.0, 60)}


def test_a_window_that_has_not_settled_is_asked_for_again(shop: Shop) -> None:
    world = World(shop.reads, ZONE)
    world.turn(AT, {})
    assert numbers(readings(rule(), AT, world)) == {}
    shop.take(delivered("on its way"))
    world.turn(AT + SECOND, {})
    assert numbers(readings(rule(), AT, world)) == {("whatsapp",): (0.0, 1)}
