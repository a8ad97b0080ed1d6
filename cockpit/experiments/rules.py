"""What the fold of exposures and outcomes needs to know of an experiment version, in microseconds since 1970."""

import msgspec

LOOKBACK_DAYS = 28
Span = tuple[int, int | None]  # from, up to but not including; None: still open


class Rules(msgspec.Struct, frozen=True):
    """`enrolment`: when a first exposure counts. `ends_us`: outcomes from here on do not (None: all do).

    `epochs_us`: when the planned shares changed, in order. `treatments_move`: a profile may be given another treatment,
    and is mixed only if it was in the control too. A version that nobody registered has the defaults.
    """

    experiment_id: str
    version: str
    control: str = "control"
    use_case: str | None = None
    lookback_days: int = LOOKBACK_DAYS
    enrolment: tuple[Span, ...] = ((0, None),)
    ends_us: int | None = None
    epochs_us: tuple[int, ...] = ()
    treatments_move: bool = False
