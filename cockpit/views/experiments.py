"""The experiments page: every version with its report, and one of them in detail.

Law: the list and the detail say the same of a version, since both compose the same report from the same reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cockpit.clock import business_day
from cockpit.errors import CallerError
from cockpit.experiments import observed as rows_of
from cockpit.experiments.lifecycle import TRANSITIONS, Status
from cockpit.experiments.observed import Look, Observed, Standing
from cockpit.experiments.program import BY_WEEK, Step, Week, over_time, weeks_of
from cockpit.experiments.registration import Guardrail, Registration, Variant
from cockpit.experiments.report import Report, report_of
from cockpit.experiments.sample_ratio import Shares
from cockpit.views.reads import Reads

MAY_ACT = ("operator", "admin")  # the roles that the warehouse lets act, until there is a login


@dataclass(frozen=True)
class Asked:
    """One version, or the newest of an experiment; `metric` None is the primary one."""

    experiment_id: str
    version: str | None = None
    metric: str | None = None


@dataclass(frozen=True)
class Decision:
    at: datetime
    actor: str
    role: str
    version: str
    action: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Detail:
    """`steps`: the interval of `metric` over time. `weeks`: of a program only. `decisions`: the newest first."""

    report: Report
    metric: str
    steps: tuple[Step, ...]
    looks: tuple[Look, ...]
    plans: tuple[Shares, ...]
    weeks: tuple[Week, ...]
    decisions: tuple[Decision, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done now; what only Cockpit does, such as moving a bandit's shares, is left out."""
        status = self.report.standing.status
        possible = [action for at, action in TRANSITIONS if at == status]
        return tuple(action for action in possible if action != "reallocate")


@dataclass(frozen=True)
class Form:
    """A registration as a person fills it in: shares and uplifts in per cent, treatments apart by commas."""

    experiment_id: str
    version: str
    use_case: str
    hypothesis: str
    owner: str
    treatments: str
    control_percent: float
    primary: str
    secondary: Sequence[str]
    guardrails: Sequence[str]
    limit_percent: float
    mde_percent: float
    target_percent: float | None
    minimum_days: int
    is_bandit: bool
    is_adjusted: bool


def listed(reads: Reads, now: datetime) -> tuple[Report, ...]:
    """Every version, the running ones first, then the newest."""
    reports = [report_of(_observed(reads, standing, now)) for standing in rows_of.standings(reads("experiments"))]
    return tuple(sorted(reports, key=_place))


def detailed(reads: Reads, asked: Asked, now: datetime, zone: ZoneInfo) -> Detail | None:
    """One version; None if there is none of the name."""
    standing = _chosen(rows_of.standings(reads("experiments")), asked)
    if standing is None:
        return None
    key = _key(standing)
    observed = _observed(reads, standing, now, is_whole=True)
    report = report_of(observed)
    known = {result.metric.id for result in report.results}
    metric = asked.metric if asked.metric in known else report.plan.primary
    by_week = list(BY_WEEK) if standing.is_program else []
    days = rows_of.days(reads("experiment_curve", **key, metrics=sorted({metric, *by_week})))
    weeks = rows_of.weeks(reads("experiment_weeks", **key)) if standing.is_program else []
    return Detail(
        report=report,
        metric=metric,
        steps=over_time(observed, metric, days),
        looks=observed.looks,
        plans=observed.plans,
        weeks=weeks_of(observed, weeks, days, business_day(now, zone)),
        decisions=_decisions(reads, standing),
    )


def registration_of(form: Form) -> Registration:
    """What the form asks for; CallerError says what is wrong with it."""
    names = [name.strip() for name in form.treatments.split(",") if name.strip()]
    if not names:
        raise CallerError("an experiment needs a treatment beside the control")
    control = round(form.control_percent / 100, 6)
    variants = [Variant("control", control), *(Variant(name, (1 - control) / len(names)) for name in names)]
    return Registration.of(
        {
            "experiment_id": form.experiment_id.strip(),
            "version": form.version.strip(),
            "use_case": form.use_case.strip() or None,
            "hypothesis": form.hypothesis.strip(),
            "owner": form.owner.strip(),
            "variants": msgspec.to_builtins(variants),
            "primary": form.primary,
            "secondary": [name for name in form.secondary if name != form.primary],
            "guardrails": msgspec.to_builtins([Guardrail(name, form.limit_percent / 100) for name in form.guardrails]),
            "mde": form.mde_percent / 100,
            "target": None if form.target_percent is None else form.target_percent / 100,
            "minimum_days": form.minimum_days,
            "allocation": "thompson" if form.is_bandit else "fixed",
            "is_adjusted": form.is_adjusted,
        }
    )


def _observed(reads: Reads, standing: Standing, now: datetime, *, is_whole: bool = False) -> Observed:
    """What a headline needs; the whole also has what only the detail shows."""
    key = _key(standing)
    has_moved = bool(standing.registration) and dict(standing.shares) != standing.plan.shares
    history = _history(reads, standing) if has_moved else []
    more: dict[str, Any] = {}
    if is_whole:
        more["channels"] = rows_of.groups(reads("experiment_moments", **key, by=["channel"], until=None), "channel")
        more["ages"] = rows_of.ages(reads("experiment_ages", **key))
        if standing.plan.allocation == "thompson":
            more["epochs"] = rows_of.groups(reads("experiment_moments", **key, by=["epoch"], until=None), "epoch")
    return Observed(
        standing=standing,
        now=now,
        segments=rows_of.groups(reads("experiment_moments", **key, by=["segment"], until=None), "segment"),
        looks=rows_of.looks(reads("experiment_exposed", **key)),
        plans=rows_of.plans(standing.registration, history),
        **more,
    )


def _history(reads: Reads, standing: Standing) -> list[dict[str, Any]]:
    return reads("experiment_history", experiment_id=standing.experiment_id).to_dicts()


def _decisions(reads: Reads, standing: Standing) -> tuple[Decision, ...]:
    rows = [row for row in _history(reads, standing) if row["version"] == standing.version]
    return tuple(
        Decision(
            at=row["decided_at"].replace(tzinfo=UTC),
            details=msgspec.json.decode(row["details"]),
            **{name: row[name] for name in ("actor", "role", "version", "action")},
        )
        for row in reversed(rows)
    )


def _chosen(standings: Sequence[Standing], asked: Asked) -> Standing | None:
    """The version asked for, else the one that began last."""
    versions = [one for one in standings if one.experiment_id == asked.experiment_id]
    if asked.version is not None:
        return next((one for one in versions if one.version == asked.version), None)
    return max(versions, key=lambda one: (one.since is not None, _began(one)), default=None)


def _key(standing: Standing) -> dict[str, str]:
    return {"experiment_id": standing.experiment_id, "version": standing.version}


def _place(report: Report) -> tuple[bool, float, str]:
    """Of a version in the list."""
    standing = report.standing
    is_past = standing.status in (Status.STOPPED, Status.CONCLUDED)
    return is_past, -_began(standing), standing.experiment_id


def _began(standing: Standing) -> float:
    """Seconds since 1970; what has not begun comes first, since it waits for somebody."""
    return standing.since.timestamp() if standing.since else float("inf")
