"""A report as facts and tables of words, for whatever draws them: the page, the file, the command line.

Law: figures that a gate holds back are soft and say why; what is not registered carries no verdict word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cockpit.experiments.breakdown import Breakdown, Segment
from cockpit.experiments.comparison import Arm, Method
from cockpit.experiments.metrics import Metric, Unit
from cockpit.experiments.program import SINCE_START, Week
from cockpit.experiments.report import Rail, Report, Result, Role
from cockpit.experiments.sample_ratio import SampleRatio
from cockpit.experiments.verdict import GuardrailState
from cockpit.i18n import dates
from cockpit.i18n.format import MISSING, SPACE
from cockpit.views.experiment_words import GLYPHS, Words
from cockpit.views.experiments import Decision

WORTH = ("revenue_per_profile", "margin_per_profile", "orders_per_profile")
OF_STATE = {GuardrailState.HARM: "bad", GuardrailState.SAFE: "good", GuardrailState.OPEN: ""}


@dataclass(frozen=True)
class Cell:
    """`tone`: good, bad, warn, soft or none; it says nothing that the text does not. `more`: a smaller line."""

    text: str
    tone: str = ""
    more: str = ""


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """`more`: smaller lines."""

    label: str
    value: str
    more: str = ""
    tone: str = ""


def standing_facts(words: Words, report: Report) -> tuple[Fact, ...]:
    """How long it has run, how many were exposed, and whether they are shared out as planned."""
    exposure, say = report.exposure, words.say
    minimum = say("minimum", days=words.days(report.plan.minimum_days)) if report.standing.registration else ""
    return (
        Fact(say("running_for"), words.days(report.days), minimum),
        Fact(say("exposed"), words.count(exposure.exposed), _split(words, report)),
        balance(words, exposure.sample_ratio),
        _people(words, "mixed", exposure.mixed, exposure.mixed_share),
        _people(words, "contaminated", exposure.contaminated, exposure.contaminated_share),
    )


def balance(words: Words, ratio: SampleRatio | None) -> Fact:
    """The sample ratio: a word, and both numbers."""
    say = words.say
    if ratio is None:
        return Fact(say("balance"), MISSING, say("balance_unregistered"), "soft")
    tone = "warn" if ratio.is_broken else "good"
    word = say("balance_broken" if ratio.is_broken else "balance_holds")
    numbers = say("balance_p", p=words.p(ratio.p), chi_square=words.p(ratio.chi_square_p))
    return Fact(say("balance"), f"{GLYPHS[tone]}{SPACE}{word}", numbers, tone)


def worth_facts(words: Words, report: Report, treatment: str) -> tuple[Fact, ...]:
    """Incremental revenue, margin and orders since the start; a dash while a gate is not met."""
    return tuple(_worth(words, report, report.result(name, treatment)) for name in WORTH)


def plan_facts(words: Words, report: Report) -> tuple[Fact, ...]:
    """What was fixed before it ran, and what was concluded; nothing without a registration."""
    plan, standing = report.plan, report.standing
    if standing.registration is None:
        return ()
    facts = {
        "hypothesis": plan.hypothesis,
        "owner": plan.owner,
        "use_case": words.use_case(plan.use_case),
        "shares": " · ".join(f"{each.id} {words.share(each.share)}" for each in plan.variants),
        "primary": words.metric(plan.primary),
        "secondary": ", ".join(map(words.metric, plan.secondary)),
        "mde": words.percent(plan.mde),
        "target": words.percent(plan.target) if plan.target is not None else "",
        "minimum_days": words.days(plan.minimum_days),
        "lookback": words.days(plan.lookback_days),
        "allocation": words.say(f"allocated.{plan.allocation}"),
        "adjusted": words.say("yes" if plan.is_adjusted else "no"),
        "decision": standing.decision,
        "learning": standing.learning,
    }
    return tuple(Fact(words.say(f"plan.{key}"), value or MISSING) for key, value in facts.items())


def results(words: Words, chosen: Sequence[Result], report: Report) -> Table:
    """A row per metric and treatment."""
    several = len({one.treatment for one in chosen}) > 1
    names = [
        "metric", *(["treatment"] if several else []), "control_mean", "treatment_mean", "uplift", "difference",
        "worth_total", "visible", "p", "verdict_of",
    ]  # fmt: skip
    rows = tuple(
        (
            Cell(words.metric(one.metric.id), more=_kind(words, one)),
            *((Cell(words.variant(one.treatment)),) if several else ()),
            *_figures(words, one, report),
        )
        for one in chosen
    )
    return Table(_head(words, names), rows, _notes(words, chosen))


def registered(report: Report) -> tuple[Result, ...]:
    return tuple(one for one in report.results if one.role is not Role.OTHER)


def others(report: Report) -> tuple[Result, ...]:
    """Described, without a verdict; those with anything to say."""
    return tuple(one for one in report.results if one.role is Role.OTHER and one.comparison.interval)


def guardrails(words: Words, rails: Iterable[Rail]) -> Table:
    head = _head(words, ["guardrail", "treatment", "limit", "uplift", "state"])
    return Table(head, tuple(_rail(words, rail) for rail in rails), (words.say("note.guardrail"),))


def breakdown(words: Words, found: Breakdown) -> Table:
    """The segments of one metric, those that differ first."""
    several = len({one.treatment for one in found.segments}) > 1
    names = ["segment", *(["treatment"] if several else []), "control_mean", "treatment_mean", "uplift", "found"]
    ordered = sorted(found.segments, key=lambda one: (not one.is_found, -one.log_e))
    notes = [words.say("note.family", family=words.count(found.family))]
    notes += [words.say("note.hidden", hidden=words.count(found.hidden))] if found.hidden else []
    notes += [
        words.say("note.heterogeneity", treatment=words.variant(treatment), p=words.p_is(apart.p))
        for treatment, apart in found.heterogeneity.items()
    ]
    rows = tuple(_segment(words, one, has_treatment=several) for one in ordered)
    return Table(_head(words, names), rows, tuple(notes))


def epochs(words: Words, found: Iterable[Result]) -> Table:
    """A bandit's treatments, each weighed by the epochs of its allocation."""
    head = _head(words, ["metric", "treatment", "control_mean", "treatment_mean", "uplift"])
    rows = tuple(
        (Cell(words.metric(one.metric.id)), Cell(words.variant(one.treatment)), *_effect(words, one)) for one in found
    )
    return Table(head, rows, (words.say("note.epochs"),))


def weeks(words: Words, found: Iterable[Week]) -> Table:
    """What the program brought week by week, the newest first; no verdict words."""
    head = _head(words, ["week", *(f"week_{name}" for name in ("revenue", "margin", "conversion")), "so_far"])
    rows = tuple(_week(words, week) for week in sorted(found, key=lambda week: week.monday, reverse=True))
    return Table(head, rows, (words.say("note.weeks"),))


def since_start(report: Report) -> tuple[Result, ...]:
    """What only time shows: repurchase, inactivity, NPS, value at fixed ages."""
    return tuple(one for one in report.results if one.metric.id in SINCE_START)


def decisions(words: Words, found: Iterable[Decision]) -> Table:
    rows = tuple(
        (
            Cell(dates.instant(one.at, words.language, words.zone)),
            Cell(one.actor, more=one.role),
            Cell(words.say(f"action.{one.action}")),
            Cell(_details(words, one)),
        )
        for one in found
    )
    return Table(_head(words, ["at", "who", "what", "details"]), rows)


def _split(words: Words, report: Report) -> str:
    seen, planned = report.exposure.counts, report.exposure.planned
    total = sum(seen.values())
    parts = []
    for name, n in seen.items():
        plan = words.say("of_plan", share=words.share(planned[name])) if name in planned else ""
        parts.append(f"{name} {words.share(n / total if total else None)}{plan}")
    return " · ".join(parts)


def _people(words: Words, key: str, n: int, share: float | None) -> Fact:
    more = words.say(f"{key}_share", share=words.share(share))
    return Fact(words.say(key), words.count(n), more, "warn" if n else "")


def _worth(words: Words, report: Report, result: Result) -> Fact:
    """A metric that is not registered is held back with the primary one."""
    found = result.comparison.worth
    primary = next(one for one in report.headlines if one.treatment == result.treatment)
    judged = result.judged or primary.judged
    label = words.say(f"worth.{result.metric.id}")
    if found is None or judged is None or judged.reasons:
        return Fact(label, MISSING, words.say("worth.held"), "soft")
    paces = {"per_day": found.per_day, "per_month": found.per_month, "if_all": found.if_all_treated}
    more = [
        words.say(f"worth.{key}", interval=words.worth(result.metric, pace)[1]) for key, pace in paces.items() if pace
    ]
    return Fact(label, words.worth(result.metric, found.total)[1], "\n".join(more))


def _figures(words: Words, result: Result, report: Report) -> tuple[Cell, ...]:
    found, metric = result.comparison, result.metric
    word, of_word = words.verdict(result.judged)
    uplift, difference = words.relative(found), words.difference(found)
    worth = words.worth(metric, found.worth.total if found.worth else None)
    tone = _tone(result)
    return (
        _mean(words, metric, found.control),
        _mean(words, metric, found.treated),
        *(Cell(text, tone, interval) for text, interval in (uplift, difference, worth)),
        Cell(words.visible(found), tone),
        Cell(words.p(found.interval.p if found.interval else None), tone),
        Cell(word, of_word, "; ".join(words.doubts(report, result))),
    )


def _effect(words: Words, result: Result) -> tuple[Cell, Cell, Cell]:
    """Control, treatment, and the interval on the scale that its metric is compared on."""
    found, metric = result.comparison, result.metric
    estimate, interval = words.estimate(found)
    effect = Cell(estimate, _tone(result), interval)
    return _mean(words, metric, found.control), _mean(words, metric, found.treated), effect


def _tone(result: Result) -> str:
    """Of figures: soft while a gate is not met."""
    is_held = result.judged is not None and bool(result.judged.reasons)
    return "soft" if is_held or result.comparison.interval is None else ""


def _mean(words: Words, metric: Metric, arm: Arm) -> Cell:
    return Cell(words.value(metric.unit, arm.mean), more=words.say("n", n=words.count(arm.moments.n)))


def _kind(words: Words, result: Result) -> str:
    method = result.comparison.method
    parts = [] if result.role is Role.OTHER else [words.say(f"role.{result.role}")]
    parts += [] if method is Method.PLAIN else [words.say(f"method.{method}")]
    return " · ".join(parts)


def _notes(words: Words, chosen: Sequence[Result]) -> tuple[str, ...]:
    """Said once, if it holds for a row."""
    metrics = [one.metric for one in chosen]
    notes = {
        "always_valid": any(one.comparison.interval for one in chosen),
        "capped": any(metric.is_signed and metric.unit is Unit.CENTS for metric in metrics),
        "matured": any(metric.within_days is not None for metric in metrics),
        "ratio": any(metric.per and not metric.is_signed for metric in metrics),
        "responders": any(metric.id == "nps" for metric in metrics),
        "inactive": any(metric.id == "inactive_rate_60d" for metric in metrics),
    }
    return tuple(words.say(f"note.{key}") for key, holds in notes.items() if holds)


def _rail(words: Words, rail: Rail) -> tuple[Cell, ...]:
    metric, tone = rail.result.metric, OF_STATE[rail.state]
    limit = words.say("at_most" if metric.lower_is_better else "at_least", limit=words.percent(rail.limit))
    return (
        Cell(words.metric(metric.id)),
        Cell(words.variant(rail.result.treatment)),
        Cell(limit),
        _effect(words, rail.result)[2],
        Cell(f"{GLYPHS[tone]}{SPACE}{words.say(f'state.{rail.state}')}", tone),
    )


def _segment(words: Words, one: Segment, *, has_treatment: bool) -> tuple[Cell, ...]:
    found = one.comparison
    tone = "soft" if one.reasons else ""
    estimate, interval = words.estimate(found)
    key = "found" if one.is_found else "held" if one.reasons else "not_found"
    return (
        Cell(words.segment(one.name)),
        *((Cell(words.variant(one.treatment)),) if has_treatment else ()),
        _mean(words, found.metric, found.control),
        _mean(words, found.metric, found.treated),
        Cell(estimate, tone, interval),
        Cell(
            words.say(f"in_segment.{key}"),
            "good" if one.is_found else tone,
            ", ".join(words.say(f"gate_name.{gate}") for gate in one.reasons),
        ),
    )


def _week(words: Words, week: Week) -> tuple[Cell, ...]:
    more = "" if week.is_over else words.say("week_runs")
    first, last = (dates.day(day, words.language) for day in (week.monday, week.monday + timedelta(days=6)))
    revenue, margin, conversion = week.alone.values()
    total = week.so_far["revenue_per_profile"]
    worth = [words.worth(each.metric, each.worth.total if each.worth else None) for each in (revenue, margin, total)]
    estimate, interval = words.estimate(conversion)
    return (
        Cell(words.say("from_to", low=first, high=last), more=more),
        Cell(worth[0][0], "", worth[0][1]),
        Cell(worth[1][0], "", worth[1][1]),
        Cell(estimate, "", interval),
        Cell(worth[2][0], "", worth[2][1]),
    )


def _details(words: Words, one: Decision) -> str:
    if one.action == "register":
        return words.say("as_planned")
    said = [str(one.details[name]) for name in ("decision", "learning", "reason") if one.details.get(name)]
    said += [f"{name} {words.share(share)}" for name, share in one.details.get("shares", {}).items()]
    return " · ".join(said) or MISSING


def _head(words: Words, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(words.say(f"column.{name}") for name in names)
