"""Codes about dm-verity and fs-verity."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

VERITY_SUPERBLOCK_MALFORMED = Code(
    "verity-superblock-malformed",
    "there is no verity superblock that can be read",
    Severity.ERROR,
    Question.INTACT,
    "The superblock (its magic, version, algorithm, sizes, and zero bytes where it has nothing)"
    " at the start of the hash tree's file or partition, at --verity-offset, or anywhere in the"
    " image.",
    "The offset or the file is not the one that the tree is at, the tree was made without a"
    " superblock, or the superblock was damaged or edited.",
    "Find out how the tree was made (`veritysetup dump`), and where the publisher says that it is."
    " For a tree without a superblock, give the parameters.",
)

VERITY_PARAMETERS_UNUSABLE = Code(
    "verity-parameters-unusable",
    "no hash tree can have these parameters",
    Severity.ERROR,
    Question.INTACT,
    "Hash type, algorithm, block sizes, number of blocks and salt against what dm-verity knows.",
    "A superblock that was damaged or edited, or one for something that dm-verity does not do.",
    "Get the superblock, or the parameters, from the publisher again.",
)

VERITY_PARAMETERS_DIFFER = Code(
    "verity-parameters-differ",
    "the superblock says something else than what was given",
    Severity.ERROR,
    Question.INTACT,
    "Each parameter that was given against the superblock, which nobody has signed.",
    "The tree is that of another image or version, or its superblock was edited.",
    "Get image, tree and parameters again, all from one release.",
)

VERITY_ROOT_LENGTH = Code(
    "verity-root-length",
    "the root hash is not one of the tree's algorithm",
    Severity.ERROR,
    Question.INTACT,
    "The length of the root hash that was given against the algorithm of the tree.",
    "The root hash belongs to another tree, or the superblock names another algorithm than the one"
    " that the tree was made with.",
    "Compare root hash and algorithm with what the publisher announces.",
)

VERITY_OUT_OF_BOUNDS = Code(
    "verity-out-of-bounds",
    "data or hash tree are not where they are said to be",
    Severity.ERROR,
    Question.INTACT,
    "Where data, superblock and hash tree begin and end, against the size of the files, and"
    " against each other: none of them may overlap.",
    "The image or the tree was cut short, the offset is wrong, or the superblock was edited, so"
    " that one and the same bytes would be data and proof.",
    "Transfer image and tree again, and compare the offset with the publisher's.",
)

VERITY_SPARE_NOT_ZERO = Code(
    "verity-spare-not-zero",
    "a hash block has more digests than there are blocks",
    Severity.ERROR,
    Question.INTACT,
    "Whether all bytes of a hash block that are no digest of a block below it are zero.",
    "The number of data blocks was lowered, to leave the last ones of the image unchecked; or the"
    " tree was made by software that does not clear its memory.",
    "Compare the number of data blocks with the publisher's. Do not use the image until it is"
    " clear where it ends.",
)

VERITY_SIGNATURE_MALFORMED = Code(
    "verity-signature-malformed",
    "the verity signature partition cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "The JSON object in the partition (Discoverable Partitions Specification): a root hash and a"
    " signature, in their only spelling, and zero bytes behind it.",
    "A damaged image, or one that was made by hand.",
    "Have the image made again (`systemd-repart`), or get it again from its publisher.",
)

VERITY_PARTITION_UUID = Code(
    "verity-partition-uuid",
    "the partitions are not those that the signed root hash names",
    Severity.ERROR,
    Question.INTACT,
    "The UUIDs of the data and verity partitions, which have to be the first and the last 16 bytes"
    " of the root hash, against the one that the signature partition has.",
    "Data, tree and signature are of different images or versions, put together on one disk; or"
    " the signature of /usr was put in the place of that of the root directory.",
    "Get the whole image again, from one release. Do not boot it before that.",
)

VERITY_ROOT_UNKNOWN = Code(
    "verity-root-unknown",
    "nothing on the disk says what the root hash of a tree is",
    Severity.WARNING,
    Question.INTACT,
    "The topmost block of the tree in a verity partition against the UUIDs of the partitions.",
    "The root hash is kept elsewhere (a kernel's command line), the partitions have UUIDs of"
    " their own, the tree is damaged, or its superblock was edited (another salt).",
    "Give the root hash from where you trust it with --verity-root.",
)

VERITY_ERROR_CORRECTION = Code(
    "verity-error-correction",
    "what follows the hash tree has the size of error correction data",
    Severity.INFO,
    Question.INTACT,
    "The number of bytes after the hash tree against that of Reed-Solomon parity (FEC) over data"
    " and tree.",
    "The device can repair some damage by itself. Such data proves nothing of where an image is"
    " from: the root hash does not cover it, and it counts as unclaimed.",
    "Nothing needs to be done.",
)
