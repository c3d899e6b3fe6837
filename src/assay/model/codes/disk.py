"""Codes about disks: partition tables, and what lies beside the partitions."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_FROM_PUBLISHER = (
    "Get the image again from its publisher. If it stays so, have it made again; do not boot it"
    " before that."
)

PARTITION_TABLE_MALFORMED = Code(
    "partition-table-malformed",
    "the partition table contradicts its specification",
    Severity.ERROR,
    Question.INTACT,
    "The fields of the partition table (GPT: UEFI specification, section 5.3; MBR: section 5.2)"
    " against what they may be and against the size of the disk.",
    "A truncated or damaged image, or one made so that programs find different partitions in it.",
    _FROM_PUBLISHER,
)

GPT_CHECKSUM = Code(
    "gpt-checksum",
    "a checksum of the partition table is wrong",
    Severity.ERROR,
    Question.INTACT,
    "The CRC-32 of the header, and that of the entries, in the primary and in the backup table.",
    "Damage, or an edit by something that did not know of the checksums. Firmware does not use such"
    " a table, and takes the other one.",
    _FROM_PUBLISHER,
)

GPT_BACKUP_MISSING = Code(
    "gpt-backup-missing",
    "the backup of the partition table is not there",
    Severity.ERROR,
    Question.INTACT,
    "Whether there is a partition table in the last sector, or where the primary one says.",
    "The image was cut short, or something else was written over its end.",
    "Compare the size of the image with the publisher's, and transfer it again.",
)

GPT_BACKUP_MISPLACED = Code(
    "gpt-backup-misplaced",
    "the backup of the partition table is not at the end of the disk",
    Severity.WARNING,
    Question.INTACT,
    "Where the primary table says that its backup is, against the end of the disk.",
    "The image was enlarged, or something was appended to it. What follows belongs to no partition,"
    " and firmware that looks for the backup at the end does not find it.",
    "Compare the size of the image with the publisher's.",
)

GPT_BACKUP_MISMATCH = Code(
    "gpt-backup-mismatch",
    "the two partition tables of the disk say different things",
    Severity.ERROR,
    Question.INTACT,
    "Each field of the backup table, and each entry, against the primary one.",
    "One of them was edited. Which of them counts depends on the firmware and on which is damaged"
    " later: damage to the first one would be enough to boot from other partitions.",
    _FROM_PUBLISHER,
)

PARTITION_OVERLAP = Code(
    "partition-overlap",
    "two partitions, or a partition and the table, are the same bytes of the disk",
    Severity.ERROR,
    Question.INTACT,
    "The ranges of all partitions and of the tables against each other.",
    "An edited table: what is checked as one partition can be used, or written to, as another.",
    _FROM_PUBLISHER,
)

PARTITION_OUT_OF_BOUNDS = Code(
    "partition-out-of-bounds",
    "a partition lies where there can be none",
    Severity.ERROR,
    Question.INTACT,
    "The first and last sector of each partition against the disk, and against the range that the"
    " table says is for partitions.",
    "The image was cut short, or its table was edited.",
    "Compare the size of the image with the publisher's, and transfer it again.",
)

PARTITION_GUID = Code(
    "partition-guid",
    "the GUID of a partition is not its own",
    Severity.ERROR,
    Question.INTACT,
    "Whether each partition has a GUID, and no two have the same.",
    "A partition was copied within the disk. Boot loaders find partitions by these GUIDs, and which"
    " one they find is then a matter of chance.",
    _FROM_PUBLISHER,
)

PROTECTIVE_MBR = Code(
    "protective-mbr",
    "the disk does not protect its partition table as GPT asks",
    Severity.ERROR,
    Question.INTACT,
    "The protective MBR (UEFI specification, section 5.2.3): one entry of type 0xEE that begins in"
    " sector 1 and reaches the end.",
    "Programs that know only MBR see other partitions, or none; some that know GPT do not look for"
    " it without the protective MBR. A size that is too small is left when an image is enlarged.",
    _FROM_PUBLISHER,
)

HYBRID_MBR = Code(
    "hybrid-mbr",
    "the disk has partitions in an MBR beside its GPT",
    Severity.WARNING,
    Question.INTACT,
    "Whether the MBR of a disk with GPT has entries beside the protective one, and whether these"
    " are partitions of the GPT, too.",
    "An image made for firmware of two kinds. Where the entries differ from the GPT, one program"
    " boots what another one does not see.",
    "Compare both tables, and ask the publisher why there are two.",
)

STALE_GPT = Code(
    "stale-gpt",
    "a disk with MBR partitions has a GPT as well",
    Severity.WARNING,
    Question.INTACT,
    "Whether there is a GPT header on a disk whose MBR does not point to one.",
    "The disk was partitioned anew. Programs that look for GPT first see other partitions.",
    "Have the image made again on an empty file.",
)

DISK_GAP_NOT_ZERO = Code(
    "disk-gap-not-zero",
    "there is data outside of the partitions",
    Severity.WARNING,
    Question.INTACT,
    "Whether all bytes that belong to no partition and to no table are zero.",
    "A boot loader for BIOS (GRUB puts it behind the MBR), remains of what was there before, or"
    " something hidden from programs that look at partitions only.",
    "Ask the publisher what is there. A digest of the whole image covers it.",
)

MBR_CHAIN = Code(
    "mbr-chain",
    "the chain of logical partitions cannot be followed",
    Severity.ERROR,
    Question.INTACT,
    "Each extended boot record: within the extended partition, behind the one before it, with one"
    " partition and at most one next record.",
    "A damaged image, or one made so that programs that follow the chain do not end, or find"
    " different partitions.",
    _FROM_PUBLISHER,
)
