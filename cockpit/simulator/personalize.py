"""The decision engine: who is exposed, what is delivered and how long it takes, and the messages that follow."""

from math import log
from typing import Any

from cockpit.simulator.shop import is_control, refuses
from cockpit.simulator.truth import UseCase, UseCaseName
from cockpit.simulator.world import MINUTE_US, SECOND_US, Walk, World

FAILURES = ("timeout", "http_503", "rate_limited", "schema_rejected")
SUPPRESSIONS = ("frequency_cap", "eligibility")


def enter(walk: Walk) -> None:
    """Let the visit reach the global control, if the shop has one: the exposure is written for both of its variants."""
    control = walk.world.truth.global_control
    if control is None:
        return
    walk.is_held_out = is_control(control, walk.person.profile)
    variant_id = "control" if walk.is_held_out else "personalized"
    walk.track("experiment_viewed", experiment_id=control.experiment_id, variant_id=variant_id, version=control.version)


def expose(walk: Walk, use_case: UseCaseName, trigger_id: str) -> float:
    """Let the profile reach the experience; the factor on its conversion, 1 without a delivery.

    The exposure is written in every variant; the control gets nothing else. Who is held out does not reach it.
    """
    case = walk.world.truth.use_cases.get(use_case)
    if case is None or walk.is_held_out:
        return 1.0
    variant_id = "control" if is_control(case, walk.person.profile) else "personalized"
    walk.at_us += 5_000
    walk.track("experiment_viewed", experiment_id=case.experiment_id, variant_id=variant_id, version=case.version)
    if variant_id == "control" or not _act(walk, use_case, case, trigger_id):
        return 1.0
    bad = walk.world.incident("bad_variant", use_case, walk.at_us)
    return 1.0 + (case.uplift if bad is None else bad)


def _act(walk: Walk, use_case: UseCaseName, case: UseCase, trigger_id: str) -> bool:
    """Write what the engine did about a trigger; whether it was delivered."""
    world, rng = walk.world, walk.world.rng
    chance = world.deliveries.get(use_case)
    channel = chance.draw(rng) if chance else walk.channel
    integration = world.truth.integrations[channel]
    properties: dict[str, Any] = {
        "channel": channel,
        "segment": walk.person.segment,
        "use_case": use_case,
        "experience_id": case.experience_id,
        "integration": integration,
        "trigger_id": trigger_id,
        "model_version": case.model_version,
    }
    at_us = walk.at_us - 5_000 + _latency_us(world, use_case, case, walk.at_us)
    reason = _suppression(walk, case)
    if reason is not None:
        world.tape.track(at_us, walk.ids, "personalization_suppressed", {**properties, "reason": reason})
        return False
    failure_rate = world.incident("failing_integration", integration, walk.at_us) or case.failure_rate
    if rng.random() < failure_rate:
        world.tape.track(at_us, walk.ids, "personalization_failed", {**properties, "error_code": rng.choice(FAILURES)})
        return False
    if rng.random() < case.fallback_share:
        properties["reason"] = "fallback"
    action_id = world.tape.track(at_us, walk.ids, "personalization_delivered", properties)
    if channel in world.truth.messages:
        _send_message(walk, at_us, f"d-{action_id}", properties)
    return True


def _suppression(walk: Walk, case: UseCase) -> str | None:
    """Why the engine holds back: nothing reaches who refuses, and of the others so few that the shares are planted."""
    truth, rng = walk.world.truth, walk.world.rng
    if refuses(truth, walk.person.profile):
        return "consent"
    return rng.choice(SUPPRESSIONS) if rng.random() < case.suppressed_of_willing(truth.refusal_share) else None


def _latency_us(world: World, use_case: UseCaseName, case: UseCase, at_us: int) -> int:
    """From the trigger to the action: lognormal, at least a millisecond."""
    median_us = case.latency_median_ms * 1000 * (world.incident("slow_decisions", use_case, at_us) or 1.0)
    return max(1000, int(world.rng.lognormvariate(log(median_us), case.latency_sigma)))


def _send_message(walk: Walk, at_us: int, delivery_id: str, action: dict[str, Any]) -> None:
    """The outbound message of a delivery and what comes back: receipts within minutes, an answer on WhatsApp."""
    world, rng = walk.world, walk.world.rng
    rates = world.truth.messages[action["channel"]]
    properties = {name: action[name] for name in ("channel", "segment", "use_case", "experience_id", "integration")}
    properties["delivery_id"] = delivery_id

    def follow(event: str, since_us: int, mean_us: float) -> int:
        then_us = since_us + world.wait_us(mean_us)
        world.tape.track(then_us, walk.ids, event, properties)
        return then_us

    sent_us = follow("message_sent", at_us, SECOND_US / 5)
    if rng.random() >= rates.delivered:
        return
    delivered_us = follow("message_delivered", sent_us, 2 * SECOND_US)
    read_us = delivered_us
    if rng.random() < rates.opened:
        read_us = follow("message_opened", delivered_us, 6 * MINUTE_US)
    if rng.random() < rates.clicked:
        follow("message_clicked", read_us, MINUTE_US)
    if rng.random() < rates.replied:
        follow("message_replied", read_us, 2 * MINUTE_US)
    if rng.random() < rates.unsubscribed:
        follow("message_unsubscribed", read_us, MINUTE_US)
