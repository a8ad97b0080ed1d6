import pytest

from cockpit.errors import WarehouseUnreachable
from cockpit.ui.reads import read


@pytest.mark.usefixtures("nobody_else")
def test_a_warehouse_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(WarehouseUnreachable):
        read("freshness")
