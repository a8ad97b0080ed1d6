import itertools
from datetime import timedelta
from random import Random

from cockpit.clock import to_us
from cockpit.simulator import world
from cockpit.simulator.shop import Person
from cockpit.simulator.truth import Incident
from tests.simulator.shop import START, scenario

LATER_US = to_us(START + timedelta(hours=1))
ANA = Person("u-1", "vip", {"userId": "u-1"}, is_known=True)


def made(*incidents: Incident) -> world.World:
    return world.make(scenario(incidents=incidents), Random(1), "r")


def test_an_incident_is_found_by_its_kind_its_target_and_its_time() -> None:
    here = made(Incident(kind="bad_variant", target="cart", lasts_minutes=5, begins_at=START, strength=-0.5))
    assert here.incident("bad_variant", "cart", to_us(START)) == -0.5
    assert here.incident("bad_variant", "churn", to_us(START)) is None
    assert here.incident("slow_decisions", "cart", to_us(START)) is None
    assert here.incident("bad_variant", "cart", LATER_US) is None


def test_a_wait_is_never_nothing() -> None:
    here = made()
    assert min(here.wait_us(0.001) for _ in range(100)) >= 1000


def test_the_clock_of_a_visit_only_moves_forward() -> None:
    walk = world.Walk(made(), ANA, "site", LATER_US)
    instants = [walk.at_us]
    for _ in range(50):
        walk.pause(1)
        instants.append(walk.at_us)
    assert all(later > earlier for earlier, later in itertools.pairwise(instants))


def test_the_site_has_pages_and_the_app_has_screens() -> None:
    here = made()
    for channel in ("site", "app"):
        world.Walk(here, ANA, channel, LATER_US).page("Home")
    assert [one.message["type"] for one in here.tape.read(LATER_US + 1)] == ["page", "screen"]


def test_two_visits_have_two_session_ids() -> None:
    here = made()
    for _ in range(2):
        world.Walk(here, ANA, "site", LATER_US).page("Home")
    assert len({one.message["properties"]["session_id"] for one in here.tape.read(LATER_US + 1)}) == 2
