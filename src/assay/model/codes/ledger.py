"""Codes about the ledger: what keeps it from being written, and what tampering shows as."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_RESTORE = (
    " Keep the damaged copy as evidence, and restore the ledger from a backup or from an export"
    " that still verifies."
)

LEDGER_UNREADABLE = Code(
    "ledger-unreadable",
    "the ledger cannot be read or written",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the ledger's database answers, and has the tables that this version knows.",
    "The disk is full, the file is not a database or belongs to someone else, the server is down,"
    " or another process has kept it locked for long.",
    "See the detail. Nothing was recorded; run the command again once the database answers.",
)

LEDGER_ENTRY_TOO_LARGE = Code(
    "ledger-entry-too-large",
    "the entry does not fit into the log",
    Severity.ERROR,
    Question.CHECKED,
    "The size of the entry, against the 65,535 bytes that a tiled log allows.",
    "Names given by the caller (ticket, environment, host) are very long.",
    "Shorten what was given with the ledger options. Nothing was recorded.",
)

LEDGER_ENTRY_MALFORMED = Code(
    "ledger-entry-malformed",
    "an entry is not in the form that Assay writes",
    Severity.ERROR,
    Question.INTACT,
    "Whether an entry's bytes are a ledger entry.",
    "Another program appended to the log, or a newer version of Assay did.",
    "Read it with the version that wrote it. If the log verifies otherwise, the bytes are what was"
    " once appended.",
)

LEDGER_ENTRY_ALTERED = Code(
    "ledger-entry-altered",
    "an entry is not the one that was recorded",
    Severity.ERROR,
    Question.INTACT,
    "The hash of each entry against the one in the tree, and of each body against its entry.",
    "Somebody, or a failing disk, changed what the ledger says about a verdict.",
    "Treat this entry as false." + _RESTORE,
)

LEDGER_ENTRY_MISSING = Code(
    "ledger-entry-missing",
    "an entry that was recorded is gone",
    Severity.ERROR,
    Question.INTACT,
    "Whether there is an entry for each leaf of the tree, up to the size of the newest checkpoint.",
    "A row was deleted from the database.",
    "Find out who could." + _RESTORE,
)

LEDGER_ENTRY_MOVED = Code(
    "ledger-entry-moved",
    "an entry stands at another place than it was recorded at",
    Severity.ERROR,
    Question.INTACT,
    "Whether an entry that does not fit its place fits another one.",
    "Entries were exchanged or shifted, which changes the order of what happened.",
    "Treat the order of entries as unknown." + _RESTORE,
)

LEDGER_TREE_DAMAGED = Code(
    "ledger-tree-damaged",
    "the tree of hashes does not add up",
    Severity.ERROR,
    Question.INTACT,
    "Each stored node of the Merkle tree against the nodes below it.",
    "A failing disk, or a clumsy attempt to alter entries.",
    "Nothing more is appended to such a ledger." + _RESTORE,
)

LEDGER_CHECKPOINT_INVALID = Code(
    "ledger-checkpoint-invalid",
    "a checkpoint is not signed by the ledger's key",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature of each checkpoint against the ledger's public key.",
    "The checkpoint was altered, or was signed by somebody who does not hold the key.",
    "Compare with a checkpoint that a witness or an auditor has kept." + _RESTORE,
)

LEDGER_FORKED = Code(
    "ledger-forked",
    "the ledger has another history than it had",
    Severity.ERROR,
    Question.INTACT,
    "Whether the tree now is an extension of the tree of each earlier checkpoint, of those kept in"
    " the ledger and those remembered outside of it.",
    "History was rewritten by somebody who holds the key, or two copies of the ledger were both"
    " appended to.",
    "Find all copies and the checkpoints that others have kept; they show which entries differ.",
)

LEDGER_ROLLED_BACK = Code(
    "ledger-rolled-back",
    "the ledger is shorter than it was",
    Severity.ERROR,
    Question.INTACT,
    "The newest checkpoint in the ledger against the newest one that this machine, a witness or the"
    " caller has seen.",
    "An old backup was restored, or the newest entries were cut off.",
    "Do not append: that would make a fork. Find the newer copy." + _RESTORE,
)

LEDGER_KEY_CHANGED = Code(
    "ledger-key-changed",
    "the ledger names another key than the one it was known by",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The public key in the ledger against the one given, or the one that signed what was seen"
    " before.",
    "The whole ledger was replaced by another one, or its key was exchanged.",
    "Only the key that you had from the start can tell. Ask who runs the ledger, by another way.",
)

LEDGER_PROOF_INVALID = Code(
    "ledger-proof-invalid",
    "the proof does not show that the entry is in the log",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The path of hashes from the entry to the root of a checkpoint, the signature of that"
    " checkpoint, and the cosignatures of witnesses.",
    "The proof belongs to another entry or another log, or one of them was altered.",
    "Get a proof from the ledger itself with `assay ledger prove`.",
)

LEDGER_NOT_WITNESSED = Code(
    "ledger-not-witnessed",
    "too few witnesses have signed the checkpoint",
    Severity.ERROR,
    Question.CHECKED,
    "How many of the witnesses asked for have cosigned the newest checkpoint.",
    "A witness was not reachable, or it has seen another history of this log and refuses.",
    "See the detail for what each witness answered. A refusal is serious: compare histories.",
)

LEDGER_TIMESTAMP_INVALID = Code(
    "ledger-timestamp-invalid",
    "the time stamp of an entry does not prove its time",
    Severity.ERROR,
    Question.INTACT,
    "The RFC 3161 time stamp in an entry against the entry, and against the authorities given.",
    "Another authority made it than those given, or whoever holds the ledger's key recorded an"
    " entry with a time stamp of something else.",
    "Check which authority was configured then, and give its certificate with --tsa-ca. Where it is"
    " the right one, the time of this entry cannot be relied on.",
)

LEDGER_NOT_MIRRORED = Code(
    "ledger-not-mirrored",
    "another log does not prove that it has the entry",
    Severity.ERROR,
    Question.CHECKED,
    "The answer of a Rekor log: that it is about this entry and this signature, that the proof of"
    " inclusion leads to a checkpoint, and that a log of the trusted root signed that.",
    "The trusted root is not that of this log, or is older than the log's key; or the log lies.",
    "Get the log's current trusted root. The entry is not mirrored; the ledger is as it was.",
)
