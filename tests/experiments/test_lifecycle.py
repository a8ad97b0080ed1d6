from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import to_us
from cockpit.errors import CallerError
from cockpit.experiments.lifecycle import (
    DETAILS,
    Action,
    Entry,
    Experiment,
    Experiments,
    Span,
    Status,
    experiments_of,
    step,
)
from cockpit.experiments.registration import EVERYTHING, Registration, Variant
from tests.experiments.registrations import NOON, decide, program, registration, running

HOUR = timedelta(hours=1)
RECO = registration()
THREE = registration(variants=(Variant("control", 0.2), Variant("a", 0.4), Variant("b", 0.4)))


def after(*actions: Action, of: Registration = RECO) -> Experiment:
    """The actions one hour apart, after the registration at NOON."""
    entries = [decide(action, of, NOON + place * HOUR) for place, action in enumerate(("register", *actions))]
    return experiments_of(entries)[of.experiment_id, of.version]


def test_a_life_from_registration_to_learning() -> None:
    stopped = after("start", "pause", "resume", "stop")
    told = decide("conclude", RECO, NOON + 5 * HOUR, decision="keep it", learning="evenings only")
    concluded = step({stopped.key: stopped}, told)[stopped.key]
    assert concluded.status is Status.CONCLUDED
    assert (concluded.started_at, concluded.stopped_at) == (NOON + HOUR, NOON + 4 * HOUR)
    assert concluded.enrolment == (Span(NOON + HOUR, NOON + 2 * HOUR), Span(NOON + 3 * HOUR, NOON + 4 * HOUR))
    assert (concluded.decision, concluded.learning) == ("keep it", "evenings only")


def test_a_draft_enrols_nobody_and_a_running_one_does_from_its_start() -> None:
    assert after().rules.enrolment == ()
    assert after("start").rules.enrolment == ((to_us(NOON + HOUR), None),)


def test_outcomes_count_through_a_pause_and_end_with_the_experiment() -> None:
    assert after("start", "pause").rules.ends_us is None
    assert after("start", "pause", "stop").rules.ends_us == to_us(NOON + 3 * HOUR)


def test_the_rules_are_those_of_the_registration() -> None:
    of = registration("cart", "2", use_case="cart", lookback_days=7, control="personalized")
    rules = running(of).rules
    assert (rules.experiment_id, rules.version, rules.control) == ("cart", "2", "personalized")
    assert (rules.use_case, rules.lookback_days, rules.epochs_us) == ("cart", 7, ())


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (("start", "start"), "cannot start experiment 'reco' version '1': it is running; possible now: pause, stop"),
        (("resume",), "it is draft; possible now: start, stop"),
        (("start", "resume"), "cannot resume .* it is running"),
        (("start", "pause", "pause"), "cannot pause .* it is paused; possible now: resume, stop"),
        (("start", "stop", "resume"), "cannot resume .* it is stopped; possible now: conclude"),
        (("start", "stop", "start"), "cannot start .* it is stopped"),
        (("pause",), "cannot pause .* it is draft"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(actions: Sequence[Action], message: str) -> None:
    with pytest.raises(CallerError, match=message):
        after(*actions)


def test_a_concluded_version_is_the_end_of_it() -> None:
    entries = [decide("register", RECO), decide("stop", RECO), decide("conclude", RECO, decision="never run")]
    with pytest.raises(CallerError, match="it is concluded; a new version is the way on"):
        experiments_of([*entries, decide("start", RECO)])


def test_nothing_happens_to_what_nobody_registered() -> None:
    with pytest.raises(CallerError, match="no experiment 'reco' version '1': register it first"):
        experiments_of([decide("start", RECO)])


def test_registering_the_same_again_changes_nothing_and_another_content_is_refused() -> None:
    once = experiments_of([decide("register", RECO), decide("start", RECO)])
    assert step(once, decide("register", RECO, NOON + HOUR)) is once
    with pytest.raises(CallerError, match="registered otherwise: a change is a new version"):
        step(once, decide("register", registration(mde=0.1)))


def test_the_key_and_the_registration_must_agree() -> None:
    entry = msgspec.structs.replace(decide("register", RECO), version="2")
    with pytest.raises(CallerError, match="of another experiment or version"):
        experiments_of([entry])


@pytest.mark.parametrize(
    ("action", "details", "message"),
    [
        ("start", {"at": "yesterday"}, r"start experiment 'reco' version '1'.*\$.at"),
        ("start", {"at": "2026-11-20T12:00:00"}, "needs a time zone"),
        ("start", {"at": (NOON + HOUR).isoformat()}, "in the future"),
        ("start", {"when": "now"}, "unknown field `when`"),
        ("conclude", {}, "missing required field `decision`"),
        ("conclude", {"decision": ""}, "length >= 1"),
        ("register", {}, "missing required field `registration`"),
        ("reallocate", {"shares": {"control": "half"}}, "Expected `float`"),
    ],
)
def test_wrong_details_are_refused_by_their_name(action: Action, details: dict[str, Any], message: str) -> None:
    entry = Entry(at=NOON, actor="ana", role="admin", experiment_id="reco", action=action, details=details)
    with pytest.raises(CallerError, match=message):
        experiments_of([decide("register", RECO), entry])


def test_a_start_may_lie_in_the_past() -> None:
    since = NOON - timedelta(days=30)
    found = experiments_of([decide("register", RECO)])
    (started,) = step(found, decide("start", RECO, at=since.isoformat())).values()
    assert started.started_at == since
    assert started.enrolment == (Span(since, None),)
    assert started.epochs[0].start == since


def test_a_clock_that_was_set_back_turns_no_span_round() -> None:
    entries = [decide("register", RECO), decide("start", RECO), decide("pause", RECO, NOON - HOUR)]
    (paused,) = experiments_of(entries).values()
    assert paused.enrolment == (Span(NOON, NOON),)


def test_shares_move_and_the_control_keeps_its_own() -> None:
    shares = {"b": 0.3, "a": 0.5, "control": 0.2}
    entries = [decide("register", THREE), decide("start", THREE)]
    moved = step(experiments_of(entries), decide("reallocate", THREE, NOON + HOUR, shares=shares))[
        THREE.experiment_id, "1"
    ]
    assert [dict(epoch.shares) for epoch in moved.epochs] == [THREE.shares, shares]
    assert list(moved.shares) == ["control", "a", "b"]
    assert moved.rules.epochs_us == (to_us(NOON + HOUR),)
    assert moved.status is Status.RUNNING


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"control": 0.1, "a": 0.5, "b": 0.4}, "the control keeps its planned share 0.2"),
        ({"control": 0.2, "a": 0.8}, "say the shares of control, a, b"),
        ({"control": 0.2, "a": 0.8, "b": 0.0}, "above 0 and add up to 1"),
        ({"control": 0.2, "a": 0.5, "b": 0.4}, "add up to 1"),
        ({"control": 0.2, "a": float("nan"), "b": 0.4}, "add up to 1"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares: dict[str, float], message: str) -> None:
    started = experiments_of([decide("register", THREE), decide("start", THREE)])
    with pytest.raises(CallerError, match=message):
        step(started, decide("reallocate", THREE, shares=shares))


def test_there_is_one_global_control_at_a_time() -> None:
    other = registration("another-control", use_case=EVERYTHING)
    entries = [decide("register", program()), decide("register", other), decide("start", program())]
    with pytest.raises(CallerError, match="'global-control' version '1' is not stopped: stop it first"):
        experiments_of([*entries, decide("start", other, NOON + HOUR)])
    stopped = [*entries, decide("stop", program(), NOON + HOUR)]
    experiments_of([*stopped, decide("start", other, NOON + 2 * HOUR)])
    with pytest.raises(CallerError, match="'global-control' version '1' ran at that time"):
        experiments_of([*stopped, decide("start", other, NOON + 2 * HOUR, at=NOON.isoformat())])


def test_versions_of_an_experiment_follow_each_other() -> None:
    second = registration(version="2")
    entries = [decide("register", RECO), decide("register", second), decide("start", RECO)]
    with pytest.raises(CallerError, match="'reco' version '1' is not stopped"):
        experiments_of([*entries, decide("start", second)])
    experiments_of([*entries, decide("stop", RECO), decide("start", second)])


def test_experiments_run_side_by_side_and_beside_the_global_control() -> None:
    of = (registration("one"), registration("two"), program())
    found = experiments_of([*(decide("register", each) for each in of), *(decide("start", each) for each in of)])
    assert {each.status for each in found.values()} == {Status.RUNNING}


@pytest.mark.parametrize("is_program_first", [True, False])
def test_the_global_control_shares_its_salt_with_no_experiment(*, is_program_first: bool) -> None:
    pair = [program(salt="s"), registration(salt="s")]
    with pytest.raises(CallerError, match="the salt 's' is already that of"):
        experiments_of([decide("register", each) for each in (pair if is_program_first else pair[::-1])])


def test_another_version_of_the_global_control_may_keep_its_people() -> None:
    found = experiments_of([decide("register", program(version, salt="s")) for version in ("1", "2")])
    assert [version for _, version in found] == ["1", "2"]


REGISTRATIONS = [registration("a"), registration("a", "2"), THREE, program(), program("2")]


@st.composite
def decisions(draw: st.DrawFn) -> list[Entry]:
    """Whatever people may try, at any time, in any order; clocks that jump included."""
    registered = [decide("register", of) for of in REGISTRATIONS]
    return [*registered, *draw(st.lists(_decision(), max_size=40))]


@st.composite
def _decision(draw: st.DrawFn) -> Entry:
    of, at = draw(st.sampled_from(REGISTRATIONS)), NOON + draw(st.integers(-5, 50)) * HOUR
    action = draw(st.sampled_from(list(DETAILS)))
    details: dict[str, Any] = {}
    if action == "start" and draw(st.booleans()):
        details = {"at": (at - draw(st.integers(0, 30)) * HOUR).isoformat()}
    if action == "conclude":
        details = {"decision": "keep"}
    if action == "reallocate":
        treated = [variant.id for variant in of.variants if variant.id != of.control]
        rest, share = 1 - of.shares[of.control], draw(st.floats(0.05, 0.95))
        shares = {treated[0]: rest} if len(treated) == 1 else {treated[0]: rest * share, treated[1]: rest * (1 - share)}
        details = {"shares": {of.control: of.shares[of.control], **shares}}
    return decide(action, of, at, **details)


def accepted(entries: list[Entry]) -> tuple[list[Entry], Experiments]:
    """Those that could happen, and what came of them."""
    kept: list[Entry] = []
    experiments: Experiments = {}
    for entry in entries:
        try:
            experiments = step(experiments, entry)
        except CallerError:
            continue
        kept.append(entry)
    return kept, experiments


@given(decisions())
def test_the_same_entries_give_the_same_experiments_also_after_a_journey_through_json(entries: list[Entry]) -> None:
    kept, experiments = accepted(entries)
    read = msgspec.json.decode(msgspec.json.encode(kept), type=list[Entry])
    assert experiments_of(read) == experiments


@given(decisions())
def test_spans_never_overlap_and_what_has_stopped_never_enrols(entries: list[Entry]) -> None:
    _, experiments = accepted(entries)
    for experiment in experiments.values():
        instants = [instant for span in experiment.enrolment for instant in span if instant is not None]
        assert instants == sorted(instants)
        assert [span.end for span in experiment.enrolment[:-1]].count(None) == 0
        is_open = bool(experiment.enrolment) and experiment.enrolment[-1].end is None
        assert is_open == (experiment.status is Status.RUNNING)
        if experiment.stopped_at is not None:
            assert all(end is not None and end <= experiment.stopped_at for _, end in experiment.enrolment)


@given(decisions())
def test_lives_that_exclude_each_other_never_meet(entries: list[Entry]) -> None:
    _, experiments = accepted(entries)
    lives = [each for each in experiments.values() if each.started_at is not None]
    for group in ([each for each in lives if each.registration.is_program], [e for e in lives if e.key[0] == "a"]):
        ordered = sorted(group, key=lambda each: (each.started_at, each.stopped_at or NOON + 1000 * HOUR))
        for one, other in pairwise(ordered):
            assert one.stopped_at is not None
            assert other.started_at is not None
            assert one.stopped_at <= other.started_at


@given(decisions())
def test_the_control_share_never_moves_and_epochs_are_in_order(entries: list[Entry]) -> None:
    _, experiments = accepted(entries)
    for experiment in experiments.values():
        planned, control = experiment.registration.shares, experiment.registration.control
        assert all(epoch.shares[control] == planned[control] for epoch in experiment.epochs)
        starts = [epoch.start for epoch in experiment.epochs]
        assert starts == sorted(starts)
        assert len(experiment.rules.epochs_us) == max(0, len(starts) - 1)
