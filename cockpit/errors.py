"""The tree of errors. The class says whose fault it is: the sender's, the caller's or the machine's."""


class CockpitError(Exception):
    """Root of what Cockpit raises on purpose; anything else that escapes is a bug."""


class SenderError(CockpitError):
    """The bytes are wrong. `code` is one of the stable codes of `cockpit.events.codes`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class CallerError(CockpitError):
    """Our own caller asked for something that does not exist or is out of range."""


class UnknownRead(CallerError):  # noqa: N818 - named by what happened, as every error here
    """No read of this name, or its parameters are not the ones it takes."""


class BadSetting(CallerError):  # noqa: N818
    """A setting is missing or not understood. The message names it and says what it may be."""


class SendingRefused(CallerError):  # noqa: N818
    """The gateway will not take this sender and says that trying again is no use: key, origin or protocol."""


class MachineError(CockpitError):
    """The disk, the network or another process does not do its part; trying again may help."""


class LogUnwritable(MachineError):  # noqa: N818
    """The log did not take a commit: nothing was acknowledged."""


class WarehouseUnreachable(MachineError):  # noqa: N818
    """The warehouse did not answer in time."""


class JournalUnusable(MachineError):  # noqa: N818
    """The journal of decisions took none, or holds one that cannot be read: nothing was decided."""
