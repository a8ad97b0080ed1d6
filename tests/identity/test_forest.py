from hypothesis import given

from cockpit.identity.forest import Draft, Forest
from cockpit.identity.resolve import Link, is_user
from tests.identity.people import Row, streams


def grown(batches: list[list[Row]]) -> Forest:
    forest = Forest.empty()
    for batch in batches:
        draft = Draft(forest)
        for _, left, right, at in batch:
            draft.after.insert((at, left, right))
        draft.apply()
    return forest


@given(streams())
def test_down_is_the_reverse_of_up_but_for_user_ids(batches: list[list[Row]]) -> None:
    forest = grown(batches)
    steps = sorted((child, parent) for parent, children in forest.down.items() for child in children)
    assert steps == sorted((child, step[0]) for child, step in forest.up.own.items() if step and not is_user(step[0]))
    assert all(forest.up.own.values())
    assert all(forest.down.values())


@given(streams())
def test_exactly_the_profiles_without_a_user_id_have_a_claim_and_are_called_by_it(batches: list[list[Row]]) -> None:
    forest = grown(batches)
    anonymous = {root for identifier in forest.up.own if not is_user(root := forest.root(identifier))}
    assert {claim[2] for claim in forest.claims.own.values() if claim} == set(forest.claims.own) == anonymous


def test_the_cost_of_a_link_is_the_way_to_the_root_and_not_the_size_of_the_profile() -> None:
    # A site that calls all its visitors "guest": somebody logs in on a device that "guest" had first.
    forest = grown([[("shop", f"a:{number}", "u:guest", number) for number in range(1000)]])
    draft = Draft(forest)
    refused: Link = (5000, "a:7", "u:1")
    draft.after.insert(refused)
    assert (draft.after.up.own, list(draft.moves())) == ({}, [])
    earlier: Link = (6, "a:7", "u:1")
    draft.after.insert(earlier)
    assert draft.after.up.own == {"a:7": ("u:1", 6)}
    assert list(draft.moves()) == [("a:7", "u:guest", "u:1")]
