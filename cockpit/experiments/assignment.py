"""Which variant a profile gets: by a salted hash, so the same for ever, everywhere, and without a draw.

Law: the control's people depend on its planned share alone. Shares of treatments may move; whoever is in the control
stays there, and nobody else comes in. Source: statistics.md section 3.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from cockpit.errors import CallerError
from cockpit.experiments.lifecycle import Experiment, Status, salt_of

BUCKETS = 10_000


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: of the variant in this epoch. `held_out`: by the global control, so the control whatever the bucket.

    `epoch`: the number of the allocation it was assigned under. Asked for again with it, a profile keeps its variant
    however the shares move.
    """

    variant_id: str
    share: float
    bucket: int
    epoch: int
    held_out: bool = False


def bucket_of(salt: str, profile_id: str) -> int:
    """0 to 9999: BLAKE2b with 8 bytes of `salt:profile_id` in UTF-8, big end first, modulo 10,000."""
    digest = blake2b(f"{salt}:{profile_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def assign(
    experiment: Experiment, profile_id: str, program: Experiment | None = None, epoch: int | None = None
) -> Assignment:
    """What the profile gets now, or got under the allocation number `epoch`: CallerError if there was none such.

    `program` is the global control that is live, if any; for itself it holds nobody out.
    """
    registration = experiment.registration
    number, shares = _allocation(experiment, epoch)
    bucket = bucket_of(salt_of(registration), profile_id)
    variant_id, held_out = variant_of(bucket, registration.control, shares), False
    if program is not None and program.key != experiment.key and is_held_out(program, profile_id):
        variant_id, held_out = registration.control, True
    return Assignment(variant_id=variant_id, share=shares[variant_id], bucket=bucket, epoch=number, held_out=held_out)


def _allocation(experiment: Experiment, epoch: int | None) -> tuple[int, Mapping[str, float]]:
    last = max(0, len(experiment.epochs) - 1)
    if epoch is None or epoch == last:
        return last, experiment.shares
    if not 0 <= epoch < last:
        raise CallerError(f"{experiment.name} has had the allocations 0 to {last}, none with number {epoch}")
    return epoch, experiment.epochs[epoch].shares


def variant_of(bucket: int, control: str, shares: Mapping[str, float]) -> str:
    """The control has the first buckets, the treatments follow in the order of `shares`; rounding goes to the last."""
    until = 0.0
    order = [control, *(variant_id for variant_id in shares if variant_id != control)]
    for variant_id in order:
        until += shares[variant_id]
        if bucket < round(until * BUCKETS):
            return variant_id
    return order[-1]


def is_held_out(program: Experiment, profile_id: str) -> bool:
    """Whether the global control keeps all personalization from the profile, also while its enrolment pauses."""
    registration = program.registration
    bucket = bucket_of(salt_of(registration), profile_id)
    return variant_of(bucket, registration.control, program.shares) == registration.control


def program_of(experiments: Iterable[Experiment]) -> Experiment | None:
    """The global control that is live: there is one at most."""
    return next((each for each in experiments if each.registration.is_program and each.is_live), None)


def running_version(experiments: Iterable[Experiment], experiment_id: str) -> Experiment | None:
    """The version of an experiment that enrols: there is one at most."""
    return next(
        (
            each
            for each in experiments
            if each.registration.experiment_id == experiment_id and each.status is Status.RUNNING
        ),
        None,
    )
