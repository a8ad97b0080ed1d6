"""Named reads of a database as a replay asks them."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.store import alert_past
from cockpit.store.database import Database
from cockpit.store.reader import read
from tests.alerts.shop import ZONE


class Asked:
    """`names`: what was asked, in order."""

    def __init__(self, database: Database, zone: ZoneInfo = ZONE) -> None:
        self._database = database
        self._zone = zone
        self.names: list[str] = []

    def __call__(self, name: str, **params: Any) -> pl.DataFrame:
        self.names.append(name)
        if name in alert_past.READS:
            kind, answer = alert_past.READS[name]
            return answer(self._database, msgspec.convert(params, kind), self._zone)
        return read(self._database, name, params, self._zone)
