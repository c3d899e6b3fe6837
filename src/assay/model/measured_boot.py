"""What a boot is predicted to measure, and how that compares with what a machine measured."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from assay.model.finding import Finding

SCHEMA_VERSION = 1
"""Version of the JSON form; raised when a reader of the old form would break."""


class PredictedEvent(Struct, frozen=True):
    """One extension of a PCR. ``type`` is the name of the event type in the log, ``what`` says in
    words what is measured, ``component`` which part of the image it is (empty where it is none),
    and ``digests`` has hexadecimal values by bank."""

    type: str
    what: str
    digests: dict[str, str]
    component: str = ""


class PredictedRegister(Struct, frozen=True):
    """One PCR. ``values`` are by bank: what it holds when the kernel starts. They are empty where
    not all events are known: ``unknown`` says what else is measured, and why it is not known.
    ``later`` are values after what userspace adds, by a name for how far the boot has come."""

    pcr: int
    events: tuple[PredictedEvent, ...]
    values: dict[str, str]
    unknown: str = ""
    later: dict[str, dict[str, str]] = {}


class NotPredicted(Struct, frozen=True):
    """PCRs of which nothing is said, and why."""

    pcrs: tuple[int, ...]
    reason: str


class Prediction(Struct, frozen=True):
    """What a boot of an image measures. ``image`` is its name, ``program`` the part of it that the
    firmware starts, ``digests`` those of the image's bytes (``sha256`` ...). ``assumptions`` is
    what has to be so for the values to hold."""

    image: str
    program: str
    digests: dict[str, str]
    banks: tuple[str, ...]
    registers: tuple[PredictedRegister, ...]
    not_predicted: tuple[NotPredicted, ...]
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    schema_version: int = SCHEMA_VERSION


class Deviation(Enum):
    """How an event of the log deviates from the prediction."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    """In its place there is an event of the same type with another digest."""

    REORDERED = "reordered"
    """The event is there, in another place."""


class EventDifference(Struct, frozen=True):
    """One event that is not as predicted. ``event`` is its number in the log (None where it is
    missing), ``expected`` and ``actual`` are digests in ``bank``, ``logged`` is what the log says
    the event is, and ``means`` what such a difference usually comes from."""

    pcr: int
    deviation: Deviation
    what: str
    means: str
    bank: str
    event: int | None = None
    expected: str = ""
    actual: str = ""
    component: str = ""
    logged: str = ""
    measured: str = ""
    """The part of the image that has the digest in the log; empty where none has."""


class FurtherEvent(Struct, frozen=True):
    """An event of the log in a PCR whose events are not all predicted: a program that was started,
    or a file that was read. ``component`` is the part of the image that has this digest; empty
    where none has."""

    pcr: int
    event: int
    type: str
    logged: str
    component: str = ""


class RegisterOutcome(Enum):
    EQUAL = "equal"
    DIFFERENT = "different"
    AS_FAR_AS_KNOWN = "as-far-as-known"
    """All events that are predicted are there in their order, and there may be more."""


class RegisterComparison(Struct, frozen=True):
    """One PCR: what was predicted and what the log comes to, by bank."""

    pcr: int
    outcome: RegisterOutcome
    predicted: dict[str, str]
    logged: dict[str, str]
    differences: tuple[EventDifference, ...] = ()


class BootComparison(Struct, frozen=True):
    """A prediction and an event log. ``findings`` tell what is wrong with the log itself, and
    ``further`` what was started and read beyond what is predicted."""

    image: str
    event_log: str
    registers: tuple[RegisterComparison, ...]
    not_compared: tuple[NotPredicted, ...]
    findings: tuple[Finding, ...]
    further: tuple[FurtherEvent, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def exit_status(self) -> int:
        """0 everything as predicted, 1 something differs or the log is wrong in itself, 3 no PCR
        could be compared in full."""
        from assay.model.finding import Severity

        outcomes = {register.outcome for register in self.registers}
        wrong = any(found.severity is Severity.ERROR for found in self.findings)
        if RegisterOutcome.DIFFERENT in outcomes or wrong:
            return 1
        return 0 if RegisterOutcome.EQUAL in outcomes else 3
