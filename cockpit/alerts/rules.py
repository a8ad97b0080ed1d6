"""What a rule file says, as values: rules, receivers, mutes, inhibitions. `rule_file.read_rules` makes and checks them.

Law: no value here holds an address or a secret; a receiver names the environment's variable that does.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import product

import msgspec

from cockpit.alerts.calendars import Calendar
from cockpit.alerts.conditions import Condition
from cockpit.kpis.kpi import Unit

LABELS = (
    "source",
    "channel",
    "segment",
    "use_case",
    "experience_id",
    "integration",
    "error_code",
    "reason",
    "experiment",
    "variant",
    "metric",
    "stage",
    "campaign",
    "code",
)
"""All that an alert may be told apart by. None of them names a person."""

Labels = dict[str, str]
GAPS = 3  # evaluations that may be missing before the time between two counts as unobserved


class Severity(StrEnum):
    WARN = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return RANKS[self]


RANKS: Mapping[Severity, int] = {Severity.WARN: 0, Severity.CRITICAL: 1}


class OnMissing(StrEnum):
    """What a rule makes of values that do not come, or of a query that fails."""

    ALERT = "alert"
    KEEP = "keep"
    OK = "ok"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `name` is by language; `hold` is the file's `for`; `expect`: label values that are to be there always.

    `beyond_chance`: it fires only on what chance alone would hardly put beyond its limit.
    Without `recover` it recovers where it does not fire. `is_derived` (from events) and `unit` are those of the metric.
    """

    id: str
    name: dict[str, str]
    metric: str
    by: tuple[str, ...] = ()
    where: Labels = {}
    expect: dict[str, tuple[str, ...]] = {}
    window: timedelta
    every: timedelta
    evaluation_delay: timedelta = timedelta(seconds=20)
    min_count: int = 0
    beyond_chance: bool = False
    fire: Condition
    recover: Condition | None = None
    warn: Condition | None = None
    hold: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    nodata: OnMissing = OnMissing.ALERT
    nodata_for: timedelta = timedelta(minutes=3)
    on_error: OnMissing = OnMissing.KEEP
    severity: Severity
    group_by: tuple[str, ...] = ("rule", "use_case")
    repeat: timedelta = timedelta(hours=4)
    escalate_after: timedelta | None = None
    owner: str
    runbook: str = ""
    page: str = "/alerts"
    receivers: tuple[str, ...]
    is_enabled: bool = True
    is_derived: bool = True
    unit: Unit = Unit.NUMBER

    @property
    def max_gap(self) -> timedelta:
        """A longer time between two evaluations is no evidence of anything."""
        return GAPS * self.every

    @property
    def expected(self) -> tuple[Labels, ...]:
        """The label sets that have to give a value: all combinations of `expect` and `where`; none where it is silent.

        A rule that is not split has the one of its `where`.
        """
        fixed = {label: (self.where[label],) for label in self.by if label in self.where}
        values = [(fixed | self.expect).get(label, ()) for label in self.by]
        return tuple(dict(zip(self.by, combination, strict=True)) for combination in product(*values))

    def limit_of(self, severity: Severity) -> Condition:
        """What has to hold for an alert to be of this severity."""
        return self.warn if self.warn is not None and severity is Severity.WARN else self.fire


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is told. `url_env` names the variable with the address; `escalate_to` another receiver.

    `wants_digest`: of what was over before anybody looked. A pager would open an incident that nobody closes.
    """

    name: str
    url_env: str
    escalate_to: str | None = None
    language: str = "pt-BR"
    wants_digest: bool = True


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """A planned time without messages: from `start` to `end`, or every week during or outside a calendar."""

    name: str
    reason: str
    match: dict[str, str | bool]
    start: datetime | None = None
    end: datetime | None = None
    during: Calendar | None = None
    outside: Calendar | None = None

    def covers(self, at: datetime) -> bool:
        if self.start is not None and self.end is not None:
            return self.start <= at < self.end
        if self.outside is not None:
            return not self.outside.covers(at)
        return self.during is not None and self.during.covers(at)


class Inhibit(msgspec.Struct, frozen=True, kw_only=True):
    """While `source` fires, the alerts that `target` matches say nothing, where the `equal` labels agree."""

    source: str
    target: dict[str, str | bool]
    equal: tuple[str, ...] = ()


class Grouping(msgspec.Struct, frozen=True, kw_only=True):
    """First pages of one group wait for each other; the next ones of that group come `interval` later at least."""

    wait: timedelta = timedelta(seconds=30)
    interval: timedelta = timedelta(minutes=5)


class RuleFile(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A whole file. Names and ids are unique, and those that are referred to exist."""

    rules: tuple[Rule, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    mutes: tuple[Mute, ...] = ()
    inhibits: tuple[Inhibit, ...] = ()
    grouping: Grouping = Grouping()

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def receiver_by_name(self) -> Mapping[str, Receiver]:
        return {receiver.name: receiver for receiver in self.receivers}


class MetricInfo(msgspec.Struct, frozen=True):
    """What a rule has to know of a metric: what it may be split by, whether it is counted from events, its unit."""

    labels: tuple[str, ...] = ()
    is_derived: bool = True
    unit: Unit = Unit.NUMBER


class Known(msgspec.Struct, frozen=True):
    """What a file is held against: metrics by name, and the paths of the pages such as `/operational`."""

    metrics: Mapping[str, MetricInfo]
    pages: frozenset[str]
