"""On duty on real event streams: the consumer takes them in, DuckDB answers, SQLite keeps what follows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.alerts.digest import Digest
from cockpit.alerts.machine import State
from cockpit.alerts.silences import Silence
from cockpit.errors import BadSetting, CallerError
from cockpit.experiments.lifecycle import experiments_of
from cockpit.store.database import Database
from cockpit.store.experiments import ExperimentState, mirror
from ingest.warehouse.duty import Ack, deadman_of
from tests.alerts.shop import DAY, HOUR, MINUTE, SECOND, WEEK, ZONE, delivered, every, failed, said
from tests.experiments.registrations import decide, registration
from tests.ingest.warehouse.duties import STEP, AtOnce, Machine, Post, rule_text
from tests.warehouse_events import NOON, Row, draft, event

Open = Callable[..., Post]
GOOD, BAD = 0, 5  # of ten attempts in a minute


@pytest.fixture
def on_duty(tmp_path: Path) -> Iterator[Open]:
    posts: list[Post] = []
    with Database.open(None) as database:

        def begin(*rules: str) -> Post:
            posts.append(Post(database, tmp_path, *rules))
            return posts[-1]

        yield begin
        for post in posts:
            post.file.close()


def minutes(first: int, *failures: int) -> list[Row]:
    """From a minute after noon on: so many of ten attempts failed in each."""
    return [row for number, each in enumerate(failures, first) for row in minute(number, each)]


def minute(number: int, failures: int, channel: str = "whatsapp") -> list[Row]:
    """Ten attempts in a minute after noon, so many of which failed."""
    at = NOON + number * MINUTE
    names = [f"{channel}-{number}-{place}" for place in range(10)]
    return [
        (failed if place < failures else delivered)(name, at=at + 5 * place * SECOND, channel=channel)
        for place, name in enumerate(names)
    ]


# The life of an alert


def test_errors_are_pending_then_firing_then_resolved(on_duty: Open) -> None:
    post = on_duty()
    # The minutes from 15:03 to 15:07 are bad. Each is known 20 s after its end, at the next quarter of a minute.
    post.go_on(13 * MINUTE, *minutes(0, *[GOOD] * 3, *[BAD] * 5, *[GOOD] * 5))
    assert post.history == [
        "whatsapp: ok > pending 15:04:30",
        "whatsapp: pending > firing 15:06:30",
        "whatsapp: firing > recovering 15:09:30",
        "whatsapp: recovering > ok 15:10:30",
    ]
    assert post.told == ["firing", "resolved"]
    assert post.alert(channel="whatsapp").peak == 0.5


def test_a_restart_after_every_round_changes_neither_history_nor_messages(on_duty: Open) -> None:
    post = on_duty()
    post.shop.take(*minutes(0, *[GOOD] * 3, *[BAD] * 5, *[GOOD] * 5))
    for _ in range(26):
        post.go_on(STEP)
        post.reopen()
    assert post.history == [
        "whatsapp: ok > pending 15:04:30",
        "whatsapp: pending > firing 15:06:30",
        "whatsapp: firing > recovering 15:09:30",
        "whatsapp: recovering > ok 15:10:30",
    ]
    assert post.told == ["firing", "resolved"]


def fire(post: Post) -> None:
    """Until 15:06, on bad minutes only."""
    post.go_on(6 * MINUTE, *minutes(0, *[BAD] * 6))


def test_a_blip_is_told_to_nobody(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(6 * MINUTE, *minutes(0, GOOD, BAD, GOOD, GOOD, GOOD, GOOD))
    assert [line.split()[3] for line in post.history] == ["pending", "ok"]
    assert post.told == []


# Edge 5: restarts


def test_a_restart_while_pending_keeps_the_timer(on_duty: Open) -> None:
    post = on_duty()
    post.shop.take(*minutes(0, *[BAD] * 4))
    for _ in range(4):
        post.go_on(MINUTE)
        post.reopen()
    assert post.history == ["whatsapp: ok > pending 15:01:30", "whatsapp: pending > firing 15:03:30"]


def test_time_that_nobody_watched_is_no_evidence(on_duty: Open) -> None:
    post = on_duty()
    post.shop.take(*minutes(0, BAD, BAD), *minutes(12, BAD, BAD, BAD))
    post.go_on(2 * MINUTE)
    post.machine.pass_(11 * MINUTE)
    post.reopen()
    post.go_on(MINUTE + 30 * SECOND)
    assert post.alert(channel="whatsapp").state is State.PENDING
    post.go_on(MINUTE)
    assert post.alert(channel="whatsapp").state is State.FIRING


def test_a_restart_while_firing_pages_nobody_again_and_resolves(on_duty: Open) -> None:
    post = on_duty()
    fire(post)
    assert post.told == ["firing"]
    post.reopen()
    post.go_on(5 * MINUTE, *minutes(6, *[GOOD] * 5))
    assert post.told == ["firing", "resolved"]
    assert post.alert(channel="whatsapp").episode == 1


# Too few, too late, twice


def test_one_error_of_two_sends_calls_nobody(on_duty: Open) -> None:
    """Edge 4 of alerts.md."""
    post = on_duty()
    times = {f"{number}": NOON + number * MINUTE for number in range(6)}
    post.shop.take(
        *(failed(f"f{name}", at=at) for name, at in times.items()),
        *(delivered(f"d{name}", at=at) for name, at in times.items()),
    )
    post.go_on(6 * MINUTE)
    assert (post.history, post.told) == ([], [])


def test_what_comes_in_late_fires_no_window_that_is_closed(on_duty: Open) -> None:
    """Edge 7 of alerts.md."""
    post = on_duty(rule_text(**{"for": "0s"}))
    post.go_on(2 * MINUTE, *minutes(0, GOOD, GOOD))
    post.go_on(3 * MINUTE, *minute(0, BAD, channel="email"))
    assert post.history == []


@pytest.mark.parametrize("copies", [0, 3])
def test_events_that_are_sent_again_do_not_thin_out_the_error_rate(on_duty: Open, copies: int) -> None:
    """Edge 8 of alerts.md: one error of ten stays 10 %, and would be 2.7 % of 37 if copies counted."""
    post = on_duty(rule_text(**{"for": "0s"}))
    sent = minute(0, failures=1)
    post.shop.take(*sent)
    for _ in range(copies):
        post.shop.take(*sent[1:])
    post.go_on(90 * SECOND)
    firing = post.alert(channel="whatsapp")
    assert (firing.state, firing.value, firing.count) == (State.FIRING, 0.1, 10)


def test_a_label_set_is_an_alert_of_its_own(on_duty: Open) -> None:
    post = on_duty(rule_text(**{"for": "0s"}))
    post.shop.take(*minute(0, BAD), *minute(0, GOOD, "email"), *minute(0, BAD, "push"))
    post.go_on(90 * SECOND)
    assert post.alert(channel="email").state is State.OK
    assert {line.split(":")[0] for line in post.history if "firing" in line} == {"whatsapp", "push"}


# Silence, consent, experiments


def test_a_channel_that_falls_silent_fires_with_what_was_expected(on_duty: Open) -> None:
    """Edge 3 of alerts.md."""
    silent = rule_text(
        id="channel_down", metric="channel_events_of_baseline", window="10m", fire="< 0.4", min_count=20, nodata="alert"
    )
    post = on_duty(silent)
    for week in range(1, 5):
        start = NOON - week * WEEK
        post.shop.take(
            *every(20 * SECOND, start, start + HOUR), *every(20 * SECOND, start, start + HOUR, channel="app")
        )
    post.shop.take(*every(20 * SECOND, NOON, NOON + 30 * MINUTE, channel="app"))
    post.shop.take(*every(20 * SECOND, NOON, NOON + 12 * MINUTE))
    post.machine.pass_(10 * MINUTE)
    post.go_on(20 * MINUTE)
    # Of 30 expected in ten minutes there are fewer than 12 when seven are silent: those from 15:12 until 15:19.
    assert post.history == ["site: ok > pending 15:19:30", "site: pending > firing 15:21:30"]
    down = post.alert(channel="site")
    assert (down.value, down.count) == (0.0, 30)
    assert down.context["last_event_at"] == (NOON + 11 * MINUTE).timestamp()


def test_an_action_without_consent_is_told_at_once_and_names_nobody(on_duty: Open) -> None:
    breach = rule_text(id="consent", metric="consent_breaches", window="15m", fire=">= 1", **{"for": "0s"})
    post = on_duty(breach)
    who: dict[str, Any] = {"profile_id": "u:4711"}
    post.go_on(2 * MINUTE, said("no", "false", **who), delivered("d", at=NOON + 30 * SECOND, **who))
    assert post.history == ["whatsapp: ok > firing 15:01:00"]
    assert post.told == ["firing"]
    assert "personalization_delivered" in post.payloads()
    assert "4711" not in post.payloads()


def test_a_sample_ratio_mismatch_fires_once_per_onset(on_duty: Open) -> None:
    mismatch = rule_text(
        id="srm", metric="srm_p", by=["experiment"], window="1h", fire="< 0.05", min_count=5, **{"for": "0s"}
    )
    post = on_duty(mismatch)
    database = post.shop.database
    plan = registration()
    entries = [decide("register", plan, NOON - DAY), decide("start", plan, NOON - DAY)]
    experiments = experiments_of(entries)
    mirror(database, experiments, entries)

    def view(number: int, variant: str) -> Row:
        about: dict[str, Any] = {"experiment_id": "reco", "variant_id": variant, "properties": '{"version":"1"}'}
        return event(f"v{variant}{number}", "experiment_viewed", profile_id=f"u:{variant}{number}", **about)

    counts = {"control": 60, "personalized": 400}
    post.shop.take(*(view(number, variant) for variant, count in counts.items() for number in range(count)))
    post.go_on(MINUTE)
    assert post.history == []
    ExperimentState(database, ZONE).run({key: each.rules for key, each in experiments.items()}, NOON)
    post.go_on(10 * MINUTE)
    assert post.history == ["reco: ok > firing 15:01:30"]
    assert post.told == ["firing"]
    assert post.alert(experiment="reco").context["counts"] == "control 60, personalized 400"


# Time. Edge 6: clocks that jump


def test_a_wall_clock_set_back_an_hour_freezes_nothing(on_duty: Open, caplog: pytest.LogCaptureFixture) -> None:
    post = on_duty()
    fire(post)
    post.machine.set(-HOUR)
    post.go_on(5 * MINUTE, *minutes(6 - 60, *[GOOD] * 5))
    assert "CLOCK_JUMP" in caplog.text
    assert post.alert(channel="whatsapp").state is State.OK
    assert post.told == ["firing", "resolved"]


def test_a_wall_clock_set_forward_is_a_gap_without_evidence(on_duty: Open) -> None:
    post = on_duty()
    post.shop.take(*minute(0, BAD), *minute(60, BAD), *minute(61, BAD))
    post.go_on(90 * SECOND)
    post.machine.set(HOUR)
    post.go_on(30 * SECOND)
    assert post.alert(channel="whatsapp").state is State.PENDING


def test_while_the_consumer_is_behind_the_watermark_waits_for_it(on_duty: Open) -> None:
    expected = {"channel": ["whatsapp"]}
    post = on_duty(rule_text(nodata="alert", nodata_for="1m", expect=expected, **{"for": "0s"}))
    post.shop.take(*minutes(-3, *[GOOD] * 4))
    post.go_on(90 * SECOND)
    post.shop.log.append([draft(minute(1, BAD))], NOON + MINUTE)
    post.go_on(10 * MINUTE)
    assert post.history == []
    while post.shop.consumer.step():
        pass
    post.go_on(2 * MINUTE)
    assert [line.split()[3] for line in post.history] == ["no_data"]


def test_a_rule_that_waits_longer_from_now_on_does_not_look_at_old_minutes_again(on_duty: Open) -> None:
    post = on_duty()
    fire(post)
    post.write(rule_text(evaluation_delay="59s"))
    looks = [post.alert(channel="whatsapp").last_eval or NOON]
    for _ in range(4):
        post.go_on(STEP)
        looks.append(post.alert(channel="whatsapp").last_eval or NOON)
    assert looks == sorted(looks)
    assert looks[-1] > looks[0]


# Queries that fail. Edge 15: one that is slow fails, see test_asking


def test_a_query_that_fails_three_times_keeps_the_alert_and_makes_a_rule_fail(on_duty: Open) -> None:
    own = rule_text(
        id="rule_failing", metric="rule_failing_s", by=[], fire=">= 120", evaluation_delay="0s", min_count=0,
        **{"for": "0s"},
    )  # fmt: skip
    post = on_duty(rule_text(), own)
    fire(post)
    connection = post.shop.database._connection
    connection.execute("ALTER TABLE cockpit.event_measures RENAME TO gone")
    post.go_on(3 * MINUTE)
    assert post.alert(channel="whatsapp").state is State.FIRING
    failing = post.alert()
    assert failing.state is State.FIRING
    assert failing.context == {"failing_rule": "errors"}
    connection.execute("ALTER TABLE cockpit.gone RENAME TO event_measures")
    post.go_on(2 * MINUTE)
    assert post.alert().state is State.OK


def test_a_rule_may_want_to_hear_of_its_failing_query(on_duty: Open) -> None:
    post = on_duty(rule_text(on_error="alert"))
    post.go_on(MINUTE, *minute(0, GOOD))
    post.go_on(MINUTE)
    post.shop.database._connection.execute("ALTER TABLE cockpit.event_measures RENAME TO gone")
    post.go_on(2 * MINUTE)
    assert post.alert(channel="whatsapp").state is State.ERROR


# Rules that change


def test_a_rule_that_leaves_the_file_is_resolved_and_said_so(on_duty: Open) -> None:
    post = on_duty()
    fire(post)
    post.write(rule_text(id="another"))
    post.go_on(MINUTE)
    assert post.told == ["firing", "resolved"]
    gone = next(alert for alert in post.store.alerts().values() if alert.rule_id == "errors")
    assert (gone.state, gone.reason) == (State.OK, "rule_deleted")


def test_another_limit_is_judged_by_from_then_on(on_duty: Open) -> None:
    post = on_duty()
    fire(post)
    post.write(rule_text(fire="> 0.9"))
    post.go_on(2 * MINUTE, *minutes(6, BAD, BAD))
    assert post.alert(channel="whatsapp").episode == 1
    assert post.told == ["firing", "resolved"]


def test_a_bad_file_leaves_the_rules_as_they_were_and_says_why(on_duty: Open) -> None:
    post = on_duty()
    fire(post)
    post.write(rule_text(fire="much"))
    post.go_on(2 * MINUTE, *minutes(6, BAD, BAD))
    assert post.alert(channel="whatsapp").state is State.FIRING
    assert "alerts.toml:" in post.duty.error
    assert "fire" in post.duty.error
    post.write(rule_text())
    post.go_on(30 * SECOND)
    assert post.duty.error == ""


def test_after_a_restart_with_a_bad_file_the_last_rules_are_in_force(on_duty: Open) -> None:
    post = on_duty()
    fire(post)
    post.path.write_text("[[rule]", encoding="utf-8")
    post.reopen()
    post.go_on(5 * MINUTE, *minutes(6, *[GOOD] * 5))
    assert post.told == ["firing", "resolved"]


# People


def test_an_ack_is_kept_and_told_in_the_audit(on_duty: Open) -> None:
    post = on_duty(rule_text(repeat="4m"))
    fire(post)
    taken = post.alert(channel="whatsapp")
    post.duty.acknowledge(Ack(fingerprints=(taken.fingerprint,), by="ana", role="operator", note="I look"))
    post.go_on(10 * MINUTE, *minutes(6, *[BAD] * 10))
    assert "repeat" not in post.told
    assert post.alert(channel="whatsapp").acked_by == "ana"
    with post.file.reading() as connection:
        assert connection.execute("SELECT actor, role, action FROM audit").fetchall() == [
            ("ana", "operator", "acknowledge")
        ]


def test_only_what_goes_on_can_be_acknowledged(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(2 * MINUTE, *minute(0, GOOD))
    known = post.alert(channel="whatsapp").fingerprint
    for fingerprint in (known, "nobody"):
        with pytest.raises(CallerError):
            post.duty.acknowledge(Ack(fingerprints=(fingerprint,), by="ana", role="operator"))


def test_what_is_silenced_fires_and_is_told_to_nobody(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(30 * SECOND)
    quiet = {"id": "s1", "matchers": {"rule": "errors"}, "by": "ana", "comment": "deploy"}
    post.duty.silence(Silence(starts=NOON, ends=NOON + HOUR, **quiet), "operator")  # type: ignore[arg-type]
    fire(post)
    assert post.alert(channel="whatsapp").state is State.FIRING
    assert post.told == []


def test_the_morning_tells_what_was_over_before(on_duty: Open) -> None:
    """Edge 20 of alerts.md."""
    post = on_duty()
    fire(post)
    post.go_on(5 * MINUTE, *minutes(6, *[GOOD] * 5))
    assert post.told == ["firing", "resolved"]
    post.machine.pass_(DAY - 2 * HOUR)
    post.go_on(MINUTE)
    post.reopen()
    post.go_on(MINUTE)
    assert post.told == ["firing", "resolved", "digest"]


def test_a_morning_on_which_nobody_was_there_is_made_up_for(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(MINUTE)
    for day in range(2):  # an episode on the afternoon of the 20th, and one on that of the 21st
        first = day * 24 * 60 + 1
        post.go_on(10 * MINUTE, *minutes(first, *[BAD] * 4, *[GOOD] * 6))
        post.machine.pass_((1 + day) * DAY - 10 * MINUTE)  # the 22nd is missed
        post.go_on(MINUTE)
    listed = [told.episodes for changes in post.heard for told in changes.told if isinstance(told, Digest)]
    assert [[each.episode for each in episodes] for episodes in listed] == [[1], [2]]


# Being there. Edge 12: two evaluators; edge 22: the engine is dead


def test_every_round_leaves_a_sign_of_life_and_each_minute_a_ping(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(10 * MINUTE)
    assert post.store.heartbeat().evaluated_at == post.machine.now
    assert post.pings in (9, 10)


def test_without_a_round_that_is_kept_nobody_is_pinged(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(2 * MINUTE)
    before = post.pings
    with post.file.writing() as connection:
        connection.execute("ALTER TABLE heartbeat RENAME COLUMN evaluated_us TO gone")
    post.go_on(5 * MINUTE)
    assert post.pings == before


def test_a_round_that_cannot_be_kept_did_not_happen(on_duty: Open) -> None:
    post = on_duty()
    post.go_on(30 * SECOND)
    with post.file.writing() as connection:
        connection.execute("ALTER TABLE outbox RENAME TO gone")
    fire(post)
    assert post.alert(channel="whatsapp").page.told_at is None
    with post.file.writing() as connection:
        connection.execute("ALTER TABLE gone RENAME TO outbox")
    post.go_on(MINUTE, *minute(6, BAD))
    assert post.alert(channel="whatsapp").page.told_at is not None
    assert post.told == ["firing"]


def test_a_second_one_on_duty_evaluates_nothing_until_the_first_is_gone(on_duty: Open, tmp_path: Path) -> None:
    first, second = on_duty(), on_duty()
    fire(first)
    second.go_on(2 * MINUTE)
    assert (second.heard, second.pings) == ([], 0)
    first.file.close()
    second.machine.now = first.machine.now
    second.go_on(MINUTE)
    assert second.heard != []
    assert second.told == ["firing"]
    assert second.alert(channel="whatsapp").episode == 1


def test_the_gateway_that_does_not_answer_is_missed(on_duty: Open) -> None:
    alive = rule_text(
        id="ingester_down", metric="heartbeat_age_s", by=["stage"], evaluation_delay="0s", fire="> 60", min_count=0,
        expect={"stage": ["gateway", "warehouse"]}, nodata="alert", **{"for": "0s"},
    )  # fmt: skip
    post = on_duty(alive)
    post.go_on(2 * MINUTE)
    assert post.history == []
    post.gateway_answers = False
    post.go_on(2 * MINUTE)
    assert [line.split()[0] for line in post.history] == ["gateway:"]


# The dead-man switch


def test_without_an_address_nobody_waits_for_a_ping() -> None:
    assert deadman_of({}, AtOnce(), Machine().monotonic) is None


def test_the_address_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "deadman"
    path.write_text("https://example.org/secret\n")
    assert deadman_of({"COCKPIT_DEADMAN_URL_FILE": str(path)}, AtOnce(), Machine().monotonic) is not None


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"COCKPIT_DEADMAN_URL": "file:///secret"}, "no address"),
        ({"COCKPIT_DEADMAN_URL_FILE": "/nowhere/secret"}, "FileNotFoundError"),
        ({"COCKPIT_DEADMAN_URL": "https://secret", "COCKPIT_DEADMAN_URL_FILE": "secret"}, "both set"),
    ],
)
def test_a_wrong_address_is_said_by_its_name_and_never_shown(environ: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=f"COCKPIT_DEADMAN_URL.*{said}") as refused:
        deadman_of(environ, AtOnce(), Machine().monotonic)
    assert "secret" not in str(refused.value)
