import pytest

from cockpit.alerts.metrics import ALERT_METRICS, MIN_EXPECTED, OfKpi, Read, columns_of, fitted, infos
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import LABELS, Known
from cockpit.alerts.world import MEASURES
from cockpit.config import ROOT
from cockpit.kpis.kpi import Unit
from cockpit.kpis.registry import kpi_of, measures_of
from tests.alerts.rounds import file_of, rule_of

TEXT = (ROOT / "data" / "alerts.toml").read_text(encoding="utf-8")
PAGES = frozenset({"/", *(f"/{path.stem}" for path in (ROOT / "pages").glob("*.py"))})
OF_KPIS = {name: metric.of for name, metric in ALERT_METRICS.items() if isinstance(metric.of, OfKpi)}


def test_the_rules_that_come_with_cockpit_ask_for_nothing_else() -> None:
    file = read_rules(TEXT, "alerts.toml", Known(infos(), PAGES))
    assert fitted(file) == file


@pytest.mark.parametrize("name", ALERT_METRICS)
def test_a_metric_is_told_apart_only_by_what_names_nobody(name: str) -> None:
    assert set(ALERT_METRICS[name].labels) <= set(LABELS)


@pytest.mark.parametrize("name", OF_KPIS)
def test_a_kpi_is_that_of_the_registry_and_its_measures_are_read(name: str) -> None:
    of = OF_KPIS[name]
    assert ALERT_METRICS[name].unit == kpi_of(of.kpi).unit
    if of.read is Read.LATENCIES:
        assert ALERT_METRICS[name].unit is Unit.MILLISECONDS
    else:
        assert set(measures_of([of.kpi])) <= MEASURES[of.read].keys() | {of.kpi}


@pytest.mark.parametrize("name", OF_KPIS)
def test_what_is_expected_of_a_kpi_is_counted_from_events(name: str) -> None:
    assert set(OF_KPIS[name].sample.columns()) <= MEASURES[Read.EVENTS].keys()


def test_a_rule_against_other_weeks_never_judges_by_fewer_than_twenty_expected() -> None:
    rule = rule_of(metric="channel_events_of_baseline", min_count=3)
    assert fitted(file_of(rule)).rules[0].min_count == MIN_EXPECTED
    careful = rule_of(metric="channel_events_of_baseline", min_count=300)
    assert fitted(file_of(careful)).rules[0].min_count == 300


def test_only_signs_of_life_are_said_while_no_events_come_in() -> None:
    assert {name for name, metric in ALERT_METRICS.items() if not metric.is_of_data} == {
        "queue_lag_s", "queue_rising_s", "queue_events", "freshness_s", "heartbeat_age_s", "rule_failing_s",
    }  # fmt: skip


def test_a_campaign_is_an_experience() -> None:
    assert columns_of(("channel", "campaign")) == {"channel": "channel", "campaign": "experience_id"}
