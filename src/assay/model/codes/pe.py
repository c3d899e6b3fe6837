"""Codes about PE programs (PE/COFF) and the Authenticode signatures in them."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_PROGRAM_DAMAGED = (
    "Get the program again from its publisher. If it stays so, have it built and signed again with"
    " current tools; do not boot it before that."
)

PE_MALFORMED = Code(
    "pe-malformed",
    "the headers of the program do not follow the PE format",
    Severity.ERROR,
    Question.INTACT,
    "The headers and the section table against the PE/COFF specification and the file's size.",
    "A truncated or damaged file, or one made so that two programs read it differently.",
    _PROGRAM_DAMAGED,
)

PE_SECTIONS_OVERLAP = Code(
    "pe-sections-overlap",
    "two parts of the program are the same bytes of the file",
    Severity.ERROR,
    Question.INTACT,
    "The ranges of the file that headers and sections name against each other.",
    "Verifiers differ in how they hash such a file, so one signature may pass for two programs.",
    _PROGRAM_DAMAGED,
)

PE_GAP = Code(
    "pe-gap",
    "bytes between the sections of the program belong to none of them",
    Severity.ERROR,
    Question.INTACT,
    "Whether each section starts where the headers or another section end.",
    "Firmware, Windows and signing tools differ in whether such bytes are hashed, so that others"
    " may stand there under the same signature. Old linkers and objcopy leave gaps by accident.",
    "Have the program linked again without gaps (a file alignment that every section keeps), and"
    " signed again.",
)

PE_DATA_AFTER_SECTIONS = Code(
    "pe-data-after-sections",
    "bytes follow the last section of the program",
    Severity.INFO,
    Question.INTACT,
    "Whether the file, or its part before the certificate table, ends with the last section.",
    "Symbol tables, or the archive of an installer. Authenticode signatures cover these bytes.",
    "Nothing has to be done where a signature covers them.",
)

PE_CERTIFICATE_TABLE = Code(
    "pe-certificate-table",
    "the certificate table of the program is not as it has to be",
    Severity.ERROR,
    Question.INTACT,
    "The certificate table against the PE/COFF specification: at the end of the file, behind all"
    " sections, each entry at a multiple of 8 bytes, and all lengths in agreement.",
    "Data was appended after signing, a signature was added or removed by a tool that does not"
    " keep to the format, or someone relies on verifiers that read different lengths.",
    _PROGRAM_DAMAGED,
)

PE_NOT_SIGNED = Code(
    "pe-not-signed",
    "the program carries no signature",
    Severity.INFO,
    Question.AUTHENTIC,
    "Whether the certificate table has an entry.",
    "It was built without a signature, or the signature was removed.",
    "Get the signed program; distributions ship it in a package of its own.",
)

AUTHENTICODE_MALFORMED = Code(
    "authenticode-malformed",
    "what the signature signs is not the digest of a program",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The content of the signature: SpcIndirectDataContent for a PE program, with a digest of the"
    " length that its algorithm has.",
    "The signature is of another kind of file, was put together by hand, or is damaged.",
    "Get the program again. If it stays so, ask the publisher to sign it again.",
)

PAGE_HASHES_MISPLACED = Code(
    "page-hashes-misplaced",
    "the page hashes in a signature are not for the pages of this program",
    Severity.ERROR,
    Question.INTACT,
    "The offsets of the page hashes against the headers and the sections of the program.",
    "The signature is of another program, or was put together by hand. Windows refuses to load"
    " pages whose hashes differ.",
    _PROGRAM_DAMAGED,
)

PAGE_HASHES_UNCHECKED = Code(
    "page-hashes-unchecked",
    "the page hashes in a signature were not compared",
    Severity.INFO,
    Question.INTACT,
    "Nothing: they are of a kind that is not known, or the headers are longer than a page.",
    "A signing tool of its own. The digest of the whole program was compared all the same.",
    "Nothing has to be done.",
)

CERTIFICATE_VALIDITY_IGNORED = Code(
    "certificate-validity-ignored",
    "a certificate is not valid at this time, and firmware accepts it",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The validity of each certificate at the effective time, or that of a time stamp. With"
    " --enforce-validity it decides.",
    "The authority or the signer's certificate has run out since. UEFI firmware does not look at"
    " the dates; it refuses what its revocation database (dbx) names.",
    "Move to a program that is signed below a current authority. Check it against the revocation"
    " database of the machine.",
)
