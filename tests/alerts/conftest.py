from collections.abc import Iterator

import pytest

from cockpit.store.database import Database
from tests.alerts.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Database.open(None) as database:
        yield Shop(database)
