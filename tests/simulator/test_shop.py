from collections import Counter
from random import Random

import pytest

from cockpit.simulator.shop import Chance, Crowd, Shop
from cockpit.simulator.truth import Segment
from tests.simulator.shop import band, scenario


def test_a_chance_draws_by_its_shares() -> None:
    rng, chance = Random(1), Chance({"a": 3.0, "b": 1.0, "c": 0.0})
    drawn = Counter(chance.draw(rng) for _ in range(20_000))
    assert drawn["a"] / 20_000 == pytest.approx(0.75, abs=band(0.75, 20_000))
    assert drawn["c"] == 0


def test_known_people_come_back_and_newcomers_do_not() -> None:
    segments = {
        "vip": Segment(share=0.5, profiles=3, cart_share=0.1),
        "new": Segment(share=0.5, profiles=0, cart_share=0.1),
    }
    rng, crowd = Random(1), Crowd(segments, "r")
    people = [crowd.draw(rng) for _ in range(400)]
    known = {person.profile for person in people if person.is_known}
    new = [person.profile for person in people if not person.is_known]
    assert known == {"u-000000", "u-000001", "u-000002"}
    assert len(set(new)) == len(new) > 100


def test_the_shelves_are_the_same_in_every_run() -> None:
    catalogue = scenario().catalogue
    assert Shop(catalogue).products == Shop(catalogue).products
    ids = [product.item["item_id"] for product in Shop(catalogue).products]
    assert len(set(ids)) == len(ids) == catalogue.products_per_category * len(catalogue.categories)


def test_a_quarter_of_the_products_gets_half_of_the_views() -> None:
    shop, rng = Shop(scenario().catalogue), Random(1)
    first = {product.item["item_id"] for product in shop.products[: len(shop.products) // 4]}
    seen = sum(shop.draw(rng).item["item_id"] in first for _ in range(20_000))
    assert seen / 20_000 == pytest.approx(0.5, abs=band(0.5, 20_000))
