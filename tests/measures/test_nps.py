from cockpit.measures.nps import nps_measures
from tests.fold_tables import DAY, day_of, folded, totals, touch, touches


def test_nines_and_tens_promote_up_to_six_detracts_and_the_rest_is_passive() -> None:
    rows = [touch("nps_response", score, amount=score) for score in range(11)]
    found = totals(folded(nps_measures, touches(*rows)))
    assert found == {"nps_responses": 11, "nps_promoters": 2, "nps_detractors": 7}


def test_a_score_outside_the_scale_or_none_is_no_response() -> None:
    rows = [touch("nps_response", place, amount=score) for place, score in enumerate((-1, 11, None))]
    assert folded(nps_measures, touches(*rows, touch("purchase", amount=9))).is_empty()


def test_responses_have_their_day_and_dimensions() -> None:
    rows = [
        touch("nps_response", DAY, amount=9, channel="email"),
        touch("nps_response", DAY + 1, amount=0, segment=None),
    ]
    found = folded(nps_measures, touches(*rows))
    assert sorted(found.select("day", "channel", "segment", "nps_promoters").rows(), key=repr) == [
        (day_of(DAY), "email", "new", 1),
        (day_of(DAY), "site", None, 0),
    ]
