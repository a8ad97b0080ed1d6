"""The law of cockpit.identity.resolve kept up link by link, whenever a link arrives and however late.

Seen with all user ids as one point, "never two user ids in one profile" says "no cycle": the links that are taken in
order of time are then the minimum spanning forest of the graph, and a new link changes it by one exchange. It is added
when it closes no cycle; else the latest link of the cycle goes. So a profile's links are kept as a tree with the
profile's name at its root, and the cost of a link is the way to the root, not the size of the profile.
Source: Tarjan (1983), Data Structures and Network Algorithms, chapter 6 (the red rule).
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Generic, TypeVar

import msgspec

from cockpit.identity.resolve import Claim, Link, claim_of, is_user

Up = tuple[str, int]  # the next identifier towards the root, and first_at of the link that leads there
Value = TypeVar("Value")


class Layer(Generic[Value]):
    """What differs from the values below. None is as good as absent, and hides what is below."""

    def __init__(self, below: Mapping[str, Value | None]) -> None:
        self.own: dict[str, Value | None] = {}
        self._below = below

    def get(self, key: str) -> Value | None:
        return self.own[key] if key in self.own else self._below.get(key)

    def __setitem__(self, key: str, value: Value | None) -> None:
        self.own[key] = value


class Forest(msgspec.Struct, frozen=True):
    """`up` of every identifier that is no root, `claims` of the profiles without a user id.

    `down` is the reverse of `up` for all but the user ids, which stay roots for ever. A draft keeps none.
    """

    up: Layer[Up]
    claims: Layer[Claim]
    down: dict[str, list[str]]

    @classmethod
    def empty(cls) -> "Forest":
        return cls(Layer({}), Layer({}), {})

    def root(self, identifier: str) -> str:
        while step := self.up.get(identifier):
            identifier = step[0]
        return identifier

    def insert(self, link: Link) -> None:
        left_root, right_root = self.root(link[1]), self.root(link[2])
        if left_root == right_root or (is_user(left_root) and is_user(right_root)):
            self._exchange(link, is_same=left_root == right_root)
        else:
            self._join(link, left_root, right_root)

    def _join(self, link: Link, left_root: str, right_root: str) -> None:
        """Hang the tree that does not have the new name below the one that has."""
        first_at, left, right = link
        name = self._claimed(link, left_root, right_root)
        if self.root(name) == left_root:
            left, right = right, left
        self._turn(left)
        self.up[left] = right, first_at
        self._turn(name)

    def _exchange(self, link: Link, *, is_same: bool) -> None:
        """Refuse the link, or take it for the latest one of the cycle that it closes."""
        first_at, left, right = link
        ways = [list(self._way(left)), list(self._way(right))]
        while is_same and ways[0] and ways[1] and ways[0][-1] == ways[1][-1]:  # above where they meet is no cycle
            ways = [ways[0][:-1], ways[1][:-1]]
        latest = max(chain(*ways), key=_link_of, default=None)
        if latest is None or _link_of(latest) <= link:
            return
        if latest not in ways[0]:
            left, right = right, left
        self.up[latest[0]] = None
        self._turn(left)
        self.up[left] = right, first_at
        root = self.root(right)
        if not is_user(root):
            self._turn(self._claimed(link, root))

    def _claimed(self, link: Link, *roots: str) -> str:
        """The name of what the link unites; the claim to it, where it is no user id, goes with it."""
        claims = [claim for root in roots if (claim := self.claims.get(root))]
        claim = min([claim_of(link), *claims])
        for _, _, name in claims:
            self.claims[name] = None
        user = next(filter(is_user, roots), None)
        if user is None:
            self.claims[claim[2]] = claim
        return user or claim[2]

    def _turn(self, identifier: str) -> None:
        """Make an identifier the root of its tree."""
        way = list(self._way(identifier))
        if way:
            self.up[identifier] = None
        for lower, (higher, first_at) in way:
            self.up[higher] = lower, first_at

    def _way(self, identifier: str) -> Iterator[tuple[str, Up]]:
        """The steps from an identifier to its root."""
        while step := self.up.get(identifier):
            yield identifier, step
            identifier = step[0]


class Draft:
    """A forest, `after`, that begins as `before` and leaves it as it is."""

    def __init__(self, before: Forest) -> None:
        self._before = before
        self.after = Forest(Layer(before.up.own), Layer(before.claims.own), {})

    def moves(self) -> Iterator[tuple[str, str, str]]:
        """Every identifier whose root is another now: it, its root before, its root after.

        It hangs somewhere else, or as before below one that does.
        """
        waiting = [(identifier, self.after.root(identifier)) for identifier in self.after.up.own]
        seen: set[str] = set()
        while waiting:
            identifier, root = waiting.pop()
            if identifier not in seen:
                seen.add(identifier)
                waiting += [(child, root) for child in self._children(identifier)]
                was = self._before.root(identifier)
                if was != root:
                    yield identifier, was, root

    def apply(self) -> None:
        """Let `before` become `after`."""
        for identifier, step in self.after.up.own.items():
            _move(self._before, identifier, step)
        for name, claim in self.after.claims.own.items():
            if claim:
                self._before.claims[name] = claim
            else:
                self._before.claims.own.pop(name, None)

    def _children(self, identifier: str) -> list[str]:
        """Those that stayed."""
        children = self._before.down.get(identifier, ())
        return [child for child in children if child not in self.after.up.own]


def _move(forest: Forest, identifier: str, step: Up | None) -> None:
    before = forest.up.own.pop(identifier, None)
    if before and before[0] in forest.down:
        siblings = forest.down[before[0]]
        siblings.remove(identifier)
        if not siblings:
            del forest.down[before[0]]
    if step:
        forest.up[identifier] = step
        if not is_user(step[0]):
            forest.down.setdefault(step[0], []).append(identifier)


def _link_of(step: tuple[str, Up]) -> Link:
    lower, (higher, first_at) = step
    return first_at, min(lower, higher), max(lower, higher)
