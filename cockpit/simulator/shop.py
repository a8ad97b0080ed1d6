"""Who visits and what is on the shelves."""

from collections.abc import Mapping
from functools import cached_property
from hashlib import blake2b
from random import Random
from typing import Any

import msgspec

from cockpit.simulator.truth import Catalogue, GlobalControl, Segment, Truth, UseCase

UNIT = 2.0**-64


class Product(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """`item` is its GA4 item with quantity 1: shared by every event that names it, so nobody may change it."""

    price_cents: int
    item: dict[str, Any]


class Person(msgspec.Struct, frozen=True):
    """A profile: `ids` is what its events carry."""

    profile: str
    segment: str
    ids: dict[str, str]
    is_known: bool


class Chance:
    """A choice among names with planted shares (they need not sum to 1)."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self.names = list(shares)
        self.cumulative: list[float] = []
        total = 0.0
        for share in shares.values():
            total += share
            self.cumulative.append(total)

    def draw(self, rng: Random) -> str:
        point = rng.random() * self.cumulative[-1]
        for name, bound in zip(self.names, self.cumulative, strict=True):
            if point < bound:
                return name
        return self.names[-1]


class Crowd:
    """The people of all segments; known ones keep their id in every run, so they keep their variants too."""

    def __init__(self, segments: Mapping[str, Segment], run: str) -> None:
        self.run = run
        self.newcomers = 0
        self.choice = Chance({name: segment.share for name, segment in segments.items()})
        self.known: dict[str, list[Person]] = {}
        first = 0
        for name, segment in segments.items():
            self.known[name] = [_known(number, name) for number in range(first, first + segment.profiles)]
            first += segment.profiles

    def draw(self, rng: Random) -> Person:
        segment = self.choice.draw(rng)
        known = self.known[segment]
        if known:
            return known[int(rng.random() * len(known))]
        self.newcomers += 1
        profile = f"a-{self.run}-{self.newcomers}"
        return Person(profile, segment, {"anonymousId": profile}, is_known=False)


def _known(number: int, segment: str) -> Person:
    profile = f"u-{number:06}"
    return Person(profile, segment, {"userId": profile}, is_known=True)


def is_control(case: UseCase | GlobalControl, profile: str) -> bool:
    """Whether the profile never gets this personalization: by a hash of experiment and profile, so for ever.

    Independent between experiments, unlike a checksum, whose values for two experiments differ by a constant.
    """
    return _place(f"{case.experiment_id}:{case.version}", profile) < case.control_share


def refuses(truth: Truth, profile: str) -> bool:
    """Whether the profile consents to no personalization. Nobody changes their mind, so no answer comes too late."""
    return _place("consent", profile) < truth.refusal_share


def _place(purpose: str, profile: str) -> float:
    """Evenly from 0 to 1, the same for ever."""
    digest = blake2b(f"{purpose}:{profile}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * UNIT


class Shop:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @cached_property
    def products(self) -> list[Product]:
        """In order of popularity: `draw` takes early ones more often."""
        rng = Random(self.catalogue.seed)  # noqa: S311 - a simulation
        made = [
            product
            for number in range(self.catalogue.products_per_category)
            for product in self._one_of_each(number, rng)
        ]
        rng.shuffle(made)
        return made

    def draw(self, rng: Random) -> Product:
        """A few products take most of the views: the share of the first x of the shelf is the square root of x."""
        return self.products[int(rng.random() ** 2 * len(self.products))]

    def _one_of_each(self, number: int, rng: Random) -> list[Product]:
        made = []
        for index, category in enumerate(self.catalogue.categories):
            price_cents = int(100 * rng.uniform(*category.price)) // 1000 * 1000 + 990
            item: dict[str, Any] = {
                "item_id": f"p-{index:02}{number:03}",
                "item_name": f"{rng.choice(category.words)} {number + 1}",
                "item_brand": rng.choice(category.brands),
                "item_category": category.name,
                "price": price_cents / 100,
                "quantity": 1,
            }
            margin = rng.uniform(*category.margin)
            if rng.random() < self.catalogue.cost_known_share:
                item["cost"] = round(price_cents * (1 - margin)) / 100
            made.append(Product(price_cents=price_cents, item=item))
        return made
