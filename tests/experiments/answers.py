"""The warehouse's answers about experiments, made of profiles that a test draws: the shapes of the named reads.

Every profile does all it does on the day it is exposed, so that what a day adds is what its newcomers did.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl

from cockpit.experiments.metrics import METRICS, TOTALS, Metric
from cockpit.experiments.moments import SUMS
from cockpit.experiments.observed import Groups, Observed, ages, groups, looks, plans, standings
from cockpit.experiments.registration import Registration, Variant

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
SEGMENTS = ("vip", "returning", "new")
CHANNELS = ("site", "app")
DECIMAL = pl.Decimal(38, 0)


def registered(**changes: Any) -> Registration:
    """Cart recovery with a control of 20 %, unless the test says otherwise."""
    plan = Registration(
        experiment_id="cart", use_case="cart", owner="team-cart", hypothesis="A reminder brings people back",
        variants=(Variant("control", 0.2), Variant("treatment", 0.8)), mde=0.2,
    )  # fmt: skip
    return msgspec.structs.replace(plan, **changes)


def profiles(
    counts: Mapping[str, int], *, lift: float = 0.0, days: int = 28, seed: int = 1, rate: float = 0.12
) -> pl.DataFrame:
    """One row per profile; `lift` raises the conversion of every variant but the control."""
    dice = np.random.default_rng(seed)
    parts = []
    for variant, n in counts.items():
        buys = dice.random(n) < rate * (1 if variant == "control" else 1 + lift)
        value = np.where(buys, np.round(dice.lognormal(9, 0.6, n)), 0).astype(np.int64)
        answers = dice.random(n) < 0.2
        score = dice.integers(0, 3, n) * answers
        sessions = dice.poisson(2, n) + 1
        before = dice.random(n) < 0.4
        parts.append(
            pl.DataFrame(
                {
                    "variant_id": [variant] * n,
                    "epoch": np.zeros(n, np.int64),
                    "segment": dice.choice(SEGMENTS, n),
                    "channel": dice.choice(CHANNELS, n),
                    "day": [TODAY - timedelta(int(back)) for back in dice.integers(0, days, n)],
                    "was_buyer": before,
                    "orders": buys.astype(np.int64) * dice.integers(1, 3, n),
                    "value_cents": value,
                    "costed_value_cents": value,
                    "cost_cents": (value * 0.6).astype(np.int64),
                    "refund_cents": np.where(dice.random(n) < 0.1, value, 0),
                    "sessions": sessions,
                    "converted_sessions": buys.astype(np.int64),
                    "returns": sessions - 1,
                    "unsubscribes": (dice.random(n) < 0.05).astype(np.int64),
                    "cancellations": (dice.random(n) < 0.05).astype(np.int64),
                    "responses": answers.astype(np.int64),
                    "promoters": (score == 2).astype(np.int64),
                    "detractors": (answers & (score == 0)).astype(np.int64),
                    "pre_orders": before.astype(np.int64),
                    "pre_value_cents": np.where(before, np.round(dice.lognormal(9, 0.6, n)), 0).astype(np.int64),
                    "pre_sessions": dice.poisson(2, n),
                },
                schema_overrides={"day": pl.Date(), "segment": pl.String(), "channel": pl.String()},
            )
        )
    return pl.concat(parts).with_columns(is_mixed=pl.lit(value=False), is_contaminated=pl.lit(value=False))


def moments(people: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Sums over profiles, by the metric and `by`; those too young for a window are not in it."""
    alike: dict[tuple[bool, int | None], list[Metric]] = {}
    for metric in METRICS.values():
        alike.setdefault((metric.of_buyers, metric.within_days), []).append(metric)
    return pl.concat([part for metrics in alike.values() for part in _of_metrics(people, metrics, by)])


def _of_metrics(people: pl.DataFrame, metrics: Sequence[Metric], by: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Of metrics that count the same profiles."""
    counted = people.filter(~pl.col("is_mixed"))
    if metrics[0].of_buyers:
        counted = counted.filter("was_buyer")
    if metrics[0].within_days is not None:
        counted = counted.filter(pl.col("day") < TODAY - timedelta(metrics[0].within_days))
    valued = counted.with_columns(
        value.alias(f"{metric.id}:{name}") for metric in metrics for name, value in _values(metric).items()
    )
    sums = [_sum(metric.id, name).alias(f"{metric.id}:{name}") for metric in metrics for name in SUMS]
    found = valued.group_by(by, maintain_order=True).agg(sums)
    for metric in metrics:
        columns = [pl.col(f"{metric.id}:{name}").cast(DECIMAL).alias(name) for name in SUMS]
        yield found.select(*by, pl.lit(metric.id).alias("metric"), *columns)


def _values(metric: Metric) -> dict[str, pl.Expr]:
    nothing = pl.lit(0)
    return {
        "y": _derived(metric, "", metric.plus) - _derived(metric, "", metric.minus),
        "z": _derived(metric, "", metric.per),
        "x": _derived(metric, "pre_", metric.plus) if metric.has_covariate else nothing,
        "w": _derived(metric, "pre_", metric.per) if metric.has_covariate else nothing,
    }


def _sum(metric_id: str, name: str) -> pl.Expr:
    if name == "n":
        return pl.len()
    if name == "nonzero":
        return (pl.col(f"{metric_id}:y") != 0).sum()
    one, other = (pl.col(f"{metric_id}:{part}") for part in (name[0], name[-1]))
    return (one if len(name) == 1 else one * other).sum()


def _derived(metric: Metric, prefix: str, names: Sequence[str]) -> pl.Expr:
    if not names:
        return pl.lit(0)
    total = pl.sum_horizontal(f"{prefix}{name}" for name in names)
    if metric.is_complement:
        return (total == 0).cast(pl.Int64)
    return (total > 0).cast(pl.Int64) if metric.is_binary else total


class Answers:
    """Answers every read about experiments as the warehouse does, each once; `asked` remembers what was asked."""

    def __init__(self, *versions: "Version") -> None:
        self.versions = {(one.registration.experiment_id, one.registration.version): one for one in versions}
        self.asked: list[str] = []
        self._known: dict[str, pl.DataFrame] = {}

    def __call__(self, name: str, **params: Any) -> pl.DataFrame:
        self.asked.append(name)
        question = f"{name} {sorted(params.items())}"
        if question not in self._known:
            self._known[question] = self._answer(name, params)
        return self._known[question]

    def _answer(self, name: str, params: Mapping[str, Any]) -> pl.DataFrame:
        if name == "experiments":
            return pl.DataFrame([one.row() for one in self.versions.values()], schema=ROW, orient="row")
        if name == "experiment_history":
            found = [one for key, one in self.versions.items() if key[0] == params["experiment_id"]]
            return pl.concat([HISTORY.to_frame(), *(one.history() for one in found)])
        version = self.versions[params["experiment_id"], params["version"]]
        answer: pl.DataFrame = getattr(version, name.removeprefix("experiment_"))(params)
        return answer


ROW = pl.Schema(
    {
        "experiment_id": pl.String(), "version": pl.String(), "is_registered": pl.Boolean(), "status": pl.String(),
        "use_case": pl.String(), "registration": pl.String(), "shares": pl.String(), "started_at": pl.Datetime("us"),
        "stopped_at": pl.Datetime("us"), "decision": pl.String(), "learning": pl.String(),
        "first_exposed_at": pl.Datetime("us"), "exposed": pl.Int64(), "control_exposed": pl.Int64(),
        "mixed": pl.Int64(), "contaminated": pl.Int64(),
    }
)  # fmt: skip
HISTORY = pl.Schema(
    {
        "decided_at": pl.Datetime("us"), "actor": pl.String(), "role": pl.String(), "version": pl.String(),
        "action": pl.String(), "details": pl.String(),
    }
)  # fmt: skip


class Version:
    """An experiment version with its people; not registered, it is only seen."""

    def __init__(
        self, registration: Registration, people: pl.DataFrame, *, status: str = "running", is_registered: bool = True
    ) -> None:
        self.registration = registration
        self.people = people
        self.status = status
        self.is_registered = is_registered
        self.started_at = datetime.combine(min(people["day"], default=TODAY), datetime.min.time())
        self.decision: str | None = None
        self.learning: str | None = None
        self.shares: list[Mapping[str, float]] = [registration.shares]

    def row(self) -> dict[str, Any]:
        plan, people = self.registration, self.people
        known = {
            "use_case": plan.use_case,
            "registration": msgspec.json.encode(plan).decode(),
            "shares": json.dumps(self.shares[-1]),
            "started_at": None if self.status == "draft" else self.started_at,
            "stopped_at": None if self.status in ("draft", "running", "paused") else NOW.replace(tzinfo=None),
            "decision": self.decision,
            "learning": self.learning,
        }
        return {
            "experiment_id": plan.experiment_id,
            "version": plan.version,
            "is_registered": self.is_registered,
            "status": self.status if self.is_registered else "seen",
            **(known if self.is_registered else dict.fromkeys(known)),
            "first_exposed_at": self.started_at if people.height else None,
            "exposed": people.height,
            "control_exposed": people.filter(pl.col("variant_id") == plan.control).height,
            "mixed": people["is_mixed"].sum(),
            "contaminated": people["is_contaminated"].sum(),
        }

    def history(self) -> pl.DataFrame:
        if not self.is_registered:
            return HISTORY.to_frame()
        details = json.dumps({"registration": json.loads(msgspec.json.encode(self.registration))})
        said = [("register", details)]
        said += [("start", "{}")] if self.status != "draft" else []
        said += [("reallocate", json.dumps({"shares": dict(shares)})) for shares in self.shares[1:]]
        said += [("stop", json.dumps({"reason": "planned end"}))] if self.status in ("stopped", "concluded") else []
        rows = [
            (self.started_at + timedelta(hours=at), "bia", "operator", self.registration.version, action, said_of)
            for at, (action, said_of) in enumerate(said)
        ]
        return pl.DataFrame(rows, schema=HISTORY, orient="row")

    def moments(self, params: Mapping[str, Any]) -> pl.DataFrame:
        return moments(self.people, ["variant_id", *params["by"]])

    def curve(self, params: Mapping[str, Any]) -> pl.DataFrame:
        found = moments(self.people, ["day", "variant_id"])
        return found.filter(pl.col("metric").is_in(params["metrics"])) if params.get("metrics") else found

    def weeks(self, _params: Mapping[str, Any]) -> pl.DataFrame:
        dated = self.people.with_columns(week=pl.col("day").dt.truncate("1w"))
        grown = dated.group_by("week", "variant_id").len("n").sort("week")
        exposed = grown.with_columns(pl.col("n").cum_sum().over("variant_id").cast(DECIMAL))
        lasting = [name for name, metric in METRICS.items() if metric.within_days is None]
        found = moments(dated, ["week", "variant_id"]).filter(pl.col("metric").is_in(lasting))
        return found.drop("n").join(exposed, on=["week", "variant_id"]).select("week", "variant_id", "metric", *SUMS)

    def exposed(self, _params: Mapping[str, Any]) -> pl.DataFrame:
        flags = [pl.col(f"is_{name}").sum().alias(name) for name in ("mixed", "contaminated")]
        return self.people.group_by("day", "epoch", "variant_id").agg(pl.len().alias("exposed"), *flags).sort("day")

    def ages(self, _params: Mapping[str, Any]) -> pl.DataFrame:
        buyers = self.people.filter("was_buyer")
        waited = pl.when(pl.col("orders") > 0).then(pl.col("sessions").cast(pl.Int64))
        observed = (pl.lit(TODAY) - pl.col("day")).dt.total_days()
        return buyers.group_by("variant_id", waited_days=waited, observed_days=observed).len("profiles")


assert {"orders", *TOTALS} <= set(profiles({"control": 2}).columns)


def observed(version: Version, **changes: Any) -> Observed:
    """As the screens ask for it, all of it."""
    answers = Answers(version)
    (standing,) = standings(answers("experiments"))
    key = {"experiment_id": standing.experiment_id, "version": standing.version}

    def told_apart(by: str) -> Groups:
        return groups(answers("experiment_moments", **key, by=[by]), by)

    seen = Observed(
        standing=standing,
        now=NOW,
        segments=told_apart("segment"),
        channels=told_apart("channel"),
        epochs=told_apart("epoch"),
        looks=looks(answers("experiment_exposed", **key)),
        ages=ages(answers("experiment_ages", **key)),
        plans=plans(standing.registration, version.history().to_dicts()),
    )
    return msgspec.structs.replace(seen, **changes)
