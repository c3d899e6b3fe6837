"""Codes about archives, and about image directories and streams as containers of images."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

ARCHIVE_MALFORMED = Code(
    "archive-malformed",
    "the tar archive does not follow its format",
    Severity.ERROR,
    Question.INTACT,
    "Each header block of the archive: its checksum, its numbers, its extension records (POSIX"
    " pax, GNU).",
    "Damage to a header, a file that is no tar archive, or one made so that two programs read it"
    " differently.",
    "Transfer the archive again, or have it written again by a current tool. If it stays as it is,"
    " do not load it anywhere.",
)

ARCHIVE_TRUNCATED = Code(
    "archive-truncated",
    "the tar archive ends in the middle of a member",
    Severity.ERROR,
    Question.INTACT,
    "The sizes that the archive's headers announce against the bytes that are there.",
    "An interrupted download or copy, or a full disk while the archive was written. A header with"
    " an absurd size is damage, or an attempt to make a reader run past the end.",
    "Transfer the archive again, or write it again.",
)

ARCHIVE_END_MISSING = Code(
    "archive-end-missing",
    "the tar archive has no end mark",
    Severity.WARNING,
    Question.INTACT,
    "Whether two blocks of zero bytes follow the last member (POSIX pax, ustar interchange"
    " format).",
    "Some tools leave the mark out. An archive cut off exactly between two members looks the same,"
    " and then members are missing.",
    "If the image is complete otherwise, nothing is lost; to be sure, write the archive again.",
)

ARCHIVE_TRAILING_DATA = Code(
    "archive-trailing-data",
    "bytes follow the end of the tar archive",
    Severity.ERROR,
    Question.INTACT,
    "Whether anything but zero bytes follows the archive's end mark.",
    "A second archive or other content put behind the first: programs that stop at the end mark do"
    " not see it, programs that read on do.",
    "Find out what the bytes are. Do not load the archive until whoever made it explains them.",
)

ARCHIVE_AMBIGUOUS = Code(
    "archive-ambiguous",
    "programs can read different contents from the same archive",
    Severity.ERROR,
    Question.INTACT,
    "Whether a name occurs twice, whether two size or name records of one member disagree, and"
    " whether a member that cannot have content announces some.",
    "A defective tool, or an archive made so that the program that checks it and the one that"
    " loads it see different files.",
    "Do not load the archive. Have it written again from the image that it is meant to hold.",
)

ARCHIVE_UNSAFE_NAME = Code(
    "archive-unsafe-name",
    "a name in the archive leads outside of it",
    Severity.ERROR,
    Question.INTACT,
    "Member names, link targets and the names in the image's own documents: none may be absolute"
    " or climb with '..', and links must end at a regular member of the same archive.",
    "An attempt to make the program that unpacks the archive read or overwrite files elsewhere on"
    " the machine.",
    "Do not unpack or load the archive with any tool, and report it to where you have it from.",
)

ARCHIVE_VIEWS_DISAGREE = Code(
    "archive-views-disagree",
    "the archive describes two different images at once",
    Severity.ERROR,
    Question.INTACT,
    "manifest.json (the docker archive's description) against index.json (the OCI layout's): both"
    " have to name the same configuration and the same layers in the same order.",
    "The archive was edited, or made so that one program loads another image than the program that"
    " checked it.",
    "Do not load the archive. Save the image again from a source that you trust.",
)

ARCHIVE_NAMES_DISAGREE = Code(
    "archive-names-disagree",
    "manifest.json and index.json give the image different names",
    Severity.WARNING,
    Question.INTACT,
    "The RepoTags in manifest.json against the image names annotated in index.json.",
    "One of the two documents was edited, or two tools wrote into the same archive. Which name the"
    " image gets depends on the program that loads it.",
    "Do not rely on the names in the archive; refer to the image by its digest.",
)

LAYOUT_VERSION = Code(
    "layout-version",
    "the image directory does not state a known version of its format",
    Severity.ERROR,
    Question.INTACT,
    "The file oci-layout (imageLayoutVersion 1.0.0), or the file version of a dir: image.",
    "An incomplete copy, or a layout written by another generation of tools.",
    "Copy the image again in full with a current tool.",
)

LINK_LEADS_OUTSIDE = Code(
    "link-leads-outside",
    "a part of an image directory is a link to somewhere else",
    Severity.ERROR,
    Question.INTACT,
    "Whether every file of an image directory lies in that directory, links resolved.",
    "A layout assembled from links to a shared store; or an attempt to have a file of this machine"
    " read, or published, as part of an image.",
    "Copy the image into a directory of its own, with its files instead of links.",
)

DUPLICATE_REFERENCE = Code(
    "duplicate-reference",
    "one name stands for several images of the layout",
    Severity.ERROR,
    Question.INTACT,
    "Whether a reference name (or a digest) occurs once in index.json.",
    "A tool that appended an image without removing the old one, or an edit that makes two"
    " programs pick different images under the same name.",
    "Name the image by digest (DIR@sha256:...), and remove the entry that is not meant.",
)

COMPANION_ENTRIES = Code(
    "companion-entries",
    "the layout holds signatures or attestations beside its images",
    Severity.INFO,
    Question.CHECKED,
    "Which entries of index.json are images, and which have no name of their own and only refer to"
    " another (a manifest with a subject, a signature of cosign).",
    "A layout that was copied together with its signatures.",
    "Nothing. To have such an entry judged by itself, name it by digest (DIR@sha256:...).",
)

NOT_AN_IMAGE = Code(
    "not-an-image",
    "there is no image of the kind asked for",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the directory or file holds an image layout: oci-layout and index.json, manifest.json"
    " with version, or a docker archive's manifest.json.",
    "The wrong path, an incomplete copy, or the wrong transport before the path.",
    "Check the path; without a transport prefix Assay recognises by itself what a path holds.",
)

CHANGED_WHILE_READ = Code(
    "changed-while-read",
    "the bytes changed while they were being checked",
    Severity.ERROR,
    Question.CHECKED,
    "Size and time of change of the file before and after it was read, and each document that was"
    " read twice against itself.",
    "A download or copy still under way, a virtual machine running on the disk image, or somebody"
    " exchanging the content between check and use.",
    "Let whatever writes to the file finish, or check a copy or snapshot that nothing writes to.",
)

EMPTY_INPUT = Code(
    "empty-input",
    "there are no bytes at all",
    Severity.WARNING,
    Question.INTACT,
    "Whether the file or stream holds anything.",
    "A download that failed, a command before the pipe that printed nothing, or a file that was"
    " only just created.",
    "Look at what should have written the bytes; its error message is elsewhere.",
)
