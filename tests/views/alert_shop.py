"""The warehouse's answers about alerts, of what the engine itself kept: real rules, real steps, a real file."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
from msgspec.structs import replace

from cockpit.alerts.facts import Facts
from cockpit.alerts.machine import Alert, Kind, Page, Reading, acknowledge, step, transition
from cockpit.alerts.metrics import PAGES, infos
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import Known, Mute, Rule, RuleFile
from cockpit.alerts.silences import Silence
from cockpit.alerts.telling import Told
from cockpit.config import ROOT
from cockpit.errors import UnknownRead
from cockpit.notify.message import Outcome, Receipt
from cockpit.store.database import Database
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_frames import AlertFrames
from ingest.warehouse.alert_store import AlertStore, Changes
from ingest.warehouse.outbox import Attempt, Outbox
from tests.alerts.past_reads import Asked
from tests.alerts.shop import HOUR, MINUTE, SECOND, every
from tests.alerts.shop import Shop as Tables
from tests.warehouse_events import Row

FRAMES = ("alert_now", "alert_history", "alert_deliveries", "alert_silences", "alert_rules")
RUNBOOK = "https://example.com/runbook?a=1&b=2"
ERRORS, SILENT, QUEUE, LATENCY, DROP = (
    "integration_error_rate", "channel_down", "queue_lag", "site_latency", "personalizations_drop"
)  # fmt: skip


def rules() -> RuleFile:
    """Those that come with Cockpit; one has a runbook, and the latency of the site is muted."""
    text = (ROOT / "data" / "alerts.toml").read_text(encoding="utf-8")
    file = read_rules(text, "alerts.toml", Known(infos(), PAGES))
    known = tuple(replace(rule, runbook=RUNBOOK) if rule.id == ERRORS else rule for rule in file.rules)
    always = datetime.fromisoformat("2000-01-01T00:00:00Z"), datetime.fromisoformat("2100-01-01T00:00:00Z")
    mute = Mute(name="always", reason="test", match={"rule": LATENCY}, start=always[0], end=always[1])
    return replace(file, rules=known, mutes=(mute,))


class Shop:
    """Named reads at `now`. `has_engine`: whether the warehouse knows that read."""

    def __init__(self, folder: Path, now: datetime, *, has_engine: bool = True) -> None:
        self.now, self.has_engine = now, has_engine
        self.past: Callable[..., pl.DataFrame] | None = None
        self.file = rules()
        self.kept = AlertFile(folder / "alerts.sqlite")
        assert self.kept.own(now)
        self.store, self.frames = AlertStore(self.kept), AlertFrames(self.kept)
        self.store.write(Changes(at=now, file=self.file, evaluated_at=now - 4 * SECOND))

    def __call__(self, name: str, **params: object) -> pl.DataFrame:
        if name == "alert_engine":
            return self._engine()
        if self.past is not None and name not in FRAMES:
            return self.past(name, **params)
        if name in ("alert_history", "alert_deliveries"):
            start, end = (datetime.fromisoformat(str(params[key])) for key in ("start", "end"))
            return self.frames.history(start, end) if name == "alert_history" else self.frames.deliveries(start, end)
        if name == "alert_silences":
            return self.frames.silences(self.now)
        return self._now() if name == "alert_now" else self.frames.rules()

    def live(
        self,
        rule_id: str,
        labels: Mapping[str, str],
        values: Sequence[tuple[timedelta, float | None]],
        **context: str | float,
    ) -> Alert:
        """Each value lasts for its time; the last one until now."""
        rule = self.rule(rule_id)
        alert = Alert.of(rule_id, dict(labels))
        at = self.now - sum((lasted for lasted, _ in values), timedelta())
        changes = []
        for lasted, value in values:
            end = at + lasted
            while at < end:
                reading = Reading(at=at, value=value, count=None if value is None else 900, context=context)
                before, (alert, _) = alert, step(rule, alert, reading, at)
                changes += [change] if (change := transition(before, alert, at)) else []
                at += rule.every
        self.store.write(Changes(at=self.now, alerts=[alert], transitions=changes))
        return alert

    def keep(self, alert: Alert) -> None:
        self.store.write(Changes(at=self.now, alerts=[alert]))

    def rule(self, rule_id: str) -> Rule:
        return self.file.by_id[rule_id]

    def told(self, alert: Alert, receiver: str, outcome: Outcome | None, status: int | None = None) -> None:
        """A notice that it fires, and what became of it; None: not tried yet."""
        at = self.now - 3 * MINUTE
        notice = Told(
            key=f"{alert.fingerprint}/{receiver}",
            dedup_key=alert.fingerprint,
            receiver=receiver,
            kind=Kind.FIRING,
            payload=Facts(kind=Kind.FIRING, at=at, items=(), total=1),
            not_before=at,
            alerts=(alert.fingerprint,),
        )
        self.store.write(Changes(at=at, told=[notice]))
        if outcome is not None:
            outbox = Outbox(self.kept)
            again = self.now + MINUTE if outcome is Outcome.FAILED else None
            (waiting,) = outbox.waiting(receiver)
            outbox.settle(Attempt(notice=waiting, receipt=Receipt(outcome, status), at=at, next_try_at=again))

    def _now(self) -> pl.DataFrame:
        contexts = {key: json.dumps(alert.context) for key, alert in self.store.alerts().items()}
        frame = self.frames.now()
        context = pl.col("fingerprint").replace_strict(contexts, default="{}", return_dtype=pl.String)
        return frame.with_columns(context=context)

    def _engine(self) -> pl.DataFrame:
        if not self.has_engine:
            raise UnknownRead("no such read")
        file = msgspec.json.encode(self.store.rule_file()).decode()
        beat = self.store.heartbeat().evaluated_at
        return pl.DataFrame(
            {"evaluated_at": [beat], "file": [file], "error": [""]},
            schema_overrides={"evaluated_at": pl.Datetime("us", "UTC")},
        )


def lively(folder: Path, now: datetime) -> Shop:
    """Something in every state, an episode that is over, and notices with every outcome."""
    shop = Shop(folder, now)
    lost: dict[str, str | float] = {"lost": 310.0, "lost_cents": 410_000.0, "top_codes": "E1 <b>x</b>"}
    first = shop.live(ERRORS, {"channel": "whatsapp"}, [(6 * MINUTE, 0.089), (4 * MINUTE, 0.072)], **lost)
    shop.keep(replace(first, page=Page(told_to=("oncall", "marketing-ops"))))
    taken = shop.live(ERRORS, {"channel": "email"}, [(8 * MINUTE, 0.035)])
    shop.keep(acknowledge(taken, "bia", now + HOUR, "provider is on it"))
    shop.live(SILENT, {"channel": "sms"}, [(10 * MINUTE, 1.0), (2 * MINUTE, 0.2)])
    shop.live(LATENCY, {"use_case": "reco"}, [(10 * MINUTE, 1200.0), (8 * MINUTE, None)])
    quiet = shop.live(DROP, {"use_case": "cart"}, [(20 * MINUTE, 0.1)])
    shop.live(QUEUE, {}, [(10 * MINUTE, 150.0), (2 * HOUR, 3.0)])
    matchers = {"rule": DROP, **quiet.labels}
    comment = "planned <img src=x>"
    silence = Silence(id="s1", matchers=matchers, starts=now - HOUR, ends=now + HOUR, by="ana", comment=comment)
    shop.store.write(Changes(at=now, silences=[silence]))
    shop.told(first, "oncall", Outcome.SENT)
    shop.told(first, "marketing-ops", Outcome.FAILED, 503)
    shop.told(taken, "dpo", Outcome.NO_SUCH_RECEIVER)
    shop.told(quiet, "marketing-lead", None)
    return shop


def eventful(folder: Path, now: datetime) -> Shop:
    """As `lively`, with the tables behind it: e-mail and WhatsApp for three hours, of which WhatsApp failed in one."""
    shop = lively(folder, now)
    database = Database.open(None)
    start = now.replace(second=0, microsecond=0) - 3 * HOUR
    failed_from, failed_to = start + HOUR, start + 2 * HOUR
    rows = [*attempts("email", start, now), *attempts("whatsapp", start, failed_from)]
    rows += attempts("whatsapp", failed_from, failed_to, "personalization_failed")
    Tables(database).take(*rows, *attempts("whatsapp", failed_to, now))

    def past(name: str, **params: object) -> pl.DataFrame:
        with database.cursor() as cursor:
            return Asked(cursor)(name, **params)

    shop.past = past
    return shop


def attempts(channel: str, start: datetime, end: datetime, name: str = "personalization_delivered") -> list[Row]:
    return every(6 * SECOND, start, end, name=name, channel=channel, use_case="cart")


def calm(folder: Path, now: datetime) -> Shop:
    """One alert, and it is fine."""
    shop = Shop(folder, now)
    shop.live(QUEUE, {}, [(MINUTE, 3.0)])
    return shop
