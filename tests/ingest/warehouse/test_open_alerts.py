"""What the live feed shows of the alerts, of rounds that really were."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit.alerts.machine import Alert, State, acknowledge
from cockpit.alerts.rules import RuleFile, Severity
from cockpit.clock import to_us
from cockpit.kpis import live
from cockpit.store.database import Database
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_store import AlertStore, Changes
from ingest.warehouse.open_alerts import SHOWN, OpenAlerts, shown
from tests.alerts.rounds import START, alert_of, file_of, rule_of
from tests.alerts.shop import MINUTE, delivered, failed
from tests.ingest.warehouse.duties import Post
from tests.views.alert_shop import DROP, ERRORS, QUEUE, SILENT, Shop, lively
from tests.warehouse_events import NOON, Row

RULE = rule_of()


def firing(channel: str, began: int = 0, severity: Severity = Severity.CRITICAL, state: State = State.FIRING) -> Alert:
    alert = alert_of(RULE, channel=channel)
    return replace(alert, state=state, severity=severity, active_at=START + timedelta(minutes=began))


def of(*alerts: Alert, file: RuleFile | None = None) -> live.Alerts:
    return shown(file or file_of(RULE), alerts, START, START)


def channels(found: live.Alerts) -> list[str]:
    return [each.title["en"].split(" · ")[1] for each in found.worst]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = lively(tmp_path, NOON)
    yield made
    made.kept.close()


def minute(number: int, failures: int) -> list[Row]:
    """Ten attempts, so many of which failed."""
    at = NOON + number * MINUTE
    return [(failed if place < failures else delivered)(f"{number}-{place}", at=at) for place in range(10)]


def test_they_are_counted_by_severity_and_what_nobody_can_judge_apart() -> None:
    blind = firing("email", state=State.NODATA)
    found = of(firing("site"), firing("app", severity=Severity.WARN), firing("push", state=State.RECOVERING), blind)
    assert (found.critical, found.warning, found.no_data) == (2, 1, 1)


def test_the_worst_come_first_and_five_at_most() -> None:
    taken = acknowledge(firing("ads", 0), "ana", None)
    blind, warned = firing("sms", 0, state=State.NODATA), firing("push", 0, Severity.WARN)
    better = firing("email", 0, state=State.RECOVERING)
    found = of(better, blind, warned, taken, firing("site", 2), firing("app", 1))
    assert channels(found) == ["App", "Site", "Ads", "Push", "sms"]
    assert len(found.worst) == SHOWN
    assert [each.is_acked for each in found.worst] == [False, False, True, False, False]
    assert (found.critical, found.warning, found.no_data) == (4, 1, 1), "those that are not listed are counted"


def test_a_title_is_in_both_languages_and_shows_nobodys_data() -> None:
    (one,) = of(firing("maria@example.com")).worst
    assert one.title == {"pt": "Taxa de erro · •••", "en": "Error rate · •••"}
    assert one.since == to_us(START) // 1000


def test_an_alert_whose_rule_is_gone_is_not_shown() -> None:
    assert of(firing("site"), file=file_of(rule_of(id="other"))) == of()


def test_a_restart_shows_what_was_kept(shop: Shop) -> None:
    heard: list[live.Alerts] = []
    OpenAlerts(shop.store, heard.append).committed(Changes(at=NOON))
    (found,) = heard
    assert (found.critical, found.warning, found.no_data) == (2, 1, 1)
    kept = shop.store.alerts()
    shown_rules = [kept[each.fingerprint].rule_id for each in found.worst]
    assert set(shown_rules) >= {ERRORS, DROP}
    assert not {QUEUE, SILENT} & set(shown_rules), "one is over, the other only pending"


def test_each_round_is_published_from_the_beginning_of_an_episode_to_its_end(tmp_path: Path) -> None:
    heard: list[live.Alerts] = []
    unused = AlertFile(tmp_path / "unused.sqlite")
    with Database.open(None) as database:
        post = Post(database, tmp_path)
        post.go_on(13 * MINUTE, *(row for at in range(13) for row in minute(at, 5 if 3 <= at < 8 else 0)))
        post.file.close()
    showing = OpenAlerts(AlertStore(unused), heard.append)
    for changes in post.heard:
        showing.committed(changes)
    unused.close()
    counts = [found.critical for found in heard]
    first, after = counts.index(1), len(counts) - counts[::-1].index(1)
    assert counts == [0] * first + [1] * (after - first) + [0] * (len(counts) - after), "one episode, and no gap in it"
    assert 0 < first < after < len(counts)
    (worst,) = heard[first].worst
    assert (worst.state, worst.title) == ("firing", {"pt": "Erros · WhatsApp", "en": "Errors · WhatsApp"})
    assert heard[-1].evaluated_at == to_us(NOON + 13 * MINUTE) // 1000
