"""The incidents of the demo by the rules that come with Cockpit, at their own pace: what was told, and how soon.

    make incidents

Gateway, warehouse and demo in processes of their own, the demo's shop as it is, `data/alerts.toml` as it is, a webhook
in place of every receiver, and no screens: nobody looks. The incidents are those of `data/reference/demo.toml`, all of
them once, beginning together at the next full minute. It takes as long as the longest of them with its window, `for`
and `keep_firing_for`: half an hour. It ends with 1 unless each is told once to each of its receivers within `for`,
one evaluation interval, the time for which a group waits and 2 s of the first evaluation beyond the limit, and its end
once, too. The bad variant is not among them: rules about experiments want days (tests/integration/test_incidents.py).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
from rich.console import Console
from rich.table import Table

from cockpit.alerts.machine import Kind, State, fingerprint
from cockpit.alerts.metrics import PAGES, infos
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import Known, Labels, Rule, RuleFile
from cockpit.config import ROOT, Config
from cockpit.simulator.truth import Incident, IncidentKind, load
from ingest.demo import SCENARIO, remembered
from ingest.gateway import access
from tests.processes import Processes, configuration, environment, running, until
from tests.recorder import Recorder, Request, recording

MINUTE = timedelta(minutes=1)
RECEIVERS = ("oncall", "marketing-ops", "marketing-lead", "dpo")
SLACK = timedelta(seconds=2)
ALIVE = "/alive"  # where the dead-man switch is told
LEAD = "the shop is live, and its incidents begin at"
CONSOLE = Console(width=150)


class Post(NamedTuple):
    """What came to the webhook, and when. `alert`, `episode`, `kind` and `receiver` are of its `notice_key`."""

    at: datetime
    body: Mapping[str, Any]
    alert: str
    episode: int
    kind: Kind
    receiver: str

    @classmethod
    def of(cls, at: datetime, request: Request) -> Self:
        alert, episode, kind, receiver, _ = request.json["notice_key"].split("/")
        return cls(at, request.json, alert, int(episode), Kind(kind), receiver)


class Webhook:
    """All receivers and the dead-man switch at one address. `posts` and `pings` are in order of arrival."""

    def __init__(self, recorder: Recorder) -> None:
        self.port = recorder.port
        self.posts: list[Post] = []
        self.pings: list[datetime] = []
        recorder.status = self._note

    @property
    def variables(self) -> dict[str, str]:
        """The environment that leads here."""
        receivers = {
            f"COCKPIT_ALERT_{name.upper().replace('-', '_')}": f"json://127.0.0.1:{self.port}/{name}"
            for name in RECEIVERS
        }
        return {**receivers, "COCKPIT_DEADMAN_URL": f"http://127.0.0.1:{self.port}{ALIVE}"}

    def of(self, alert: str, kind: Kind) -> list[Post]:
        return [post for post in self.posts if (post.alert, post.kind) == (alert, kind)]

    def _note(self, request: Request) -> int:
        at = datetime.now(UTC)
        if request.path == ALIVE:
            self.pings.append(at)
        elif not request.json["notice_key"].startswith("digest/"):  # whoever runs it at nine in the morning
            self.posts.append(Post.of(at, request))
        return 200


class Trouble(NamedTuple):
    """An incident of the demo, and which alert is right about it."""

    kind: IncidentKind
    rule_id: str
    labels: Labels

    @property
    def alert(self) -> str:
        return fingerprint(self.rule_id, self.labels)

    def planted(self, **changes: object) -> Incident:
        """As in the demo, but for what is changed; once."""
        scenario = load(SCENARIO.read_text(encoding="utf-8"))
        (incident,) = (one for one in scenario.truth.incidents if one.kind == self.kind)
        return msgspec.structs.replace(incident, **{"every_minutes": None, **changes})


WHATSAPP = Trouble("failing_integration", "integration_error_rate", {"channel": "whatsapp"})
DECISIONS = Trouble("slow_decisions", "site_latency", {"use_case": "recommendations"})
SILENCE = Trouble("silent_channel", "channel_down", {"channel": "push"})
TROUBLES = (WHATSAPP, DECISIONS, SILENCE)


class Course(NamedTuple):
    """What the engine says of an alert's first episode, by the wall clock; None: it has not happened."""

    pending_at: datetime | None
    firing_at: datetime | None
    resolved_at: datetime | None


def course_of(processes: Processes, trouble: Trouble, since: datetime) -> Course:
    """An alert that was pending and went back to sleep has not begun."""
    history = processes.read("alert_history", start=since, end=datetime.now(UTC) + MINUTE)
    pending = firing = resolved = None
    for row in history.filter(fingerprint=trouble.alert).iter_rows(named=True):
        target = State(row["target"])
        if firing is None and target is State.PENDING:
            pending = row["at"]
        elif firing is None and target is State.FIRING:
            firing = row["at"]
        elif firing is not None and resolved is None and target is State.OK:
            resolved = row["at"]
    return Course(pending, firing, resolved)


@contextmanager
def selling(processes: Processes, incidents: Sequence[Incident], *arguments: str) -> Iterator[None]:
    """The demo sends its history and goes on live."""
    config = processes.config
    key = access.add_key(config.keys_path, "demo", "secret")
    planted = [f"--incident={msgspec.json.encode(incident).decode()}" for incident in incidents]
    command = [sys.executable, "-m", "ingest", "demo", "--key", key, "--no-incidents", *planted, *arguments]
    with (config.run_dir / "demo.log").open("ab") as log:
        processes.children["demo"] = subprocess.Popen(
            command, cwd=ROOT, env=environment(config), stdout=log, stderr=log
        )
        try:
            yield
        finally:
            processes.stop("demo")


def await_live(processes: Processes) -> None:
    """The history is in the tables: the demo sends what happens now, and nothing waits."""
    memory = processes.config.run_dir / "demo.json"
    until(lambda: remembered(memory) > datetime.now(UTC) - timedelta(seconds=5), 120, "the demo is live")
    until(lambda: (queue_of(processes)["oldest_age_s"] or 0.0) < 1.0, 120, "its history is in the tables")


def queue_of(processes: Processes) -> dict[str, Any]:
    snapshot = processes.snapshot()
    assert snapshot is not None, "the feed answers"
    queue: dict[str, Any] = snapshot["queue"]
    return queue


def rules_in(path: Path) -> RuleFile:
    return read_rules(path.read_text(encoding="utf-8"), path.name, Known(infos(), PAGES))


def history_before(at: datetime) -> int:
    """Minutes that give a new shop something to compare a silence with: of the hour before, half an hour at least."""
    return at.minute + 35


class Verdict(NamedTuple):
    """A line of the table, and whether all of it is as it should be."""

    cells: tuple[str, ...]
    is_right: bool


def main() -> int:
    """0 if all was told in time."""
    with ExitStack() as stack:
        webhook = Webhook(stack.enter_context(recording()))
        os.environ.update(webhook.variables)
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cockpit-")))
        rules = shutil.copy(Config().alert_rules, directory)  # who changes them meanwhile changes nothing here
        config = msgspec.structs.replace(configuration(directory / "run"), alert_rules=Path(rules))
        processes = stack.enter_context(running(config, "gateway", "warehouse"))
        began_at = datetime.now(UTC).replace(second=0, microsecond=0) + 2 * MINUTE
        incidents = [trouble.planted(begins_at=began_at) for trouble in TROUBLES]
        stack.enter_context(selling(processes, incidents, "--history", str(history_before(began_at))))
        await_live(processes)
        return _watch(processes, webhook, began_at)


def _watch(processes: Processes, webhook: Webhook, began_at: datetime) -> int:
    file = rules_in(processes.config.alert_rules)
    over_at = began_at + max(_lasts(trouble, file.by_id[trouble.rule_id]) for trouble in TROUBLES) + 2 * MINUTE
    CONSOLE.print(f"{LEAD} {began_at:%H:%M} UTC; all of it is over before {over_at:%H:%M}")
    pause, ends = threading.Event(), sum(len(file.by_id[trouble.rule_id].receivers) for trouble in TROUBLES)
    while datetime.now(UTC) < over_at and sum(len(webhook.of(one.alert, Kind.RESOLVED)) for one in TROUBLES) < ends:
        pause.wait(5)
    verdicts = [_verdict(processes, webhook, trouble, began_at, file) for trouble in TROUBLES]
    table = Table("incident", "rule", "first breach", "fired", "webhook", "over `for`", "resolved", "messages", "right")
    for verdict in verdicts:
        table.add_row(*verdict.cells, "yes" if verdict.is_right else "NO")
    CONSOLE.print(table)
    for post in webhook.posts:
        if post.alert not in {trouble.alert for trouble in TROUBLES}:
            CONSOLE.print(f"also, {post.at:%H:%M:%S}, to {post.receiver}: {post.body['title']}", markup=False)
    return 0 if all(verdict.is_right for verdict in verdicts) else 1


def _lasts(trouble: Trouble, rule: Rule) -> timedelta:
    """Until its end is told."""
    incident = timedelta(minutes=trouble.planted().lasts_minutes)
    return incident + rule.window + rule.evaluation_delay + rule.keep_firing_for + rule.every


def _verdict(processes: Processes, webhook: Webhook, trouble: Trouble, began_at: datetime, file: RuleFile) -> Verdict:
    rule, course = file.by_id[trouble.rule_id], course_of(processes, trouble, began_at)
    firing, resolved = webhook.of(trouble.alert, Kind.FIRING), webhook.of(trouble.alert, Kind.RESOLVED)
    told_at, ended_at = (max((post.at for post in posts), default=None) for posts in (firing, resolved))
    over = None if told_at is None or course.pending_at is None else told_at - course.pending_at - rule.hold
    is_once = all(sorted(post.receiver for post in posts) == sorted(rule.receivers) for posts in (firing, resolved))
    seconds = "never" if over is None else f"{over.total_seconds():.1f} s"
    moments = (course.pending_at, course.firing_at, told_at)
    cells = (
        trouble.kind,
        rule.id,
        *map(_clock, moments),
        seconds,
        _clock(ended_at),
        f"{len(firing)} + {len(resolved)}",
    )
    return Verdict(cells, over is not None and is_once and over <= rule.every + file.grouping.wait + SLACK)


def _clock(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%H:%M:%S}"


if __name__ == "__main__":
    sys.exit(main())
