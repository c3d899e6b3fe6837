"""Codes about FAT file systems."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_MAKE_AGAIN = (
    "Get the image again from its publisher. If it stays so, have the file system made again; do"
    " not boot from it before that."
)

FAT_MALFORMED = Code(
    "fat-malformed",
    "the file system's description of itself cannot be right",
    Severity.ERROR,
    Question.INTACT,
    "The fields of the boot sector against what they may be and against the size of the file"
    " system.",
    "A truncated or damaged image, or one made to make readers fail.",
    _MAKE_AGAIN,
)

FAT_CHAIN = Code(
    "fat-chain",
    "the clusters of a file or directory cannot be followed",
    Severity.ERROR,
    Question.INTACT,
    "Each chain in the file allocation table: within the file system, to its end, as long as the"
    " directory says, and with no cluster that another file has.",
    "Damage, or a table made so that a file is never at its end, or so that a change to one file is"
    " one to another.",
    _MAKE_AGAIN,
)

FAT_AMBIGUOUS = Code(
    "fat-ambiguous",
    "programs find different files in the file system",
    Severity.ERROR,
    Question.INTACT,
    "Names that two files share, entries behind the end of a directory, names with characters that"
    " separate names, and long names that are of no file.",
    "An image made so that what is checked is not what is booted; seldom, damage.",
    _MAKE_AGAIN,
)

FAT_COPIES_DIFFER = Code(
    "fat-copies-differ",
    "the copies of what the file system goes by differ",
    Severity.WARNING,
    Question.INTACT,
    "The copies of the file allocation table against each other, and the backup of the boot sector"
    " against the boot sector.",
    "A file system that was in use when it was copied; or one that shows other files to a program"
    " that reads the other copy.",
    _MAKE_AGAIN,
)

FAT_CLUSTER_COUNT = Code(
    "fat-cluster-count",
    "the file system has another number of clusters than its kind should have",
    Severity.WARNING,
    Question.INTACT,
    "The number of clusters: FAT32 has at least 65525.",
    "A file system that is too small for its kind (`mkfs.fat -F 32` warns of that). Firmware that"
    " tells the kinds apart by the number of clusters cannot read it.",
    "Make the file system larger, or its clusters smaller.",
)

FAT_LOST_CLUSTERS = Code(
    "fat-lost-clusters",
    "clusters are in use that belong to no file",
    Severity.WARNING,
    Question.INTACT,
    "Clusters that the file allocation table says are in use, and that no directory leads to.",
    "A file system that was not unmounted, or data that is hidden from programs that look at"
    " files.",
    _MAKE_AGAIN,
)

FAT_REMAINS = Code(
    "fat-remains",
    "there is data where no file is",
    Severity.INFO,
    Question.INTACT,
    "Whether free clusters, and what is left of the last cluster of each file, are zero.",
    "Deleted files. Nobody reads these bytes, and they count as unclaimed unless something covers"
    " the whole file system.",
    "To keep earlier content from being published, make the file system anew for each image.",
)
