"""A report in words and numbers of one language, as the page, the file and the command line show it.

Law: no uplift stands without its interval, and none in a sentence while a gate is not met. A dash where there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cockpit.experiments.case import SERVED
from cockpit.experiments.comparison import Comparison
from cockpit.experiments.interval import Range
from cockpit.experiments.metrics import Metric, Unit
from cockpit.experiments.money import Money
from cockpit.experiments.registration import EVERYTHING
from cockpit.experiments.report import Report, Result
from cockpit.experiments.verdict import Gate, Judged, Verdict, converting, converting_needed
from cockpit.i18n import dates
from cockpit.i18n.format import MISSING, SPACE, brl, money, num, pct, pp, rate, signed
from cockpit.i18n.translate import catalogue, translate

SMALLEST_P = 0.001
MOST = 10.0  # of an uplift: +1000 %
TONES = {
    Verdict.CONCLUSIVE_POSITIVE: "good",
    Verdict.CONCLUSIVE_NEGATIVE: "bad",
    Verdict.INCONCLUSIVE: "",
    Verdict.INSUFFICIENT: "soft",
    Verdict.NOT_TRUSTWORTHY: "warn",
}
GLYPHS = {"good": "✓", "bad": "⬣", "warn": "▲", "soft": "◔", "": "○"}


@dataclass(frozen=True)
class Words:
    """The texts of one report. Every number passes `cockpit.i18n.format`."""

    language: str
    zone: ZoneInfo

    def say(self, key: str, **values: object) -> str:
        return translate(f"experiments.{key}", self.language, **values)

    # Names

    def metric(self, metric_id: str) -> str:
        return self.say(f"metrics.{metric_id}.name")

    def definition(self, metric_id: str) -> str:
        return self.say(f"metrics.{metric_id}.definition")

    def variant(self, name: str) -> str:
        return self.say("served") if name == SERVED else name

    def quoted(self, name: str) -> str:
        """For a sentence."""
        return self.say("served") if name == SERVED else f"“{name}”"

    def use_case(self, name: str | None) -> str:
        return MISSING if name is None else self.say("everything") if name == EVERYTHING else name

    def segment(self, name: str) -> str:
        """Of a segment or a channel; a name that no catalogue knows is shown as it is."""
        known = catalogue(self.language)
        return next((known[key] for key in (f"segment.{name}", f"channel.{name}") if key in known), name)

    # Numbers

    def value(self, unit: Unit, value: float | None) -> str:
        """In the metric's unit."""
        if value is None:
            return MISSING
        written: dict[Unit, Callable[[], str]] = {
            Unit.CENTS: lambda: money(round(value), self.language),
            Unit.SHARE: lambda: rate(value, self.language),
            Unit.NUMBER: lambda: num(value, self.language, 2),
            Unit.POINTS: lambda: num(value * 100, self.language, 1),
        }
        return written[unit]()

    def change(self, unit: Unit, value: float) -> str:
        """A difference in the metric's unit; of shares in percentage points."""
        return signed(pp(value, self.language, 2) if unit is Unit.SHARE else self.value(unit, value))

    def percent(self, value: float, decimals: int = 1) -> str:
        """Of an uplift. Beyond MOST its size says nothing but that hardly anybody is in it."""
        if value > MOST:
            return f">{SPACE}{signed(pct(MOST, self.language, 0))}"
        return signed(pct(value, self.language, decimals))

    def reais(self, value: float) -> str:
        return signed(brl(value, self.language, short=True))

    def points(self, value: float) -> str:
        return signed(num(value, self.language, 1))

    def range(self, found: Range, write: Callable[[float], str]) -> str:
        return self.say("from_to", low=write(found.low), high=write(found.high))

    def count(self, value: float) -> str:
        return num(value, self.language)

    def p(self, value: float | None) -> str:
        if value is not None and value < SMALLEST_P:
            return f"<{SPACE}{num(SMALLEST_P, self.language, 3)}"
        return num(value, self.language, 3)

    def p_is(self, value: float | None) -> str:
        """For a sentence: `p = 0,031`, `p < 0,001`."""
        return f"p{SPACE}{'' if value is not None and value < SMALLEST_P else f'={SPACE}'}{self.p(value)}"

    def share(self, value: float | None) -> str:
        return pct(value, self.language)

    def days(self, days: float) -> str:
        whole = int(days)
        return self.say("day" if whole == 1 else "days", days=self.count(whole))

    # A comparison

    def estimate(self, found: Comparison) -> tuple[str, str]:
        """The uplift and its interval: relative, or in the unit of a metric that can be below 0."""
        interval = found.interval
        if interval is None:
            return MISSING, self.say("no_interval")
        as_range = Range(interval.estimate, interval.low, interval.high)
        write = (lambda value: self.change(found.metric.unit, value)) if found.metric.is_signed else self.percent
        return write(interval.estimate), self.range(as_range, write)

    def relative(self, found: Comparison) -> tuple[str, str]:
        """In per cent of the control; of a metric that can be below 0 only where that says something."""
        return self._of(found.percent, self.percent)

    def difference(self, found: Comparison) -> tuple[str, str]:
        """In the metric's unit; of shares in percentage points."""
        return self._of(found.difference, lambda value: self.change(found.metric.unit, value))

    def visible(self, found: Comparison) -> str:
        """The smallest uplift that would be seen."""
        if found.smallest_visible is None:
            return MISSING
        if found.metric.is_signed:
            return self.value(found.metric.unit, found.smallest_visible)
        return self.percent(found.smallest_visible).removeprefix("+")

    def worth(self, metric: Metric, amount: Money | None) -> tuple[str, str]:
        """Money, or a count, with its range."""
        if amount is None:
            return MISSING, ""
        write = self._cents if metric.unit is Unit.CENTS else self._count_more
        return write(amount.estimate), self.range(Range(amount.estimate, amount.low, amount.high), write)

    def money(self, amount: Money) -> tuple[str, str]:
        return self._cents(amount.estimate), self.range(Range(amount.estimate, amount.low, amount.high), self._cents)

    def _cents(self, value: float) -> str:
        return signed(money(round(value), self.language, short=True))

    def _count_more(self, value: float) -> str:
        return signed(self.count(value))

    def _of(self, found: Range | None, write: Callable[[float], str]) -> tuple[str, str]:
        return (MISSING, "") if found is None else (write(found.estimate), self.range(found, write))

    # A verdict

    def verdict(self, judged: Judged | None) -> tuple[str, str]:
        """The word with its sign, and its tone."""
        if judged is None:
            return self.say("no_verdict"), "soft"
        tone = TONES[judged.verdict]
        return f"{GLYPHS[tone]}{SPACE}{self.say(f'verdict.{judged.verdict}')}", tone

    def reasons(self, report: Report, result: Result) -> tuple[str, ...]:
        """Why there is no verdict on the effect."""
        judged = result.judged
        return tuple(self._reason(gate, report, result.comparison) for gate in judged.reasons) if judged else ()

    def _reason(self, gate: Gate, report: Report, found: Comparison) -> str:
        metric, ratio = found.metric, report.exposure.sample_ratio
        fewest = min(converting(metric, arm.moments) for arm in (found.control, found.treated))
        return self.say(
            f"gate.{gate}",
            p=self.p_is(ratio.p if ratio else None),
            have=self.count(fewest),
            needed=self.count(converting_needed(metric)),
            days=self.count(int(report.days)),
            minimum=self.count(report.plan.minimum_days),
        )

    def doubts(self, report: Report, result: Result) -> tuple[str, ...]:
        """The same in a few words each; how many are missing is said in full."""
        judged = result.judged
        return tuple(
            self._reason(gate, report, result.comparison) if gate is Gate.CONVERSIONS else self.say(f"gate_name.{gate}")
            for gate in (judged.reasons if judged else ())
        )

    def headline(self, report: Report, result: Result) -> str:
        """What is known about the primary metric, in a sentence; without an uplift while a gate is not met."""
        judged, found = result.judged, result.comparison
        assert judged is not None, "the primary metric is always judged"
        reasons = "; ".join(self.reasons(report, result))
        estimate, interval = self.estimate(found)
        sentence = self.say(
            f"headline.{judged.verdict}",
            treatment=self.quoted(result.treatment),
            metric=self.metric(found.metric.id),
            uplift=estimate,
            interval=interval,
            n=self.count(found.control.moments.n + found.treated.moments.n),
            days=self.days(report.days),
            visible=self.visible(found),
            reasons=reasons,
        )
        return " ".join([sentence, *self._caveats(report, result)])

    def _caveats(self, report: Report, result: Result) -> list[str]:
        said = []
        if result.drift and result.judged and not result.judged.reasons:
            said.append(self._drift(result))
        if result.is_below_target:
            said.append(self.say("below_target", target=self.percent(report.plan.target or 0.0)))
        return said

    def _drift(self, result: Result) -> str:
        drift, found = result.drift, result.comparison
        assert drift is not None
        assert found.unweighted is not None
        write = (lambda value: self.change(found.metric.unit, value)) if found.metric.is_signed else self.percent
        return self.say(
            "drift",
            segment=self.segment(drift.name),
            control=pct(drift.control_share, self.language),
            treatment=pct(drift.treatment_share, self.language),
            unweighted=write(found.unweighted),
        )

    def until(self, now: datetime) -> str:
        """As of when all of it is."""
        return self.say("until", at=dates.instant(now, self.language, self.zone))
