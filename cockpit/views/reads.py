"""How a view asks: a named read with parameters gives a frame."""

from typing import Protocol

import polars as pl


class Reads(Protocol):
    def __call__(self, name: str, **params: object) -> pl.DataFrame:
        """WarehouseUnreachable when there is no answer in time."""
        ...
