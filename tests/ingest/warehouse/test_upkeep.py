"""The upkeep's part in experiments; what else it does is tested where it is done."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cockpit.config import Config
from cockpit.store.database import Database
from cockpit.store.reader import read
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.journal import Journal
from ingest.warehouse.mirror import Mirror
from ingest.warehouse.registry import Command, Registry
from ingest.warehouse.upkeep import Upkeep
from tests.warehouse_events import NOON, ListLog, Row, draft, event, purchase

ZONE = ZoneInfo("America/Sao_Paulo")
SHARES = {"control": 0.2, "plain": 0.4, "bold": 0.4}
BANDIT = {
    "experiment_id": "x",
    "variants": [{"id": name, "share": share} for name, share in SHARES.items()],
    "allocation": "thompson",
}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def act(registry: Registry, action: Any, **details: Any) -> None:
    registry.act(Command(actor="ana", role="operator", action=action, experiment_id="x", details=details))


def people() -> list[Row]:
    """A hundred per variant; of the bold ones 60 buy, of the others 30."""
    rows: list[Row] = []
    for variant, buyers in (("control", 30), ("plain", 30), ("bold", 60)):
        for number in range(100):
            profile_id = f"u:{variant}-{number}"
            about: dict[str, Any] = {"experiment_id": "x", "variant_id": variant}
            rows.append(event(f"v-{profile_id}", "experiment_viewed", profile_id=profile_id, **about))
            if number < buyers:
                at = NOON + timedelta(minutes=1)
                rows.append(purchase(f"p-{profile_id}", 100, profile_id=profile_id, at=at))
    return rows


def test_a_bandit_gets_its_shares_once_a_day_and_its_control_stays(tmp_path: Path) -> None:
    clock, log = Clock(), ListLog()
    with Database.open(None) as database:
        registry = Registry(Journal(tmp_path / "decisions.sqlite"), clock)
        mirror = Mirror(registry, database.cursor())
        upkeep = Upkeep(database.cursor(), Config(), clock, registry, mirror.refresh)
        act(registry, "register", registration=BANDIT)
        act(registry, "start")
        log.append([draft(people())], NOON)
        Consumer(log, database, Config(), clock).step()
        upkeep.step()
        assert registry.revision == 2
        clock.now += timedelta(days=1)
        upkeep.step()
        upkeep.step()
        assert registry.revision == 3
        shares = registry.experiments()["x", "1"].shares
        assert shares["control"] == SHARES["control"]
        assert shares["bold"] > 0.7
        history = read(database, "experiment_history", {"experiment_id": "x"}, ZONE)
        assert history.select("actor", "action").row(-1) == ("cockpit", "reallocate")


def test_the_mirror_shows_a_decision_without_waiting_for_the_upkeep(tmp_path: Path) -> None:
    with Database.open(None) as database:
        registry = Registry(Journal(tmp_path / "decisions.sqlite"), Clock())
        mirror = Mirror(registry, database.cursor())
        mirror.refresh()
        assert read(database, "experiments", {}, ZONE).is_empty()
        act(registry, "register", registration=BANDIT)
        mirror.refresh()
        assert read(database, "experiments", {}, ZONE)["status"].to_list() == ["draft"]
