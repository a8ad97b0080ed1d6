"""The incidents of the demo reach a webhook in time and are over once, in real processes, while nobody looks.

One run: the shop's history is sent, in one minute of which everything breaks that can; then the rules come into force.
They have the metrics, labels and limits of `data/alerts.toml`, at a faster pace. Windows are whole minutes, so their
`evaluation_delay` is chosen such that the bad minute is looked at then, and the good one after it half a minute later:
nobody waits for a minute to strike. Between FIRING and RESOLVED the warehouse is killed, and stays dead until a sign of
life is missed.

How soon: the first evaluation beyond the limit is the engine's own record (`alert_history`, wall clock), the arrival is
the webhook's. `for` is a little less than two evaluations, so a round may be late by six seconds on a busy machine.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from pyarrow import flight

from cockpit.alerts.machine import Kind
from cockpit.config import shared_token
from cockpit.experiments.registration import Registration, Variant
from cockpit.simulator.truth import IncidentKind
from ingest.registering import ensure
from tests.integration.incidents import (
    DECISIONS,
    MINUTE,
    SILENCE,
    SLACK,
    WHATSAPP,
    Course,
    Post,
    Trouble,
    Webhook,
    await_live,
    course_of,
    history_before,
    selling,
)
from tests.processes import Processes, configuration, running, until
from tests.recorder import recording

pytestmark = pytest.mark.timeout(400)

BAD_VARIANT = Trouble(
    "bad_variant", "uplift_negative", {"experiment": "churn-offer", "use_case": "churn", "variant": "personalized"}
)
BRIEF = (WHATSAPP, DECISIONS, SILENCE)
TROUBLES = (*BRIEF, BAD_VARIANT)
EXPERIMENT = Registration(
    experiment_id="churn-offer",
    use_case="churn",
    variants=(Variant("control", 0.2), Variant("personalized", 0.8)),
    minimum_days=0,
)
SHOP = [
    "--no-experiments", "--rate=12", "--seed=5", "--set=season_depth=0.0", "--set=late_share=0.0",
    "--set=channels.push=1.0", "--set=channels.site=1.0", "--set=channels.whatsapp=0.3",
    "--set=segments.at_risk.share=0.5", "--set=segments.at_risk.cart_share=0.8", "--set=checkout_share=0.9",
    "--set=purchase_share=0.9", "--set=use_cases.recommendations.failure_rate=0.0",
    "--set=use_cases.cart.failure_rate=0.0", "--set=use_cases.churn.failure_rate=0.0",
]  # fmt: skip
"""So many of everything that a minute is enough, and no errors but the planted ones."""
FIRST_RULES = """
[grouping]
wait = "0s"
interval = "0s"

[[receiver]]
name = "oncall"
url_env = "COCKPIT_ALERT_ONCALL"
language = "en"

[[receiver]]
name = "marketing-ops"
url_env = "COCKPIT_ALERT_MARKETING_OPS"
language = "en"
"""
RULE = """
[[rule]]
id = "{id}"
name = {{ pt = "{id}", en = "{id}" }}
{condition}
by = {by}
window = "1m"
every = "{every_s}s"
for = "{hold_s}s"
evaluation_delay = "{delay_s}s"
severity = "critical"
owner = "loja"
receivers = ["oncall", "marketing-ops"]
"""
RECEIVERS = ["marketing-ops", "oncall"]
HOLD_S, EVERY_S = 9, 5
LEAST_DELAY_S, MOST_DELAY_S = 2, 59
IN_TIME = timedelta(seconds=HOLD_S + EVERY_S) + SLACK
# What is decided slowly is done a while later, and has to be within the minute, too.
LASTS = {WHATSAPP.kind: 1.0, DECISIONS.kind: 0.65, SILENCE.kind: 1.0}
CONDITIONS = {
    WHATSAPP.kind: """
metric = "integration_error_rate"
min_count = 5
fire = "> 0.05"
""",
    DECISIONS.kind: """
metric = "event_to_action_p95_ms"
where = { channel = "site" }
min_count = 5
fire = "> 5000"
""",
    SILENCE.kind: """
metric = "channel_events_of_baseline"
where = { channel = "push" }
min_count = 20
fire = "< 0.4"
recover = "> 0.6"
""",
    # What has been stopped has no value any more, and is over.
    BAD_VARIANT.kind: """
metric = "uplift_negative_log_e"
fire = ">= 2.9957"
recover = "<= 0"
nodata = "ok"
nodata_for = "4s"
""",
}


class Story(NamedTuple):
    """What happened. `better_at`: when the minute after the bad one comes to be looked at."""

    webhook: Webhook
    courses: Mapping[IncidentKind, Course]
    better_at: datetime
    killed_at: datetime
    restarted_at: datetime
    stopped_at: datetime

    def posts(self, trouble: Trouble, kind: Kind) -> list[Post]:
        return self.webhook.of(trouble.alert, kind)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    directory = tmp_path_factory.mktemp("incidents")
    config = msgspec.structs.replace(configuration(directory / "run"), alert_rules=directory / "alerts.toml")
    config.alert_rules.touch()
    with recording() as recorder, pytest.MonkeyPatch.context() as patch:
        webhook = Webhook(recorder)
        for name, value in webhook.variables.items():
            patch.setenv(name, value)
        with running(config, "gateway", "warehouse") as processes:
            yield told(processes, webhook)


def told(processes: Processes, webhook: Webhook) -> Story:
    """The whole of it, until a round after the last message."""
    since = datetime.now(UTC)
    wrong_until = (since + timedelta(seconds=20)).replace(second=0, microsecond=0)
    history = history_before(wrong_until - MINUTE)
    wrong = [one.planted(begins_at=wrong_until - MINUTE, lasts_minutes=LASTS[one.kind]) for one in BRIEF]
    started_at = since - timedelta(minutes=history)
    bad = BAD_VARIANT.planted(begins_at=started_at, lasts_minutes=1e4)
    with selling(processes, [*wrong, bad], "--history", str(history), *SHOP):
        ensure(processes.config, EXPERIMENT, started_at)
        await_live(processes)
        ask(processes, "derive")  # brings the experiments up, which upkeep does only now and then
        delay_s = min(max(LEAST_DELAY_S, int((datetime.now(UTC) - wrong_until).total_seconds()) - 30), MOST_DELAY_S)
        put_in_force(processes.config.alert_rules, delay_s)
        until(lambda: sent(processes, Kind.FIRING) == len(TROUBLES) * len(RECEIVERS), 90, "all four are told to both")
        killed_at, restarted_at = dead_for_a_sign_of_life(processes, webhook)
        until(lambda: evaluated_at(processes) > restarted_at, what="a round in which the variant is as bad as before")
        ask(processes, "experiment", actor="ana", role="operator", action="stop", experiment_id="churn-offer")
        stopped_at = datetime.now(UTC)
        until(lambda: sent(processes, Kind.RESOLVED) == len(TROUBLES) * len(RECEIVERS), 90, "all four are over")
        enough = datetime.now(UTC) + timedelta(seconds=EVERY_S)
        until(lambda: evaluated_at(processes) > enough, what="another round")
    courses = {trouble.kind: course_of(processes, trouble, since) for trouble in TROUBLES}
    better_at = wrong_until + MINUTE + timedelta(seconds=delay_s)
    return Story(webhook, courses, better_at, killed_at, restarted_at, stopped_at)


def put_in_force(path: Path, delay_s: int) -> None:
    times = {"hold_s": HOLD_S, "every_s": EVERY_S, "delay_s": delay_s}
    rules = [
        RULE.format(id=trouble.rule_id, by=list(trouble.labels), condition=CONDITIONS[trouble.kind].strip(), **times)
        for trouble in TROUBLES
    ]
    whole = path.with_suffix(".new")
    whole.write_text("".join((FIRST_RULES, *rules)))
    whole.replace(path)


def sent(processes: Processes, kind: Kind) -> int:
    """Messages that are known to have arrived."""
    now = datetime.now(UTC)
    deliveries = processes.read("alert_deliveries", start=now - timedelta(hours=1), end=now + MINUTE)
    return deliveries.filter(kind=kind.value, status="sent").height


def evaluated_at(processes: Processes) -> datetime:
    at: datetime = processes.read("alert_engine")["evaluated_at"].item()
    return at


def dead_for_a_sign_of_life(processes: Processes, webhook: Webhook) -> tuple[datetime, datetime]:
    """When the warehouse was killed, and when it was started again: after its next ping was due."""
    processes.kill("warehouse")
    killed_at = datetime.now(UTC)
    due_at = webhook.pings[-1] + MINUTE + timedelta(seconds=3)
    until(lambda: datetime.now(UTC) > due_at, 90)
    restarted_at = datetime.now(UTC)
    processes.start("warehouse")
    processes.await_warehouse()
    return killed_at, restarted_at


def ask(processes: Processes, name: str, **body: object) -> None:
    """Does something in the warehouse, and waits until it is done."""
    header = (b"authorization", f"Bearer {shared_token(processes.config)}".encode())
    options = flight.FlightCallOptions(timeout=90, headers=[header])
    with flight.connect(f"grpc://127.0.0.1:{processes.config.flight_port}") as client:
        list(client.do_action(flight.Action(name, msgspec.json.encode(body)), options))


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.kind)
def test_an_incident_is_told_to_each_receiver_in_time(
    story: Story, trouble: Trouble, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    pending_at, posts = story.courses[trouble.kind].pending_at, story.posts(trouble, Kind.FIRING)
    assert pending_at is not None
    assert sorted(post.receiver for post in posts) == RECEIVERS
    waits = [(post.at - pending_at).total_seconds() for post in posts]
    if pytestconfig.getoption("--measure"):
        with capsys.disabled():
            print(f"\n{trouble.kind}: first beyond the limit to webhook {', '.join(f'{wait:.1f} s' for wait in waits)}")  # noqa: T201
    assert max(waits) <= IN_TIME.total_seconds()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.kind)
def test_the_message_names_the_rule_and_what_it_is_about(story: Story, trouble: Trouble) -> None:
    for post in story.posts(trouble, Kind.FIRING):
        assert trouble.rule_id in post.body["title"]
        assert post.body["dedup_key"] == trouble.alert
        assert post.body["type"] == "failure"


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.kind)
def test_its_end_is_told_once_to_whoever_was_told_of_it(story: Story, trouble: Trouble) -> None:
    posts, resolved_at = story.posts(trouble, Kind.RESOLVED), story.courses[trouble.kind].resolved_at
    assert sorted(post.receiver for post in posts) == RECEIVERS
    assert resolved_at is not None
    assert resolved_at >= (story.stopped_at if trouble is BAD_VARIANT else story.better_at)


def test_a_kill_between_the_two_tells_nothing_again(story: Story) -> None:
    told = [post.body["notice_key"] for post in story.webhook.posts]
    assert len(told) == len(set(told)) == 2 * len(TROUBLES) * len(RECEIVERS)
    for trouble in TROUBLES:
        assert all(post.at < story.killed_at for post in story.posts(trouble, Kind.FIRING))
        assert all(post.at > story.restarted_at for post in story.posts(trouble, Kind.RESOLVED))
    assert {post.episode for post in story.webhook.posts} == {1}


def test_the_dead_man_switch_hears_nothing_from_a_killed_warehouse_and_at_once_from_its_successor(story: Story) -> None:
    pings = story.webhook.pings
    before = [at for at in pings if at < story.killed_at]
    after = [at for at in pings if at > story.restarted_at]
    assert before
    assert after
    assert len(before) + len(after) == len(pings)
