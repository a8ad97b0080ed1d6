"""The alerts page in words and numbers of one language: entries of what goes on, tables of the rest.

Law: a state is said by word, glyph and tone together. Numbers pass `cockpit.i18n.format`, what senders chose passes
`cockpit.alerts.scrubbing`. A dash where there is nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.conditions import Condition
from cockpit.alerts.facts import Facts, Item
from cockpit.alerts.machine import Kind, State
from cockpit.alerts.messages import Place, amount, limit, moment, named, span, text_of
from cockpit.alerts.rules import LABELS, Labels, Rule, Severity
from cockpit.alerts.silences import Hiding, Silence
from cockpit.i18n.format import MISSING, SPACE, money, num
from cockpit.i18n.translate import translate
from cockpit.views.alerts import MOST, STATES, Delivery, Episode, RuleState, Shown

GLYPHS: Mapping[State, str] = {
    State.OK: "✓", State.PENDING: "◔", State.FIRING: "⬣", State.RECOVERING: "◑", State.NODATA: "⌀", State.ERROR: "⌀"
}  # fmt: skip
TONES: Mapping[State, str] = {State.OK: "good", State.FIRING: "bad", State.RECOVERING: "warn"}
WARNED = "▲"
DELIVERED: Mapping[str, tuple[str, str]] = {
    "sent": ("✓", "good"), "waiting": ("◔", ""), "superseded": ("○", "soft"), "given_up": ("⬣", "bad")
}  # fmt: skip
SIGNS: Mapping[str, str] = {">": ">", ">=": "≥", "<": "<", "<=": "≤"}


@dataclass(frozen=True)
class Fact:
    """`more` is smaller, below the value."""

    label: str
    value: str
    more: str = ""


@dataclass(frozen=True)
class Entry:
    """One alert that goes on. `marks`: why it is not told. `notes`: the rest, a line each."""

    glyph: str
    tone: str
    state: str
    severity: str
    title: str
    facts: tuple[Fact, ...]
    marks: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """`lines` are smaller, below the text. `href`: where the text leads."""

    text: str
    lines: tuple[str, ...] = ()
    tone: str = ""
    href: str = ""


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """At an instant, in a language, by the clocks of a zone."""

    language: str
    zone: ZoneInfo
    now: datetime

    def say(self, key: str, **values: object) -> str:
        return translate(f"alerts.page.{key}", self.language, **values)

    def moment(self, at: datetime | None) -> str:
        return moment(at, self.now, self._place)

    def age(self, at: datetime | None) -> str:
        """Since then, without a word before it."""
        return MISSING if at is None else span((self.now - at).total_seconds())

    # Names

    def rule(self, rule: Rule) -> str:
        return rule.name[self.language]

    def what(self, name: str, labels: Labels) -> str:
        """A rule and what it is about."""
        return " · ".join((name, *self.labels(labels)))

    def labels(self, labels: Labels) -> Iterator[str]:
        """Each as people call it."""
        for name, value in labels.items():
            yield translate(f"alerts.label.{name}", self.language, value=named(name, value, self.language))

    def title(self, shown: Shown) -> str:
        return self.what(self.rule(shown.rule), shown.item.labels)

    def condition(self, rule: Rule, condition: Condition) -> str:
        """`> 5%`; a rule whose value is only a code gives its number."""
        decimals = 0 if condition.limit.is_integer() else 2
        said = limit(rule.unit, condition, self.language) or num(condition.limit, self.language, decimals)
        return f"{SIGNS[condition.op]}{SPACE}{said}"

    # What goes on

    def entry(self, shown: Shown) -> Entry:
        alert = shown.alert
        is_warning = alert.state is State.FIRING and alert.severity is Severity.WARN
        return Entry(
            glyph=WARNED if is_warning else GLYPHS[alert.state],
            tone="warn" if is_warning else TONES.get(alert.state, "soft"),
            state=self.say(f"state.{alert.state}"),
            severity=self.say(f"severity.{alert.severity}"),
            title=self.title(shown),
            facts=tuple(self._facts(shown)),
            marks=tuple(self._marks(shown)),
            notes=tuple(self._notes(shown)),
        )

    def _facts(self, shown: Shown) -> Iterator[Fact]:
        alert, item = shown.alert, shown.item
        value = amount(item.unit, alert.value, self.language)
        if value:
            yield Fact(self.say("fact.value"), value, self._beside(shown))
        yield Fact(self.say("fact.since"), self.moment(shown.began_at), self._since(shown))
        if value:
            yield Fact(self.say("fact.peak"), amount(item.unit, alert.peak, self.language))
        if impact := self._impact(item):
            yield Fact(self.say("fact.impact"), impact)
        yield Fact(self.say("fact.acked"), self._acked(shown), alert.ack_note if shown.is_acked(self.now) else "")
        yield Fact(self.say("fact.owner"), shown.rule.owner)

    def _beside(self, shown: Shown) -> str:
        """The limit; while no value comes, when the one that is shown was known."""
        if shown.alert.state in (State.NODATA, State.ERROR):
            return self.say("last_known", time=self.moment(shown.alert.value_at))
        return self.say("expects", limit=self.condition(shown.rule, shown.item.limit))

    def _since(self, shown: Shown) -> str:
        alert, hold = shown.alert, shown.rule.hold
        if alert.state is State.PENDING and hold:
            return self.say("pending_of", age=span(shown.item.lasted_s), hold=span(hold.total_seconds()))
        return self.say("for_long", age=self.age(shown.began_at))

    def _impact(self, item: Item) -> str:
        """Only what the evaluation counted."""
        lost, cents = item.context.get("lost"), item.context.get("lost_cents")
        if isinstance(lost, int | float):
            counted = num(lost, self.language)
            if isinstance(cents, int | float):
                return self.say("lost_money", lost=counted, cents=self._money(cents))
            return self.say("lost", lost=counted)
        risk = item.context.get("at_risk_cents")
        return self.say("at_risk", cents=self._money(risk)) if isinstance(risk, int | float) else ""

    def _acked(self, shown: Shown) -> str:
        alert = shown.alert
        if not shown.is_acked(self.now):
            return self.say("nobody")
        if alert.ack_until is None:
            return self.say("acked_open", by=alert.acked_by)
        return self.say("acked_until", by=alert.acked_by, until=self.moment(alert.ack_until))

    def _marks(self, shown: Shown) -> Iterator[str]:
        if shown.silence is not None:
            silence = shown.silence
            until = self.moment(silence.ends)
            yield self.say("silence_until", until=until, by=silence.by, comment=silence.comment)
        elif shown.hiding is not None and shown.hiding is not Hiding.SILENCE:
            yield self.say(f"hidden_{shown.hiding}")
        if shown.item.is_flapping:
            yield self.say("flapping")

    def _notes(self, shown: Shown) -> Iterator[str]:
        yield self.say(f"reason.{shown.alert.reason}").capitalize() + "."
        yield from self._context(shown.item)
        if shown.told_to:
            yield self.say("told", receivers=", ".join(shown.told_to))
        elif shown.alert.is_open:
            yield self.say("told_nobody_hidden" if shown.hiding else "told_nobody")

    def _context(self, item: Item) -> Iterator[str]:
        """What the message says of it between its first line, which is the facts above, and its addresses."""
        spoken = msgspec.structs.replace(item, is_flapping=False)
        facts = Facts(kind=Kind.FIRING, at=self.now, items=(spoken,), total=1)
        lines = text_of(facts, self._place).body.splitlines()[:-1]
        yield from (lines if "change" in item.context else lines[1:])

    # What was, and what is set

    def history(self, episodes: Iterable[Episode]) -> Table:
        names = ("alert", "began", "lasted", "peak", "acked", "changes")
        notes = (self.say("days_note", most=MOST), *self._zone_note())
        return self._table(names, (self._episode(episode) for episode in episodes), notes)

    def _episode(self, episode: Episode) -> tuple[Cell, ...]:
        last, rule = episode.last, episode.rule
        name = self.rule(rule) if rule else self.say("gone_rule", rule=episode.rule_id)
        labels = {key: value for key, value in episode.labels.items() if rule is None or key not in rule.where}
        ended = episode.ended_at
        lasted = last.lasted.total_seconds() if ended else (self.now - (last.active_at or self.now)).total_seconds()
        state = Cell(span(lasted), () if ended else (f"{GLYPHS[last.target]} {self.say('goes_on')}",))
        return (
            Cell(self.what(name, labels), (self.say(f"severity.{episode.severity}"),), self._severe(episode.severity)),
            Cell(self.moment(last.active_at)),
            state,
            Cell((rule and amount(rule.unit, last.peak, self.language)) or MISSING),
            Cell(episode.acked_by or self.say("nobody")),
            Cell("", tuple(self._steps(episode))),
        )

    def _steps(self, episode: Episode) -> Iterator[str]:
        for change in episode.changes:
            source, target = (f"{GLYPHS[at]} {self.say(f'state.{at}')}" for at in (change.source, change.target))
            reason = self.say(f"reason.{change.reason}")
            yield self.say("step", time=self.moment(change.at), source=source, target=target, reason=reason)

    def rules(self, states: Iterable[RuleState]) -> Table:
        names = ("rule", "state", "condition", "owner", "receivers", "evaluated", "runbook")
        notes = (self.say("read_only"), *self._zone_note())
        return self._table(names, (self._rule(state) for state in states), notes)

    def _rule(self, state: RuleState) -> tuple[Cell, ...]:
        rule, runbook = state.rule, self.say("runbook")
        named_by = (rule.id, self.say("of_version", version=state.version))
        is_link = rule.runbook.startswith(("https://", "http://"))
        return (
            Cell(self.rule(rule), (" · ".join(named_by), self.say(f"severity.{rule.severity}"))),
            self._alerts(state),
            Cell("", tuple(self._conditions(rule))),
            Cell(rule.owner),
            Cell(", ".join(rule.receivers)),
            self._evaluated(state),
            Cell(runbook if is_link else rule.runbook or MISSING, href=rule.runbook if is_link else ""),
        )

    def _alerts(self, state: RuleState) -> Cell:
        if not state.rule.is_enabled:
            return Cell(f"○ {self.say('disabled')}", tone="soft")
        present = [at for at in STATES if at in state.alerts]
        if not present:
            return Cell(MISSING)
        worst, *others = (f"{GLYPHS[at]} {self.say(f'state.{at}')} {state.alerts[at]}" for at in present)
        return Cell(worst, tuple(others), TONES.get(present[0], "soft"))

    def _evaluated(self, state: RuleState) -> Cell:
        if not state.rule.is_enabled:
            return Cell(MISSING)
        if not state.is_asked:
            return Cell(MISSING, (self.say("nothing_to_judge"),))
        ago = self.say("ago", age=self.age(state.evaluated_at)) if state.evaluated_at else MISSING
        return Cell(f"⬣ {ago}", (self.say("is_late"),), "bad") if state.is_late(self.now) else Cell(ago)

    def _conditions(self, rule: Rule) -> Iterator[str]:
        def lasting(key: str, name: str, value: timedelta) -> str:
            return f", {self.say(key, **{name: span(value.total_seconds())})}" if value else ""

        yield self.say("fires", limit=self.condition(rule, rule.fire)) + lasting("holds", "hold", rule.hold)
        if rule.warn is not None:
            yield self.say("warns", limit=self.condition(rule, rule.warn))
        kept = lasting("keeps", "keep", rule.keep_firing_for)
        if rule.recover is not None:
            yield self.say("recovers", limit=self.condition(rule, rule.recover)) + kept
        every, window = (span(each.total_seconds()) for each in (rule.every, rule.window))
        yield self.say("per", every=every, window=window)
        if rule.min_count:
            yield self.say("needs", count=num(rule.min_count, self.language))
        policy = self.say(f"policy.{rule.nodata}")
        yield self.say("no_data_after", age=span(rule.nodata_for.total_seconds()), policy=policy)

    def silence(self, silence: Silence, rules: Mapping[str, Rule]) -> Entry:
        """As an entry, since it can be ended."""
        times = (("from", silence.starts), ("until", silence.ends))
        matched = {name: value for name, value in silence.matchers.items() if name in LABELS}
        rule = silence.matchers.get("rule", "")
        name = self.rule(rules[rule]) if rule in rules else rule
        severity = silence.matchers.get("severity")
        return Entry(
            glyph="○",
            tone="soft",
            state=self.say("quiet"),
            severity=self.say(f"severity.{severity}") if severity in set(Severity) else "",
            title=" · ".join(part for part in (name, *self.labels(matched)) if part),
            facts=(
                *(Fact(self.say(f"column.{key}"), self.moment(at)) for key, at in times),
                Fact(self.say("column.by"), silence.by),
                Fact(self.say("column.comment"), silence.comment),
            ),
            marks=(),
            notes=(self.say("tells_end"),) if silence.tells_resolved else (),
        )

    def deliveries(self, found: Iterable[Delivery]) -> Table:
        names = ("queued", "kind", "about", "receiver", "status")
        notes = (self.say("days_note", most=MOST), *self._zone_note())
        return self._table(names, (self._delivery(each) for each in found), notes)

    def _delivery(self, each: Delivery) -> tuple[Cell, ...]:
        glyph, tone = DELIVERED[each.status]
        if each.has_failed and each.status == "waiting":
            glyph, tone = WARNED, "warn"
        about = [self.title(shown) for shown in each.about]
        instead = (self.say("stands_in", receiver=each.stands_for),) if each.stands_for else ()
        status = f"{glyph} {self.say(f'status.{each.status}')}"
        return (
            Cell(self.moment(each.queued_at)),
            Cell(self.say(f"kind.{each.kind}")),
            Cell(about[0] if about else MISSING, tuple(about[1:])),
            Cell(each.receiver, instead),
            Cell(status, tuple(self._attempts(each)), tone),
        )

    def _attempts(self, each: Delivery) -> Iterator[str]:
        if each.result is None:
            return
        code = f" ({self.say('http', status=each.http_status)})" if each.http_status else ""
        yield self.say(f"result.{each.result}") + code
        yield f"{self.say('attempts', attempts=each.attempts)} · {self.moment(each.tried_at)}"
        if each.next_try_at is not None:
            yield self.say("next_try", time=self.moment(each.next_try_at))

    # Parts

    @property
    def _place(self) -> Place:
        return Place(self.language, self.zone)

    def _money(self, cents: float) -> str:
        return money(round(cents), self.language, short=True)

    def _table(self, names: Iterable[str], rows: Iterable[tuple[Cell, ...]], notes: tuple[str, ...]) -> Table:
        return Table(tuple(self.say(f"column.{name}") for name in names), tuple(rows), notes)

    def _zone_note(self) -> tuple[str, ...]:
        return (self.say("times_note", zone=self.zone.key),)

    @staticmethod
    def _severe(severity: Severity) -> str:
        return "bad" if severity is Severity.CRITICAL else "warn"
