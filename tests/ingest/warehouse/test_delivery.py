import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cockpit.alerts.digest import Digest
from cockpit.alerts.telling import Told
from cockpit.clock import system_clock
from cockpit.notify.addresses import Address
from cockpit.notify.message import Message, Outcome, Receipt, Sender
from cockpit.notify.sender import AppriseSender
from ingest.warehouse.alert_file import AlertFile, AlertsUnusable, NotOwner
from ingest.warehouse.delivery import Delivery, Patience, Surroundings, plan
from ingest.warehouse.outbox import Outbox, Status, Waiting, put
from tests.ingest.warehouse.lives import IMPATIENT, compose, live, start
from tests.ingest.warehouse.notices import NOON, key, told
from tests.processes import until
from tests.recorder import Recorder, recording

# apprise 2.2 imports imghdr where it exists: it left Python with 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class People:
    """A sender that remembers, and does with each message what it was told to do."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.tried: list[str] = []
        self.meet: Callable[[Message], Receipt] = lambda _: Receipt(Outcome.SENT)

    def send(self, message: Message) -> Receipt:
        self.tried.append(message.key)
        receipt = self.meet(message)
        if receipt.outcome is Outcome.SENT:
            self.sent.append(message.key)
        return receipt

    def fail(self, *receivers: str, outcome: Outcome = Outcome.FAILED) -> None:
        self.meet = lambda message: Receipt(outcome if message.receiver in receivers else Outcome.SENT)


class Post:
    """The outbox, its delivery and the people, with a clock that stands."""

    def __init__(self, path: Path, people: Sender | None = None) -> None:
        self.path = path
        self.now = NOON
        self.people = People()
        self.standbys = {"oncall": "lead"}
        self.sender: Sender = people or self.people
        self.start()

    def start(self) -> None:
        self.file = AlertFile(self.path)
        assert self.file.own(self.now)
        self.outbox = Outbox(self.file)
        around = Surroundings(clock=lambda: self.now, chance=lambda: 0.0)
        self.delivery = Delivery(self.outbox, self.sender, compose, self.standbys.get, around)

    def restart(self) -> None:
        self.file.close()
        self.start()

    def queue(self, *notices: Told) -> None:
        with self.file.writing() as connection:
            for each in notices:
                put(connection, each, self.now)

    def deliver(self) -> None:
        """All that is due."""
        while any(self.delivery.turn(receiver) for receiver in self.outbox.due(self.now, self.now + 5 * MINUTE)):
            pass

    def wait(self, duration: timedelta, every: timedelta = SECOND) -> None:
        until = self.now + duration
        while self.now < until:
            self.now += every
            self.deliver()

    def rows(self) -> dict[str, tuple[str, str | None]]:
        """Status, and by what it was superseded, by key."""
        with self.file.reading() as connection:
            found = connection.execute("SELECT key, status, superseded_by FROM outbox ORDER BY position").fetchall()
        return {key: (status, by) for key, status, by in found}


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    post = Post(tmp_path / "alerts.sqlite")
    yield post
    post.file.close()


def test_a_notice_is_told_once_and_recorded(post: Post) -> None:
    post.queue(told())
    post.deliver()
    post.deliver()
    assert post.people.sent == [key("firing")]
    assert post.rows() == {key("firing"): (Status.SENT, None)}


def test_nothing_is_told_before_its_time(post: Post) -> None:
    post.queue(replace(told(), not_before=NOON + 30 * SECOND))
    post.wait(29 * SECOND)
    assert post.people.tried == []
    post.wait(SECOND)
    assert post.people.sent == [key("firing")]


def test_what_was_committed_and_not_sent_is_sent_once_after_a_restart(post: Post) -> None:
    post.queue(told())
    post.restart()
    post.deliver()
    post.restart()
    post.deliver()
    assert post.people.sent == [key("firing")]


# Edge 9: receivers that are down or slow


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
def test_failed_or_unknown_the_next_attempt_carries_the_same_key(post: Post, outcome: Outcome) -> None:
    post.queue(told())
    post.people.fail("oncall", outcome=outcome)
    post.deliver()
    post.people.fail()
    post.wait(5 * SECOND)
    assert post.people.tried == [key("firing")] * 2


def test_pauses_double_from_five_seconds_to_five_minutes(post: Post) -> None:
    post.standbys.clear()
    tried: list[float] = []

    def fail(_: Message) -> Receipt:
        tried.append((post.now - NOON).total_seconds())
        return Receipt(Outcome.FAILED)

    post.people.meet = fail
    post.queue(told())
    post.deliver()
    post.wait(15 * MINUTE)
    # 5, 10, 20 … and at most 200 s, to which chance adds up to half.
    assert tried == [0, 5, 15, 35, 75, 155, 315, 515, 715]


@given(attempts=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_shorter_than_five_seconds_nor_longer_than_five_minutes(attempts: int, chance: float) -> None:
    pause = Patience().pause(attempts, chance)
    assert 5 * SECOND <= pause <= 5 * MINUTE
    assert Patience().pause(attempts + 1, chance) >= pause


def test_a_receiver_that_was_down_for_an_hour_gets_one_message_that_says_what_is_the_case_now(post: Post) -> None:
    post.people.fail("oncall", "lead")
    post.queue(told())
    for number in range(1, 4):
        post.wait(20 * MINUTE, every=5 * SECOND)
        post.queue(told("repeat", number))
    post.people.fail()
    post.wait(5 * MINUTE)
    assert [sent for sent in post.people.sent if "/oncall/" in sent] == [key("repeat", 3)]
    assert post.rows()[key("firing")] == (Status.SUPERSEDED, key("repeat", 1))


def test_an_episode_that_began_and_ended_unheard_is_told_once_by_its_end(post: Post) -> None:
    post.people.fail("oncall")
    post.queue(told())
    post.deliver()
    post.queue(told("repeat", 1), told("resolved", 2))
    post.people.fail()
    post.wait(5 * SECOND)
    assert post.people.sent == [key("resolved", 2)]


def test_what_supersedes_waits_as_long_as_what_it_supersedes(post: Post) -> None:
    post.people.fail("oncall", "lead")
    post.queue(told())
    post.wait(40 * SECOND)
    tried = len(post.people.tried)
    post.queue(replace(told("resolved", 1), not_before=post.now))
    post.deliver()
    assert [each for each in post.people.tried[tried:] if "/oncall/" in each] == []
    assert [(each.kind, each.attempts) for each in plan(post.outbox.waiting("oncall")).heads] == [("resolved", 4)]


def test_what_is_known_to_a_receiver_under_one_key_goes_out_in_order_though_about_different_alerts(post: Post) -> None:
    post.people.fail("oncall")
    post.queue(replace(told(alert="f1"), dedup_key="g1"), replace(told("resolved", alert="f2"), dedup_key="g1"))
    post.deliver()
    assert post.people.tried == [key(alert="f1")]


def test_every_episode_is_told_and_an_older_one_never_after_a_newer_one(post: Post) -> None:
    post.people.fail("oncall")
    post.queue(told(), told("resolved", 1))
    post.deliver()
    post.queue(told(episode=2))
    post.deliver()
    assert set(post.people.tried) == {key("resolved", 1)}
    post.people.fail()
    post.wait(5 * SECOND)
    assert post.people.sent == [key("resolved", 1), key("firing", episode=2)]


def test_one_alert_does_not_wait_for_another(post: Post) -> None:
    post.people.meet = lambda message: Receipt(Outcome.FAILED if message.dedup_key == "f1" else Outcome.SENT)
    post.queue(told(), told(alert="f2"))
    post.deliver()
    assert post.people.sent == ["f2/1/firing/oncall/0"]


def test_one_message_that_goes_through_brings_the_others_at_once(post: Post) -> None:
    post.people.fail("oncall")
    post.queue(*(told(alert=f"f{number}") for number in range(5)))
    post.deliver()
    post.people.fail()
    post.queue(told(alert="new"))
    post.deliver()
    assert len(post.people.sent) == 6


def test_after_three_failures_the_standby_is_told_too(post: Post) -> None:
    post.people.fail("oncall")
    post.queue(told())
    post.deliver()
    post.wait(5 * SECOND)
    assert post.people.sent == []
    post.wait(10 * SECOND)
    assert post.people.sent == [key("firing", receiver="lead")]
    post.wait(HOUR, every=10 * SECOND)
    assert post.people.sent == [key("firing", receiver="lead")]


def test_a_receiver_without_address_has_its_standby_told_at_once(post: Post) -> None:
    post.people.fail("oncall", outcome=Outcome.NO_SUCH_RECEIVER)
    post.queue(told())
    post.deliver()
    assert post.people.sent == [key("firing", receiver="lead")]


def test_a_digest_that_fails_is_nobody_elses(post: Post) -> None:
    post.people.fail("oncall")
    with post.file.writing() as connection:
        put(connection, Digest("digest/x/oncall", "oncall", NOON, NOON, ()), NOON)
    post.wait(MINUTE)
    assert list(post.rows()) == ["digest/x/oncall"]


def test_two_receivers_that_stand_in_for_each_other_and_both_fail_are_asked_no_more_than_once_each(post: Post) -> None:
    post.standbys["lead"] = "oncall"
    post.people.fail("oncall", "lead")
    post.queue(told())
    post.wait(MINUTE)
    assert set(post.rows()) == {key("firing"), key("firing", receiver="lead")}


def test_after_six_hours_it_is_given_up_and_the_end_is_still_told(post: Post) -> None:
    post.standbys.clear()
    post.people.fail("oncall")
    post.queue(told())
    post.wait(6 * HOUR + 5 * MINUTE, every=20 * SECOND)
    assert post.rows() == {key("firing"): (Status.GIVEN_UP, None)}
    post.queue(replace(told("resolved", 1), not_before=post.now))
    post.people.fail()
    post.deliver()
    assert post.people.sent == [key("resolved", 1)]


def test_hours_in_which_nobody_tried_are_no_reason_to_give_up(post: Post) -> None:
    post.standbys.clear()
    post.people.fail("oncall")
    post.queue(told())
    post.now += 7 * HOUR
    post.wait(10 * MINUTE)
    assert post.rows() == {key(): (Status.WAITING, None)}
    post.wait(HOUR, every=10 * SECOND)
    assert post.rows() == {key(): (Status.GIVEN_UP, None)}


def test_what_was_put_off_before_the_clock_was_set_back_does_not_wait_for_the_old_time(post: Post) -> None:
    post.people.fail("oncall")
    post.queue(told())
    post.deliver()
    post.people.fail()
    post.now -= HOUR
    post.deliver()
    assert post.people.sent == [key()]


# Edge 12: two of them


def test_who_lost_the_file_while_sending_does_not_send_again_and_the_new_owner_does(post: Post, tmp_path: Path) -> None:
    def lose(_: Message) -> Receipt:
        with post.file._transaction() as connection:
            connection.execute("UPDATE heartbeat SET token = token + 1")
        return Receipt(Outcome.SENT)

    post.people.meet = lose
    post.queue(told())
    for _ in range(3):
        with pytest.raises(NotOwner):
            post.delivery.turn("oncall")
    assert post.people.tried == [key("firing")]
    post.restart()
    post.people.fail()
    post.deliver()
    assert post.people.sent == [key("firing")] * 2


def test_what_was_sent_while_the_disk_was_full_is_not_sent_again_until_it_can_be_recorded(post: Post) -> None:
    full = "CREATE TRIGGER full BEFORE UPDATE ON outbox BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
    post.queue(told())
    with post.file.writing() as connection:
        connection.execute(full)
    for _ in range(3):
        with pytest.raises(AlertsUnusable, match="disk is full"):
            post.delivery.turn("oncall")
    with post.file.writing() as connection:
        connection.execute("DROP TRIGGER full")
    post.deliver()
    assert post.people.tried == [key("firing")]
    assert post.rows() == {key("firing"): (Status.SENT, None)}


def test_who_does_not_own_the_file_tells_nobody(post: Post) -> None:
    post.queue(told())
    other = AlertFile(post.path)
    around = Surroundings(clock=lambda: NOON, chance=lambda: 0.0)
    with pytest.raises(NotOwner):
        Delivery(Outbox(other), post.people, compose, lambda _: None, around).turn("oncall")
    other.close()
    assert post.people.tried == []


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["firing", "repeat", "resolved"]), st.sets(st.sampled_from("abc"), min_size=1, max_size=3)
    ),
    max_size=12,
)


@given(ROWS)
def test_of_what_waits_about_an_alert_the_ends_and_what_is_newest_before_them_go_out_in_order(
    rows: list[tuple[str, set[str]]],
) -> None:
    waiting = [
        Waiting(
            key=str(number),
            dedup_key=min(alerts),
            receiver="r",
            kind=kind,
            alerts=tuple(sorted(alerts)),
            says=None,
            queued_at=NOON,
            next_try_at=NOON,
        )
        for number, (kind, alerts) in enumerate(rows)
    ]
    ahead = plan(waiting)
    stay = [each for each in waiting if each.key not in ahead.superseded]
    for alert in "abc":
        about = [each for each in waiting if alert in each.alerts]
        said = [each for each in stay if alert in each.alerts]
        assert all(each in said for each in about if each.closes), "an end is always told"
        assert said[-1:] == about[-1:], "the last word is what is the case now"
        assert len([each for each in said if each.alerts == (alert,)]) <= 1 + sum(each.closes for each in about)
        assert [each for each in ahead.heads if alert in each.alerts] in ([], said[:1])
    assert ahead.heads[:1] == tuple(stay[:1])
    assert all(int(by) > int(key) for key, by in ahead.superseded.items())


# Everything at once: what people get when sending fails, hangs, succeeds without an answer, and the process dies.


class Killed(BaseException):
    """The process is gone."""


Fate = Literal["sent", "failed", "lost", "late", "died before", "died after"]
ARRIVES = ("sent", "late", "died after")


class Deduplicating:
    """Somebody who drops what has a key that came before."""

    def __init__(self) -> None:
        self.fate: Fate = "sent"
        self.arrived: list[Message] = []
        self.kept: list[Message] = []

    def send(self, message: Message) -> Receipt:
        if self.fate in ARRIVES:
            if message.key not in {kept.key for kept in self.kept}:
                self.kept.append(message)
            self.arrived.append(message)
        if self.fate.startswith("died"):
            raise Killed
        outcomes = {"sent": Outcome.SENT, "failed": Outcome.FAILED, "lost": Outcome.UNKNOWN, "late": Outcome.UNKNOWN}
        return Receipt(outcomes[self.fate])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sampled_from(["f1", "f2"])),
        st.tuples(st.just("end"), st.sampled_from(["f1", "f2"])),
        st.tuples(st.just("turn"), st.sampled_from(["sent", "failed", "lost", "late", "died before", "died after"])),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 60, 400])),
    ),
    max_size=30,
)


class Life:
    """Notices of alerts as a machine decides them: an episode fires, repeats, and is resolved."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.open: dict[str, int] = {}
        self.episodes: Counter[str] = Counter()
        self.decided: list[Told] = []

    def decide(self, alert: str) -> None:
        if alert in self.open:
            self.open[alert] += 1
            self.queue(alert, "repeat")
        else:
            self.open[alert] = 0
            self.episodes[alert] += 1
            self.queue(alert, "firing")

    def end(self, alert: str) -> None:
        if alert in self.open:
            self.open[alert] += 1
            self.queue(alert, "resolved")
            del self.open[alert]

    def queue(self, alert: str, kind: str) -> None:
        number, episode = self.open[alert], self.episodes[alert]
        row = replace(told(kind, number, alert=alert, episode=episode), not_before=self.post.now)
        self.decided.append(row)
        self.post.queue(row)


def tell(post: Post) -> None:
    try:
        post.delivery.turn("oncall")
    except Killed:
        post.restart()


@settings(max_examples=40)
@given(STEPS)
def test_every_episode_is_told_at_least_once_and_once_per_key_to_who_drops_duplicates(
    steps: list[tuple[str, Any]],
) -> None:
    with TemporaryDirectory() as folder:
        people = Deduplicating()
        post = Post(Path(folder) / "alerts.sqlite", people)
        post.standbys.clear()
        life = Life(post)
        for verb, what in steps:
            if verb == "turn":
                people.fate = what
                tell(post)
            elif verb == "wait":
                post.now += what * SECOND
            else:
                getattr(life, verb)(what)
        people.fate = "sent"
        for _ in range(10):
            post.now += 5 * MINUTE
            post.deliver()
        rows = post.rows()
        post.file.close()
    assert {episode_of(each.key) for each in people.kept} == {episode_of(each.key) for each in life.decided}
    for alert in life.episodes:
        decided = [each.key for each in life.decided if each.dedup_key == alert]
        arrived = [decided.index(each.key) for each in people.arrived if each.dedup_key == alert]
        assert arrived == sorted(arrived), "an older one came after a newer one"
        assert arrived[-1] == len(decided) - 1, "the last word is what is the case now"
    for status, by in rows.values():
        assert status == Status.SENT or (status == Status.SUPERSEDED and by in rows)


def episode_of(key: str) -> str:
    return "/".join(key.split("/")[:2])


# The real loop: threads, apprise, HTTP, processes that are killed.


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


def hook(recorder: Recorder, name: str) -> Address:
    return Address(f"json://127.0.0.1:{recorder.port}/{name}")


class Running:
    """The delivery in a thread, until the end of the block."""

    def __init__(self, file: AlertFile, sender: Sender, standbys: dict[str, str] | None = None) -> None:
        around = Surroundings(clock=system_clock, chance=random.Random(7).random, patience=IMPATIENT)
        self.delivery = Delivery(Outbox(file), sender, compose, (standbys or {}).get, around)
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.delivery.run(self._stop)
        except BaseException as error:  # noqa: BLE001 - it is what the test asks for
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.delivery.wake()
        self._thread.join(20)

    def await_end(self) -> None:
        self._thread.join(20)


def test_refused_messages_are_sent_until_they_are_taken_with_the_same_keys(post: Post, recorder: Recorder) -> None:
    post.now = system_clock()
    answers = iter([500, 503, 429])
    recorder.status = lambda _: next(answers, 200)
    sender = AppriseSender({"oncall": hook(recorder, "a")}, "https://cockpit.example")
    with Running(post.file, sender) as running:
        post.queue(told())
        running.delivery.wake()
        recorder.await_requests(4)
    assert [got.json["notice_key"] for got in recorder.got] == [key("firing")] * 4
    assert post.rows() == {key("firing"): (Status.SENT, None)}


def test_what_was_not_answered_in_time_is_sent_again_with_the_same_key(post: Post, recorder: Recorder) -> None:
    post.now = system_clock()
    recorder.is_open.clear()
    sender = AppriseSender({"oncall": hook(recorder, "a")}, "https://cockpit.example", 0.2 * SECOND)
    with Running(post.file, sender) as running:
        post.queue(told())
        running.delivery.wake()
        recorder.await_requests(1)
        until(lambda: post.outbox.waiting("oncall")[0].attempts, what="no answer came in time")
        recorder.is_open.set()
        until(lambda: not post.outbox.waiting("oncall"), what="it is told")
    assert {got.json["notice_key"] for got in recorder.got} == {key()}
    assert len(recorder.got) >= 2


def test_a_receiver_that_does_not_answer_keeps_nobody_else_waiting(post: Post, recorder: Recorder) -> None:
    held = threading.Event()
    got: list[str] = []

    class Slow:
        def send(self, message: Message) -> Receipt:
            if message.receiver == "slow":
                held.wait(20)
            got.append(message.key)
            if message.receiver == "quick" and len(got) == 20:
                held.set()
            return Receipt(Outcome.SENT)

    post.queue(told(receiver="slow"), *(told(receiver="quick", alert=f"f{number}") for number in range(20)))
    with Running(post.file, Slow()) as running:
        running.delivery.wake()
        assert held.wait(20)
    assert got[-1] == key("firing", receiver="slow")
    assert len(got) == 21


def test_an_error_that_nobody_expects_ends_the_loop_instead_of_being_swallowed(post: Post) -> None:
    class Broken:
        def send(self, message: Message) -> Receipt:
            raise ZeroDivisionError(message.key)

    post.queue(told())
    with Running(post.file, Broken()) as running:
        running.await_end()
    assert isinstance(running.error, ZeroDivisionError)


def test_kill_minus_9_at_random_moments_loses_no_episode(tmp_path: Path, recorder: Recorder) -> None:
    chance = random.Random(5)
    recorder.status = lambda _: chance.choice([200, 200, 500])
    path = tmp_path / "alerts.sqlite"
    for _ in range(10):
        process = start(live, str(path), recorder.port, "decides")
        recorder.await_requests(len(recorder.got) + chance.randint(1, 20))
        threading.Event().wait(chance.random() * 0.02)  # the moment is what is random
        process.kill()
        process.join(10)
    process = start(live, str(path), recorder.port, "only delivers")
    reader = AlertFile(path)
    until(lambda: not Outbox(reader).waiting("oncall"), what="everything is told")
    process.kill()
    process.join(10)
    with reader.reading() as connection:
        rows = connection.execute("SELECT key, status FROM outbox").fetchall()
    reader.close()
    arrived = {got.body.decode() for got in recorder.got}
    assert {episode_of(key) for key in arrived} == {episode_of(key) for key, _ in rows}
    assert {key for key, status in rows if status == Status.SENT} <= arrived
    assert len(rows) > 50
