"""A shop's experiments, one of each kind that a screen has to tell apart."""

from datetime import timedelta

import polars as pl

from cockpit.experiments.registration import EVERYTHING, Variant
from tests.experiments.answers import Answers, Version, profiles, registered

AB = (Variant("control", 0.2), Variant("a", 0.4), Variant("b", 0.4))
EVEN = (Variant("control", 0.5), Variant("treatment", 0.5))
GLOBAL = (Variant("control", 0.05), Variant("treatment", 0.95))


def won() -> Version:
    """Running long enough, with an effect that shows."""
    return Version(registered(version="2", target=0.1), profiles({"control": 4000, "treatment": 16000}, lift=0.25))


def open_() -> Version:
    """Three variants, no effect."""
    plan = registered(experiment_id="reco-home", use_case="recommendation", variants=AB, mde=0.1)
    return Version(plan, profiles({"control": 1000, "a": 2000, "b": 2000}, seed=2))


def young() -> Version:
    """Three days old."""
    plan = registered(experiment_id="welcome-push", use_case="welcome", variants=EVEN)
    return Version(plan, profiles({"control": 120, "treatment": 130}, days=3, seed=3), status="paused")


def broken() -> Version:
    """A control half as large again as planned, some of it treated, some people in both."""
    people = profiles({"control": 3000, "treatment": 8000}, lift=0.3, seed=4)
    at = pl.int_range(pl.len())
    people = people.with_columns(
        is_contaminated=(pl.col("variant_id") == "control") & (at % 20 == 0), is_mixed=at % 50 == 7
    )
    return Version(registered(experiment_id="price-badge", use_case="pricing"), people)


def seen() -> Version:
    """In the events, and registered by nobody."""
    people = profiles({"control": 500, "treatment": 500}, seed=5)
    return Version(registered(experiment_id="mystery"), people, is_registered=False)


def draft() -> Version:
    return Version(registered(experiment_id="next-idea", use_case="cart"), profiles({"control": 0}), status="draft")


def lost() -> Version:
    """Worse than control, and concluded."""
    plan = registered(experiment_id="discount-popup", use_case="offers", variants=EVEN)
    version = Version(plan, profiles({"control": 9000, "treatment": 9000}, lift=-0.25, seed=6), status="concluded")
    version.decision, version.learning = "Do not roll out", "Pop-ups cost conversion"
    return version


def program() -> Version:
    """All personalization, for four months."""
    plan = registered(
        experiment_id="global", use_case=EVERYTHING, variants=GLOBAL, mde=0.1, primary="revenue_per_profile",
        secondary=("conversion_rate_profile", "margin_per_profile", "nps", "repurchase_rate_30d", "ltv_90d"),
    )  # fmt: skip
    return Version(plan, profiles({"control": 1500, "treatment": 28500}, lift=0.15, days=120, seed=7))


def bandit() -> Version:
    """Its shares moved towards the better treatment twice."""
    plan = registered(experiment_id="subject-line", use_case="email", variants=AB, allocation="thompson")
    epochs = ({"control": 1000, "a": 2000, "b": 2000}, {"control": 1000, "a": 1000, "b": 3000})
    parts = [profiles(counts, lift=0.2, days=10, seed=8 + at) for at, counts in enumerate(epochs)]
    moved = [
        part.with_columns(epoch=pl.lit(at, pl.Int64), day=pl.col("day") - timedelta(10 * (1 - at)))
        for at, part in enumerate(parts)
    ]
    version = Version(plan, pl.concat(moved))
    version.shares.append({"control": 0.2, "a": 0.2, "b": 0.6})
    return version


def shop() -> Answers:
    return Answers(won(), open_(), young(), broken(), seen(), draft(), lost(), program(), bandit())
