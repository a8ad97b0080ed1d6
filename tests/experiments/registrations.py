"""Registrations and decisions for tests."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from cockpit.experiments.lifecycle import Action, Entry, Experiment, experiments_of
from cockpit.experiments.registration import EVERYTHING, Registration, Variant

NOON = datetime(2026, 11, 20, 15, tzinfo=UTC)


def registration(experiment_id: str = "reco", version: str = "1", **other: Any) -> Registration:
    """Half control, half treated, unless said otherwise."""
    variants = (Variant("control", 0.5), Variant("personalized", 0.5))
    return Registration(**{"experiment_id": experiment_id, "version": version, "variants": variants, **other})


def program(version: str = "1", **other: Any) -> Registration:
    variants = (Variant("control", 0.1), Variant("personalized", 0.9))
    return registration("global-control", version, **{"use_case": EVERYTHING, "variants": variants, **other})


def decide(action: Action, of: Registration, at: datetime = NOON, /, **details: Any) -> Entry:
    if action == "register":
        details = {"registration": msgspec.json.decode(msgspec.json.encode(of))}
    return Entry(
        at=at, actor="ana", role="operator", experiment_id=of.experiment_id, version=of.version, action=action,
        details=details,
    )  # fmt: skip


def running(of: Registration, at: datetime = NOON) -> Experiment:
    """Registered and started."""
    return experiments_of([decide("register", of, at), decide("start", of, at)])[of.experiment_id, of.version]
