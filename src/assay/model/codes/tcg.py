"""Codes about event logs of trusted platform modules (TPM)."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_READ_AGAIN = (
    "Read the log again from the machine (binary_bios_measurements in"
    " /sys/kernel/security/tpm0). If it stays so, do not rely on anything that the log says."
)

TCG_LOG_MALFORMED = Code(
    "tcg-log-malformed",
    "the event log does not follow the specification",
    Severity.ERROR,
    Question.INTACT,
    "The log against the PC Client Platform Firmware Profile: known banks, digests of their size,"
    " lengths that add up.",
    "A damaged copy, a log that firmware wrote wrongly, or one that was edited.",
    _READ_AGAIN,
)

TCG_LOG_TRUNCATED = Code(
    "tcg-log-truncated",
    "the event log ends within an event",
    Severity.ERROR,
    Question.INTACT,
    "Whether the log ends where an event does.",
    "The copy was cut short, or the firmware ran out of memory for the log. PCR values of the"
    " remaining events are not those of the machine.",
    _READ_AGAIN,
)

TCG_EVENT_DATA = Code(
    "tcg-event-data",
    "the data of an event is not what was measured",
    Severity.ERROR,
    Question.INTACT,
    "Where the specification says that an event's digest is that of its data: whether it is.",
    "The event was edited after it was measured, to tell something else about the boot. Some"
    " firmware measures other bytes than it logs.",
    "Believe nothing that this event says; its digest may still be compared with one that is known"
    " to be good. Ask the maker of the firmware whether it measures other bytes.",
)

TCG_LOG_SHA1 = Code(
    "tcg-log-sha1",
    "all digests in the event log are SHA-1",
    Severity.WARNING,
    Question.INTACT,
    "Whether the log has a bank of an algorithm without known collisions.",
    "A TPM 1.2, or a TPM 2.0 whose only active bank is SHA-1. Other data with the same digests can"
    " be made.",
    "Activate the SHA-256 bank in the firmware's setup, and read the log of the next boot.",
)

TCG_EVENT_ORDER = Code(
    "tcg-event-order",
    "events stand in an order in which firmware does not measure",
    Severity.WARNING,
    Question.INTACT,
    "Where separators stand, once for each PCR from 0 to 7, and that nothing comes before them or"
    " after them that may not.",
    "Events were moved or repeated in the log, or the firmware has a defect. A moved event gives"
    " other PCR values than the machine's, unless the machine was made to measure so.",
    "Compare the PCR values of the log with a quote of the TPM. Where they agree, update the"
    " firmware; where they do not, do not rely on the log.",
)

TCG_SEPARATOR_ERROR = Code(
    "tcg-separator-error",
    "the firmware says that something went wrong before the boot",
    Severity.WARNING,
    Question.INTACT,
    "The data of separators: 0, or 0xffffffff.",
    "A measurement or a check failed while the firmware ran, and it closed the PCR with an error.",
    "Look into the machine's firmware log; the PCR says nothing about what was started.",
)

TCG_LOCALITY = Code(
    "tcg-locality",
    "the log says in the wrong place where the TPM was started from",
    Severity.ERROR,
    Question.INTACT,
    "That StartupLocality stands in the log once, before anything that extends PCR 0, and names"
    " locality 0, 3 or 4.",
    "An event was added or moved, to make PCR 0 come out as wanted.",
    _READ_AGAIN,
)

TCG_DIGEST_MISSING = Code(
    "tcg-digest-missing",
    "an event has no digest in one of the banks",
    Severity.WARNING,
    Question.CHECKED,
    "Whether each event has a digest in each bank that the log says it has.",
    "The firmware does not measure into all active banks, so that anything may be put into the"
    " others. That is a known weakness.",
    "Use PCR values of a bank that is complete, and update the firmware.",
)

TCG_BANK_UNKNOWN = Code(
    "tcg-bank-unknown",
    "PCR values cannot be computed, as the digest algorithm is not known here",
    Severity.INFO,
    Question.CHECKED,
    "Whether the algorithm of each bank can be computed.",
    "A bank of SM3 or of a new algorithm.",
    "Use the values of another bank.",
)

TCG_PCR_ABSENT = Code(
    "tcg-pcr-absent",
    "the event log has nothing of a PCR whose value is known",
    Severity.ERROR,
    Question.INTACT,
    "Whether events of the log extend each PCR that was asked for, in the bank that was named.",
    "The log is of another machine or another boot, events were taken out, or something extends the"
    " PCR that keeps no log (Linux after the boot, say).",
    _READ_AGAIN,
)
