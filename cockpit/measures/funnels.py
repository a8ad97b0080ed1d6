"""How far profiles come in a named order of steps within a window."""

from collections.abc import Sequence

import narwhals as nw

from cockpit.measures.following import Frame, claim, counted, named


def funnel(touches: Frame, steps: Sequence[str], window_us: int) -> Frame:
    """One row per day with a column per step: the profiles that reached it, on the day of their first step."""
    return counted(reached(touches, steps, window_us), (), steps)


def reached(touches: Frame, steps: Sequence[str], window_us: int) -> Frame:
    """One row per profile that took the first step: profile_id, anchored_at and its day, and 1 or 0 for each step.

    A chain is one touch of each step in their order, none before the one before it (equal instants will do), all at
    most the window after the first; other touches may lie between. A profile reached the last step of its longest
    chains. Of those the one that was completed first counts, with the latest first step it can have.
    The order of the steps is given; they must differ. Source: ClickHouse's windowFunnel in its default mode.
    """
    if len(set(steps)) != len(steps):
        raise ValueError(f"the steps of a funnel must differ: {steps}")
    chains = _chains(touches, steps, window_us).filter(~nw.col("began_at").is_null())
    deepest = chains.with_columns(depth=nw.col("step").max().over("profile_id"))
    ends = deepest.filter(nw.col("step") == nw.col("depth"))
    # Chains that end later begin no earlier, so the first to be completed is the one that began first.
    found = ends.group_by("profile_id", "depth").agg(anchored_at=nw.col("began_at").min())
    days = named(touches, steps[0]).select("profile_id", "day", anchored_at="occurred_at").unique()
    took = {name: claim(nw.col("depth") >= place) for place, name in enumerate(steps)}
    return found.join(days, on=["profile_id", "anchored_at"]).select("profile_id", "day", "anchored_at", **took)


def _chains(touches: Frame, steps: Sequence[str], window_us: int) -> Frame:
    """Touches of the steps (step: their place); `began_at`: the latest first step of a chain that they end, or null."""
    numbered = [
        named(touches, name).select("profile_id", "occurred_at", step=nw.lit(place)) for place, name in enumerate(steps)
    ]
    is_first = nw.col("step") == 0
    chains = nw.concat(numbered).with_columns(began_at=nw.when(is_first).then(nw.col("occurred_at")))
    for place in range(1, len(steps)):
        chains = _continued(chains, place, window_us)
    return chains


def _continued(chains: Frame, place: int, window_us: int) -> Frame:
    """Chains with `began_at` of a step's touches, from the step before: it never falls, so the last is the latest."""
    before = nw.when(nw.col("step") == place - 1).then(nw.col("began_at"))
    latest = nw.col("before_at").fill_null(strategy="forward").over("profile_id", order_by=("occurred_at", "step"))
    known = chains.with_columns(before_at=before).with_columns(latest_at=latest)
    is_in_time = nw.col("occurred_at") - nw.col("latest_at") <= window_us
    chained = nw.when(is_in_time).then(nw.col("latest_at"))
    began_at = nw.when(nw.col("step") == place).then(chained).otherwise(nw.col("began_at"))
    return known.with_columns(began_at=began_at).drop("before_at", "latest_at")
