"""What the business wants of a KPI, from data/targets.toml: read whole and validated, or refused whole."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.config import ROOT
from cockpit.errors import BadSetting
from cockpit.kpis.kpi import Unit
from cockpit.kpis.registry import KPIS

PATH = ROOT / "data" / "targets.toml"
BOUNDS: Mapping[Unit, tuple[float, float]] = {Unit.SHARE: (-1, 1), Unit.POINTS: (-100, 100)}


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`value` in the KPI's own unit: money in cents, a share from 0 to 1. Without a segment it holds for all."""

    kpi: str
    value: float
    segment: str | None = None


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    target: list[dict[str, Any]] = []


def load(path: Path = PATH) -> tuple[Target, ...]:
    """All targets; none without the file. BadSetting says which one is wrong and why."""
    if not path.exists():
        return ()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path.name} is no TOML: {error}") from error
    try:
        rows = msgspec.convert(document, _Document).target
    except msgspec.ValidationError as error:
        raise BadSetting(f"{path.name}: {error}; it holds [[target]] and nothing else") from error
    targets = tuple(_target(row, f"{path.name}, target {at}") for at, row in enumerate(rows, 1))
    _no_two_alike(targets, path.name)
    return targets


def target_of(targets: Iterable[Target], kpi: str, segment: str | None = None) -> float | None:
    """The segment's own target, else the one for all, else None."""
    values = {target.segment: target.value for target in targets if target.kpi == kpi}
    return values.get(segment, values.get(None))


def _target(row: dict[str, Any], place: str) -> Target:
    try:
        target = msgspec.convert(row, Target)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{place}: {error}") from error
    if target.kpi not in KPIS:
        raise BadSetting(f"{place}: there is no KPI {target.kpi!r}")
    unit = KPIS[target.kpi].unit
    low, high = BOUNDS.get(unit, (-math.inf, math.inf))
    if not (math.isfinite(target.value) and low <= target.value <= high):
        raise BadSetting(f"{place}: {target.value} is no {unit}; a share is written as 0.05, not as 5")
    if unit is Unit.CLASS:
        raise BadSetting(f"{place}: {target.kpi} is no number")
    return msgspec.structs.replace(target, value=round(target.value * 100)) if unit is Unit.MONEY else target


def _no_two_alike(targets: Iterable[Target], name: str) -> None:
    seen = set()
    for target in targets:
        if (target.kpi, target.segment) in seen:
            raise BadSetting(f"{name}: {target.kpi} has two targets for {target.segment or 'all segments'}")
        seen.add((target.kpi, target.segment))
