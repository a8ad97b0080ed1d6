"""Active sessions: the last client-side event of each (source, profile, channel), counted by channel and segment.

Memory is bounded by the sessions of about two windows: who has expired is dropped when they outnumber who is active.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from cockpit.clock import to_us
from cockpit.measures.distinct import Directory
from cockpit.measures.keys import Mask, Values, Words

WINDOW_US = 5 * 60 * 1_000_000
SPARE = 10_000  # expired sessions that are not worth a cleaning

Group = tuple[str | None, str | None]  # channel, segment


class ActiveSessions:
    def __init__(self) -> None:
        self._group_codes = Directory()
        self._groups: dict[int, Group] = {}
        self._directory = Directory()
        self._last_us: Values = np.zeros(1024, np.int64)
        self._group: Values = np.zeros(1024, np.int64)

    def saw(
        self, sessions: Words, groups: Words, group_of: Callable[[int], Group], active_us: Values, now: datetime
    ) -> None:
        """Take in the last client-side event of each session; old ones leave no trace.

        Sessions and groups come as keys and may repeat; `group_of` names the group of a row.
        """
        codes, is_new = self._group_codes.ids(groups)
        self._groups |= {int(codes[row]): group_of(row) for row in np.flatnonzero(is_new).tolist()}
        recent = np.flatnonzero(active_us >= to_us(now) - WINDOW_US)
        ids, _ = self._directory.ids(sessions[recent])
        self._make_room()
        newer = active_us[recent] > self._last_us[ids]
        ids, recent = ids[newer], recent[newer]
        order = np.argsort(active_us[recent], kind="stable")  # of a session that repeats, the last assignment stays
        self._last_us[ids[order]] = active_us[recent[order]]
        self._group[ids[order]] = codes[recent[order]]

    def counts(self, now: datetime) -> dict[Group, int]:
        """Sessions whose last client-side event is at most five minutes old."""
        size = len(self._directory)
        active = self._last_us[:size] >= to_us(now) - WINDOW_US
        found = np.bincount(self._group[:size][active], minlength=len(self._groups))
        if size > SPARE + 2 * int(found.sum()):
            self._keep(active)
        return {group: int(found[code]) for code, group in self._groups.items() if found[code]}

    def _make_room(self) -> None:
        short = len(self._directory) - len(self._last_us)
        if short > 0:
            more = max(short, len(self._last_us))
            self._last_us = np.concatenate([self._last_us, np.zeros(more, np.int64)])
            self._group = np.concatenate([self._group, np.zeros(more, np.int64)])

    def _keep(self, active: Mask) -> None:
        size = len(active)
        keys, last_us, group = self._directory.keys()[active], self._last_us[:size][active], self._group[:size][active]
        self._directory = Directory()
        ids, _ = self._directory.ids(keys)
        self._make_room()
        self._last_us[ids], self._group[ids] = last_us, group
