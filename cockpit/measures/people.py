"""Distinct profiles in rolling windows of business days.

A profile is in the window of `length` days that ends with a day if the last day on which it was active until then lies
in it. So for each last day one date per profile and measure answers for all windows; nothing is sorted, and the longest
window costs what it takes to read it once.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product

import narwhals as nw

from cockpit.measures.following import Frame, claim, counted

WINDOWS = (1, 7, 28, 90)  # days
AT_ONCE = 4  # last days that one reading of the visits answers for; more would need more memory and save no time
ALL = "*"
CLAIMS = {  # measure: the sum of a visit that must be above 0; None: any visit, also what servers sent
    "profiles": None,
    "buyers": "orders",
    "covered_profiles": "delivered",
    "messaged_profiles": "messages_sent",
    "exposed_profiles": "exposures",
    "control_profiles": "control_exposures",
}
SCOPE = ("channel", "segment")
COARSER = (("channel",), ("segment",), SCOPE)  # what is not told apart
IDENTITY_DIMENSIONS = ("source",)
IDENTITY_MEASURES = ("profile_events", "known_events")
KNOWN = ("u:", "e:", "p:")  # login, e-mail, phone


def people(visits: Frame, days: Sequence[date], windows: Sequence[int] = WINDOWS) -> Frame:
    """day, days, channel, segment, measure, value: distinct profiles in the `days` business days that end with `day`.

    Channel and segment are ALL where they are not told apart. Zeros are left out. Needs at least one day, and the
    visits of the longest window before the first; order and repetition of `days` do not matter.
    """
    asked = sorted(set(days))
    portions = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
    return nw.concat([_people(visits, portion, windows) for portion in portions])


def _people(visits: Frame, days: Sequence[date], windows: Sequence[int]) -> Frame:
    counts = _counts(_last_seen(visits, days, max(windows)), days, windows)
    keys = {"day": days, "days": windows, "measure": CLAIMS}
    for name, words in keys.items():
        counts = counts.join(_listed(visits, name, [str(word) for word in words]), how="cross")
    return _tall(counts, days, windows)


def _last_seen(visits: Frame, days: Sequence[date], longest: int) -> Frame:
    """SCOPE, profile_id and for each day and measure the last active day until then, or null."""
    first = days[0] - timedelta(longest)
    near = visits.filter(nw.col("day") > nw.lit(first), nw.col("day") <= nw.lit(days[-1]))
    seen = []
    for day, (measure, by) in product(days, CLAIMS.items()):
        is_until = nw.col("day") <= nw.lit(day)
        is_active = is_until & (nw.col(by) > 0) if by else is_until
        seen.append(nw.when(is_active).then(nw.col("day")).max().alias(_seen(day, measure)))
    return near.group_by(*SCOPE, "profile_id").agg(*seen)


def _counts(seen: Frame, days: Sequence[date], windows: Sequence[int]) -> Frame:
    """SCOPE, also with ALL, and for each day, window and measure the number of profiles."""
    dates = [_seen(day, measure) for day, measure in product(days, CLAIMS)]
    latest = [nw.col(name).max() for name in dates]
    coarser = [
        seen.with_columns(**{name: nw.lit(ALL) for name in over}).group_by(*SCOPE, "profile_id").agg(*latest)
        for over in COARSER
    ]
    sums = [
        claim(nw.col(_seen(day, measure)) > nw.lit(day - timedelta(length))).sum().alias(_count(day, length, measure))
        for day, length, measure in product(days, windows, CLAIMS)
    ]
    return nw.concat([scope.group_by(*SCOPE).agg(*sums) for scope in (seen, *coarser)])


def _tall(counts: Frame, days: Sequence[date], windows: Sequence[int]) -> Frame:
    """One row per number that is not 0, of counts that stand beside every day, length and measure."""
    found = [
        nw.when((nw.col("day") == str(day)) & (nw.col("days") == str(length)) & (nw.col("measure") == measure)).then(
            nw.col(_count(day, length, measure))
        )
        for day, length, measure in product(days, windows, CLAIMS)
    ]
    tall = counts.with_columns(value=nw.coalesce(*found).cast(nw.Int64)).filter(nw.col("value") > 0)
    dated = nw.col("day").str.to_date(format="%Y-%m-%d")
    return tall.select(dated, nw.col("days").cast(nw.Int64), *SCOPE, "measure", "value")


def _listed(near: Frame, name: str, words: Sequence[str]) -> Frame:
    """A frame of one column, made where `near` lives; empty if `near` is.

    Narwhals makes no lazy frame from values; a text that is split is one on every backend.
    """
    return near.head(1).select(nw.lit(",".join(words)).str.split(",").alias(name)).explode(name)


def _seen(day: date, measure: str) -> str:
    return f"{measure} until {day}"


def _count(day: date, length: int, measure: str) -> str:
    return f"{measure} in {length} until {day}"


def identity_measures(visits: Frame) -> Frame:
    """IDENTITY_MEASURES by day and source: all events, and those of profiles that are known by more than a device."""
    prefixes = (nw.col("profile_id").str.starts_with(prefix) for prefix in KNOWN)
    is_known = claim(nw.any_horizontal(*prefixes, ignore_nulls=False))
    judged = visits.with_columns(profile_events=nw.col("events"), known_events=nw.col("events") * is_known)
    return counted(judged, IDENTITY_DIMENSIONS, IDENTITY_MEASURES)
