from pathlib import Path

import pytest

from cockpit.alerts.metrics import MIN_EXPECTED, infos
from cockpit.alerts.rules import Known
from ingest.warehouse.rule_watch import RuleWatch
from tests.ingest.warehouse.duties import RECEIVER, rule_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.toml"


@pytest.fixture
def watch(path: Path) -> RuleWatch:
    return RuleWatch(path, Known(infos(), frozenset({"/alerts"})))


def write(path: Path, *rules: str) -> None:
    path.write_text(RECEIVER + "".join(rules), encoding="utf-8")


def test_a_file_is_told_once_until_it_changes(path: Path, watch: RuleWatch) -> None:
    write(path, rule_text())
    first = watch.changed()
    assert first is not None
    assert [rule.id for rule in first.rules] == ["errors"]
    assert watch.changed() is None
    write(path, rule_text(), rule_text(id="more"))
    second = watch.changed()
    assert second is not None
    assert [rule.id for rule in second.rules] == ["errors", "more"]


def test_a_bad_file_says_where_and_is_told_again_when_it_is_mended(path: Path, watch: RuleWatch) -> None:
    write(path, rule_text(metric="nothing"))
    assert watch.changed() is None
    assert watch.error.startswith("alerts.toml:")
    assert "metric" in watch.error
    assert watch.changed() is None
    write(path, rule_text())
    assert watch.changed() is not None
    assert watch.error == ""


def test_a_missing_file_is_an_error_and_its_place_is_nobodys_business(path: Path, watch: RuleWatch) -> None:
    assert watch.changed() is None
    assert watch.error == "alerts.toml: FileNotFoundError"
    write(path, rule_text())
    assert watch.changed() is not None


def test_what_is_forgotten_is_told_again(path: Path, watch: RuleWatch) -> None:
    write(path, rule_text())
    before = watch.changed()
    watch.forget()
    assert watch.changed() == before


def test_a_rule_against_other_weeks_gets_the_least_count_of_its_metric(path: Path, watch: RuleWatch) -> None:
    write(path, rule_text(metric="channel_events_of_baseline", min_count=3))
    file = watch.changed()
    assert file is not None
    assert file.rules[0].min_count == MIN_EXPECTED
