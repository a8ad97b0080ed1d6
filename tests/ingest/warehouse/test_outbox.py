from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cockpit.alerts.telling import Told
from cockpit.notify.message import Outcome, Receipt
from ingest.warehouse.alert_file import AlertFile, NotOwner
from ingest.warehouse.outbox import Attempt, Outbox, Status, Waiting, put
from tests.ingest.warehouse.notices import NOON, key, told

SECOND = timedelta(seconds=1)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AlertFile]:
    file = AlertFile(tmp_path / "alerts.sqlite")
    assert file.own(NOON)
    yield file
    file.close()


@pytest.fixture
def outbox(file: AlertFile) -> Outbox:
    return Outbox(file)


def queue(file: AlertFile, *notices: Told) -> None:
    with file.writing() as connection:
        for each in notices:
            put(connection, each, NOON)


def only(outbox: Outbox) -> Waiting:
    (waiting,) = outbox.waiting("oncall")
    return waiting


def settle(outbox: Outbox, notice: Waiting, outcome: Outcome, **how: Any) -> None:
    outbox.settle(Attempt(notice=notice, receipt=Receipt(outcome), at=NOON + SECOND, **how))


def statuses(file: AlertFile) -> dict[str, str]:
    with file.reading() as connection:
        return dict(connection.execute("SELECT key, status FROM outbox ORDER BY position").fetchall())


# Edge 10: nobody is told twice


def test_the_same_notice_is_never_queued_twice(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told(), replace(told(), payload=told(number=7).payload))
    queue(file, replace(told(), payload=told(number=8).payload))
    waiting = only(outbox)
    assert (waiting.key, waiting.says) == ("f1/1/firing/oncall/0", told().payload)


def test_a_notice_that_was_told_is_not_queued_again_by_its_key(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told())
    settle(outbox, only(outbox), Outcome.SENT)
    queue(file, told())
    assert outbox.waiting("oncall") == []


@pytest.mark.parametrize(
    "changes", [{"alert": "f2"}, {"episode": 2}, {"kind": "repeat"}, {"receiver": "lead"}, {"number": 1}]
)
def test_another_alert_episode_kind_receiver_or_number_is_another_told(
    file: AlertFile, changes: dict[str, Any]
) -> None:
    queue(file, told(), told(**changes))
    assert len(statuses(file)) == 2


def test_a_notice_is_due_from_its_time_on(file: AlertFile, outbox: Outbox) -> None:
    queue(file, replace(told(), not_before=NOON + 30 * SECOND))
    latest = NOON + 300 * SECOND
    assert outbox.due(NOON + 29 * SECOND, latest) == []
    assert outbox.due(NOON + 30 * SECOND, latest) == ["oncall"]
    assert outbox.due(NOON - 300 * SECOND, NOON + 29 * SECOND) == ["oncall"]


def test_a_failure_stays_and_keeps_count_until_the_last_attempt(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told())
    settle(outbox, only(outbox), Outcome.UNKNOWN, next_try_at=NOON + 9 * SECOND)
    waiting = only(outbox)
    assert (waiting.attempts, waiting.next_try_at) == (1, NOON + 9 * SECOND)
    settle(outbox, waiting, outcome=Outcome.FAILED)
    assert statuses(file) == {"f1/1/firing/oncall/0": Status.GIVEN_UP}


def test_one_message_that_goes_through_wakes_what_failed_for_the_same_receiver_only(
    file: AlertFile, outbox: Outbox
) -> None:
    queue(
        file, told(), told(alert="f2"), told(receiver="lead"), replace(told(alert="f3"), not_before=NOON + 60 * SECOND)
    )
    first, second, _ = outbox.waiting("oncall")
    (lead,) = outbox.waiting("lead")
    for each in (second, lead):
        settle(outbox, each, Outcome.FAILED, next_try_at=NOON + 300 * SECOND)
    settle(outbox, first, Outcome.SENT)
    assert [each.next_try_at for each in outbox.waiting("oncall")] == [NOON + SECOND, NOON + 60 * SECOND]
    assert [each.next_try_at for each in outbox.waiting("lead")] == [NOON + 300 * SECOND]


def test_what_supersedes_older_ones_keeps_their_count(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told(), told("repeat", 1))
    older, newest = outbox.waiting("oncall")
    outbox.supersede({older.key: newest.key}, [replace(newest, attempts=4)])
    assert [(each.kind, each.attempts) for each in outbox.waiting("oncall")] == [("repeat", 4)]
    assert statuses(file)[older.key] == Status.SUPERSEDED


def test_a_standby_is_told_once_also_if_it_is_a_receiver_of_the_same_told(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told(), told(receiver="lead"))
    for _ in range(3):
        settle(outbox, only(outbox), Outcome.FAILED, next_try_at=NOON, standby="lead")
    assert [each.stands_for for each in outbox.waiting("lead")] == [None]


def test_the_end_goes_to_the_standby_that_was_told_of_the_beginning(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told())
    settle(outbox, only(outbox), Outcome.FAILED, next_try_at=NOON, standby="lead")
    queue(file, told("repeat", 1), told("resolved", 2))
    assert [(each.kind, each.stands_for) for each in outbox.waiting("lead")] == [
        ("firing", "oncall"),
        ("resolved", "oncall"),
    ]


def test_the_end_goes_to_the_standby_also_when_it_was_decided_before_the_standby_was_called(
    file: AlertFile, outbox: Outbox
) -> None:
    queue(file, told())
    firing = only(outbox)
    queue(file, told("resolved", 1))
    settle(outbox, firing, Outcome.FAILED, next_try_at=NOON, standby="lead")
    _, resolved = outbox.waiting("oncall")
    settle(outbox, resolved, Outcome.SENT)
    assert [each.kind for each in outbox.waiting("lead")] == ["firing", "resolved"]


def test_who_does_not_own_the_file_may_not_begin_an_attempt(file: AlertFile, tmp_path: Path) -> None:
    queue(file, told())
    other = AlertFile(tmp_path / "alerts.sqlite")
    with pytest.raises(NotOwner):
        Outbox(other).supersede({}, [])
    other.close()


def test_facts_that_this_version_cannot_read_do_not_keep_a_notice_back(file: AlertFile, outbox: Outbox) -> None:
    queue(file, told())
    with file.writing() as connection:
        connection.execute('UPDATE outbox SET payload = \'{"kind": "of another version"}\'')
    assert (only(outbox).key, only(outbox).says) == (key(), None)


def test_the_end_of_a_later_episode_is_not_for_a_standby_that_was_told_of_the_end_before(
    file: AlertFile, outbox: Outbox
) -> None:
    queue(file, told())
    settle(outbox, only(outbox), Outcome.FAILED, next_try_at=NOON, standby="lead")
    queue(file, told("resolved", 1), told(episode=2), told("resolved", 1, episode=2))
    assert [each.key for each in outbox.waiting("lead")] == [key(receiver="lead"), key("resolved", 1, receiver="lead")]


def test_the_end_of_one_alert_of_a_group_goes_to_the_standby_that_was_told_of_the_group(
    file: AlertFile, outbox: Outbox
) -> None:
    queue(file, replace(told(alert="g1"), alerts=("f1", "f2")))
    settle(outbox, only(outbox), Outcome.FAILED, next_try_at=NOON, standby="lead")
    queue(file, told("resolved", 1, alert="f2"), told("resolved", 1, alert="f3"))
    assert [each.alerts for each in outbox.waiting("lead")] == [("f1", "f2"), ("f2",)]
