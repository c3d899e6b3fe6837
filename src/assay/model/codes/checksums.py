"""Codes about checksum files."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

CHECKSUM_ENTRY_MISSING = Code(
    "checksum-entry-missing",
    "the checksum file does not mention the image",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether a line of the checksum file names the image.",
    "The checksum file is of another release or folder, or the image was renamed.",
    "Use the checksum file that was published with this image. If you renamed the image, give it"
    " its published name again.",
)

CHECKSUM_ENTRY_DUPLICATE = Code(
    "checksum-entry-duplicate",
    "the checksum file names the image more than once, with different digests",
    Severity.ERROR,
    Question.INTACT,
    "Whether all lines for one name and algorithm agree.",
    "A careless merge of two checksum files, or an added line meant to let another file pass.",
    "Get the checksum file again from the publisher.",
)

CHECKSUM_ENTRY_REPEATED = Code(
    "checksum-entry-repeated",
    "the checksum file names the image more than once, with the same digest",
    Severity.INFO,
    Question.INTACT,
    "Whether all lines for one name and algorithm agree.",
    "A careless merge of two checksum files. The lines agree, so nothing follows from it.",
    "Nothing needs to be done. The publisher may like to know.",
)

CHECKSUM_LINE_MALFORMED = Code(
    "checksum-line-malformed",
    "a line of the checksum file cannot be read",
    Severity.WARNING,
    Question.CHECKED,
    "Each line against the known forms of checksum files.",
    "A comment, a damaged line, or another kind of file.",
    "If the line should count, ask for it to be mended; it was ignored here.",
)
