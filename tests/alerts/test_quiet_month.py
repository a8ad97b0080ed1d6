"""A short form of `make quiet-month`: the night and the morning of one day, a week after the same hours."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest

from cockpit.alerts.past import Past, Rerun
from cockpit.config import Config
from cockpit.simulator.truth import Incident
from tests.alerts.past_reads import Asked
from tests.alerts.quiet_month import RULES, START, rules_of, well
from tests.alerts.quiet_shop import DAY, HOUR, Town, shop_of
from tests.alerts.quiet_watch import MINUTE, Page, Watch, columns, of_experiments

RATE = 1.5
NIGHT = START + 7 * DAY + 5 * HOUR  # two o'clock in São Paulo, when a seventh of the mean comes in
HOURS = 7
FAILS_AT = NIGHT + 6 * HOUR  # eight o'clock
FAILING = Incident(
    kind="failing_integration", target="vitrine_web", begins_at=FAILS_AT, lasts_minutes=60, strength=0.75
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Page]:
    """Of the default rules but those about experiments."""
    config = Config(run_dir=tmp_path_factory.mktemp("shop"))
    with Town(config, shop_of(RATE), 1, NIGHT - 7 * DAY) as town:
        town.go_on(town.now + HOURS * HOUR)
    rules, dice = of_experiments(rules_of(RULES), wanted=False), Random(1)
    with Town(config, shop_of(RATE, (FAILING,)), 2, NIGHT) as town:
        town.go_on(NIGHT + HOURS * HOUR)
        past = Past(Asked(town.database, config.zone), columns(rules))
        watch = Watch(rules, Rerun(past, config.zone))
        for number in range(30, HOURS * 60):  # visits that began before are missing at first
            minute = NIGHT + number * MINUTE
            watch.round(minute, well(dice, town.age_s(minute)))
    return watch.pages


def test_a_quiet_night_and_a_quiet_morning_call_nobody(pages: Sequence[Page]) -> None:
    assert [page.line for page in pages if page.at < FAILS_AT] == []


def test_an_integration_that_fails_is_told_within_a_quarter_of_an_hour(pages: Sequence[Page]) -> None:
    first = next(page for page in pages if page.at >= FAILS_AT)
    assert (first.rule_id, first.about) == ("integration_error_rate", ({"channel": "site"},))
    assert first.at - FAILS_AT < timedelta(minutes=15)
