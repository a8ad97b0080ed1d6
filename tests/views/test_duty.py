"""What every page says of the alerts' engine, of what a warehouse really answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from msgspec.structs import replace

from cockpit.alerts.calendars import Calendar
from cockpit.alerts.rules import Mute, RuleFile
from cockpit.views.alerts import Engine
from cockpit.views.duty import Line, Reader, engine, mutes, state
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_frames import AlertFrames
from ingest.warehouse.alert_store import AlertStore, Changes

NOW = datetime(2026, 11, 24, 18, 44, tzinfo=UTC)  # 15:44 in São Paulo
MINUTE = timedelta(minutes=1)
ENGLISH, PORTUGUESE = (Reader(NOW, language, ZoneInfo("America/Sao_Paulo")) for language in ("en", "pt"))
FRIDAY = Mute(
    name="black-friday", reason="freeze", match={"severity": "warning"}, start=NOW - MINUTE, end=NOW + 90 * MINUTE
)


def known(ago: timedelta | None = timedelta(seconds=4), error: str = "", *planned: Mute) -> Engine:
    return Engine(None if ago is None else NOW - ago, RuleFile(mutes=planned), {}, error)


def said(lines: Iterator[Line]) -> list[tuple[str, str]]:
    return [(line.tone, line.text) for line in lines]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AlertFile]:
    opened = AlertFile(tmp_path / "alerts.sqlite")
    assert opened.own(NOW)
    yield opened
    opened.close()


def test_the_warehouse_says_when_it_evaluated_and_by_which_file(file: AlertFile) -> None:
    frames = AlertFrames(file)

    def reads(name: str, **_: object) -> pl.DataFrame:
        assert name == "alert_engine"
        return frames.engine(error)

    error = ""
    assert engine(reads) == Engine(None, RuleFile(), {}, "")
    AlertStore(file).write(Changes(at=NOW, file=RuleFile(mutes=(FRIDAY,)), evaluated_at=NOW))
    error = "bad"
    assert engine(reads) == Engine(NOW, RuleFile(mutes=(FRIDAY,)), {}, "bad")


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=60)])
def test_who_evaluates_is_not_spoken_of(ago: timedelta) -> None:
    assert said(state(known(ago), ENGLISH)) == []


def test_after_a_minute_without_an_evaluation_there_is_a_red_line() -> None:
    late = known(3 * MINUTE)
    assert said(state(late, PORTUGUESE)) == [
        ("bad", "Alertas sem avaliação há 3\u00a0min (última às 15:41): ninguém está vigiando.")
    ]
    assert said(state(late, ENGLISH)) == [
        ("bad", "Alerts not evaluated for 3\u00a0min (last at 15:41): nobody watches.")
    ]
    assert [line.tone for line in state(known(timedelta(seconds=61)), ENGLISH)] == ["bad"]


def test_before_the_first_evaluation_there_is_one_too() -> None:
    assert said(state(known(None), ENGLISH)) == [("bad", "Alerts have not been evaluated yet: nobody watches.")]


def test_without_an_answer_nobody_knows_and_that_is_no_second_red() -> None:
    assert said(state(None, ENGLISH)) == [
        ("warn", "It is not known whether alerts are evaluated: the warehouse does not answer.")
    ]
    assert said(mutes(None, ENGLISH)) == []


def test_a_refused_rule_file_is_said_beside_whether_rules_are_evaluated() -> None:
    assert [line.tone for line in state(known(error="alerts.toml:7: no TOML"), ENGLISH)] == ["warn"]
    assert [line.tone for line in state(known(2 * MINUTE, "alerts.toml:7: no TOML"), ENGLISH)] == ["bad", "warn"]


def test_a_planned_mute_says_name_reason_and_end_while_it_lasts() -> None:
    assert said(mutes(known(MINUTE, "", FRIDAY), PORTUGUESE)) == [
        ("soft", "Pausa planejada de mensagens “black-friday” até 17:14: freeze.")
    ]
    over = replace(FRIDAY, end=NOW)
    later = replace(FRIDAY, start=NOW + MINUTE)
    assert said(mutes(known(MINUTE, "", over, later), ENGLISH)) == []


def test_weekly_hours_without_messages_are_no_news() -> None:
    nights = Mute(name="nights", reason="x", match={"rule": "a"}, during=Calendar())
    assert nights.covers(NOW)
    assert said(mutes(known(MINUTE, "", nights), ENGLISH)) == []
