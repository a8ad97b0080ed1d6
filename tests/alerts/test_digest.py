"""Edge 20 of alerts.md: what recovered while everyone slept."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.digest import Digest, digest_text, digests, last_morning
from cockpit.alerts.machine import Transition, acknowledge, transition
from cockpit.alerts.messages import Place
from cockpit.alerts.rules import Receiver
from cockpit.kpis.kpi import Unit
from tests.alerts.rounds import START, TICK, Life, alert_of, file_of, inputs_of, rule_of

ZONE = ZoneInfo("America/Sao_Paulo")
RULE = rule_of(unit=Unit.SHARE)
FILE = file_of(RULE)
END = START + timedelta(hours=12)


def history(text: str, channel: str = "whatsapp", taken_by: str = "") -> list[Transition]:
    """Of one alert; it is taken as soon as it fires."""
    life = Life(RULE, alert_of(RULE, channel=channel))
    rows = []
    for name in inputs_of(text):
        before = life.alert
        life.live([name])
        if taken_by and life.alert.is_open and not before.is_open:
            life.alert = acknowledge(life.alert, taken_by, None)
        rows.append(transition(before, life.alert, life.at))
    return [row for row in rows if row is not None]


def test_a_digest_lists_the_episodes_that_are_over() -> None:
    rows = history("OKV BREACHx20 OKVx10 BREACHx20")
    (digest,) = digests(rows, FILE, START, END)
    assert [(row.episode, row.lasted) for row in digest.episodes] == [(1, 24 * TICK)]


def test_an_episode_without_data_is_one_of_them() -> None:
    (digest,) = digests(history("OKV MISSINGx20 OKV"), FILE, START, END)
    (row,) = digest.episodes
    assert (row.lasted, row.peak) == (20 * TICK, None)


def test_only_what_ended_since_the_last_digest_counts() -> None:
    rows = history("BREACHx20 OKVx10")
    over = next(row.at for row in rows if row.is_closing)
    assert digests(rows, FILE, over + TICK, END) == ()
    assert digests(rows, FILE, START, over) == ()
    assert len(digests(rows, FILE, over, over + TICK)) == 1


def test_a_receiver_hears_of_its_own_rules() -> None:
    rows = history("BREACHx20 OKVx10")
    assert [digest.receiver for digest in digests(rows, FILE, START, END)] == ["oncall"]
    both = file_of(msgspec.structs.replace(RULE, receivers=("oncall", "lead")))
    assert [digest.receiver for digest in digests(rows, both, START, END)] == ["oncall", "lead"]


def test_a_receiver_may_want_no_digest() -> None:
    pager = Receiver(name="pager", url_env="COCKPIT_ALERT_PAGER", wants_digest=False)
    file = file_of(msgspec.structs.replace(RULE, receivers=("oncall", "pager")), receivers=(*FILE.receivers, pager))
    assert [digest.receiver for digest in digests(history("BREACHx20 OKVx10"), file, START, END)] == ["oncall"]


def test_nothing_to_tell_is_no_digest() -> None:
    assert digests(history("OKVx10"), FILE, START, END) == ()


def said(digest: Digest, language: str) -> list[str]:
    text = digest_text(digest, FILE, Place(language, ZONE))
    return [text.title.replace("\u00a0", " "), *text.body.replace("\u00a0", " ").splitlines()]


def test_a_digest_says_when_how_long_how_bad_and_who_took_it() -> None:
    rows = [*history("BREACHx37 OKVx5", taken_by="ana@example.com"), *history("OKV BREACHx20 OKVx5", "site")]
    (digest,) = digests(rows, FILE, START, START + timedelta(hours=1))
    assert said(digest, "pt-BR") == [
        "[RESUMO] 2 episódios encerrados desde 15:00",
        "- Taxa de erro WhatsApp: 15:00\u201315:20 (20 min), reconhecido por ana, pico 700,0%",
        "- Taxa de erro Site: 15:00\u201315:12 (12 min), ninguém reconheceu, pico 700,0%",
    ]
    assert said(digest, "en")[1] == "- Error rate WhatsApp: 15:00\u201315:20 (20 min), acknowledged by ana, peak 700.0%"


def test_a_long_digest_lists_the_longest_and_counts_the_rest() -> None:
    rows = [row for index in range(25) for row in history(f"BREACHx{20 + index} OKVx5", f"c{index}")]
    (digest,) = digests(rows, FILE, START, END)
    lines = said(digest, "pt-BR")
    assert len(lines) == 1 + 20 + 1
    assert "c24" in lines[1]
    assert lines[-1] == "… e mais 5"


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (datetime(2026, 11, 24, 12, 0, tzinfo=UTC), datetime(2026, 11, 24, 12, 0, tzinfo=UTC)),
        (datetime(2026, 11, 24, 11, 59, tzinfo=UTC), datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        (datetime(2018, 11, 4, 11, 0, tzinfo=UTC), datetime(2018, 11, 4, 11, 0, tzinfo=UTC)),  # summer time since 0:00
    ],
)
def test_the_digest_is_due_at_nine_by_the_business_clock(now: datetime, morning: datetime) -> None:
    assert last_morning(now, ZONE) == morning


@given(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_last_morning_is_at_most_a_day_and_an_hour_ago(now: datetime) -> None:
    assert timedelta(0) <= now - last_morning(now, ZONE) < timedelta(hours=25)
