"""Codes about Secure Boot: whether firmware and shim would start a program."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_CURRENT = (
    "Install the current version of the program from its publisher, and take the old one off the"
    " image. Do not start it in another way."
)

BOOT_NOT_ALLOWED = Code(
    "boot-not-allowed",
    "nothing in the databases allows the program",
    Severity.ERROR,
    Question.ALLOWED,
    "Each signature and the digest of the program against what allows"
    " programs: db for firmware, and for a shim also MokList and its vendor certificates.",
    "The machine does not have the authority that signed it (many have Microsoft's of 2011 only, or"
    " those of 2023 only); or it is to be started by a shim, which was not given.",
    "Have the authority enrolled that signed the program, if you trust it; or get the program"
    " signed below one that the machine has. With --through a program is checked as a shim does.",
)

BOOT_NOT_SIGNED = Code(
    "boot-not-signed",
    "the program carries no signature, and its digest is in no database",
    Severity.ERROR,
    Question.ALLOWED,
    "With `assay boot check`, whether there is a signature, or else the digest of the program in db"
    " or MokList.",
    "It was built without a signature, or the signature was removed.",
    "Get the signed program; distributions ship it in a package of its own.",
)

BOOT_REVOKED_HASH = Code(
    "boot-revoked-hash",
    "the program is revoked by its digest",
    Severity.ERROR,
    Question.ALLOWED,
    "With `assay boot check`, the Authenticode digest of the program against each digest in dbx,"
    " and for what a shim starts in MokListX and its vendor_dbx.",
    "This version has a security flaw that lets anything be started; it was revoked by name.",
    _CURRENT,
)

BOOT_REVOKED_CERTIFICATE = Code(
    "boot-revoked-certificate",
    "the program is signed below a revoked certificate",
    Severity.ERROR,
    Question.ALLOWED,
    "With `assay boot check`, each certificate that a signature leads through against the"
    " certificates in dbx, and for what a shim starts in MokListX and its vendor_dbx.",
    "The signer's key was lost, or all that it signed until a certain day has a flaw, or the"
    " authority was replaced (as Microsoft Windows Production PCA 2011 is).",
    _CURRENT,
)

BOOT_REVOKED_CERTIFICATE_HASH = Code(
    "boot-revoked-certificate-hash",
    "the program is signed below a certificate that is revoked by its digest",
    Severity.ERROR,
    Question.ALLOWED,
    "With `assay boot check`, the digest of what is signed in each certificate (tbsCertificate)"
    " against those in dbx. One with a time spares what a trusted time stamp proves to be older.",
    "The signer's key was lost, or what it signed has a flaw.",
    _CURRENT,
)

BOOT_SIGNATURE_FOREIGN = Code(
    "boot-signature-foreign",
    "the program has a signature of another program",
    Severity.ERROR,
    Question.ALLOWED,
    "With `assay boot check`, the digest in each signature against that of the program.",
    "The program was changed after signing, or somebody put a good signature on another program.",
    "Get the program again from its publisher. Do not start it.",
)

BOOT_SIGNATURE_INVALID = Code(
    "boot-signature-invalid",
    "a signature of the program does not count",
    Severity.WARNING,
    Question.ALLOWED,
    "With `assay boot check`, each signature by itself: its form, its algorithms, its value.",
    "It is damaged, or made with an algorithm that can be forged or that is not known.",
    "Get the program again from its publisher. If it stays so, ask for one that is signed anew.",
)

BOOT_CERTIFICATE_EXPIRED = Code(
    "boot-certificate-expired",
    "an authority that allows the program has run out",
    Severity.INFO,
    Question.ALLOWED,
    "With `assay boot check`, the validity of the certificates that a program is allowed by.",
    "Time has passed. Firmware does not look at dates, so that the program starts all the same; an"
    " authority that has run out signs nothing new.",
    "See to it that the machine has the successor (for Microsoft's authorities of 2011 those of"
    " 2023) before the next update of the boot loader, which only that one will sign.",
)

BOOT_AUTHORITY_MISSING = Code(
    "boot-authority-missing",
    "the machine has Microsoft's authority of 2011 and not its successor of 2023",
    Severity.INFO,
    Question.ALLOWED,
    "With `assay boot check`, whether db has the successor of each authority of Microsoft's in it.",
    "The machine has not had the update of db of 2023. Boot loaders that are signed from 2026 on"
    " will not start on it.",
    "Install the update of db (DBUpdate3P2023, DBUpdate2024) by the system's updater.",
)

BOOT_NOT_ENFORCED = Code(
    "boot-not-enforced",
    "the machine does not enforce Secure Boot",
    Severity.WARNING,
    Question.ALLOWED,
    "SecureBoot, SetupMode, SecureBootEnable and PK among the variables given, and MokSBState for"
    " what a shim starts.",
    "Secure Boot is switched off, no platform key is enrolled, or shim was told not to look."
    " Anything starts then; the answer is what would be if it were on.",
    "Switch Secure Boot on in the firmware's setup (mokutil --enable-validation for shim).",
)

BOOT_NO_DATABASE = Code(
    "boot-no-database",
    "there is no db to check against",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the files given with --firmware have what allows programs (db).",
    "The store is empty (no keys are enrolled), or only dbx was given.",
    "Give the variables of the machine: its efivarfs, its variable store, or db.esl.",
)

BOOT_NOTHING_FOUND = Code(
    "boot-nothing-found",
    "there is no program to start in the image",
    Severity.ERROR,
    Question.CHECKED,
    "The files of the image for programs in the PE format.",
    "The wrong partition or directory was given, or an image whose file system is not read.",
    "Give the EFI system partition, the whole disk, or the program itself.",
)

BOOT_PROGRAM_UNREADABLE = Code(
    "boot-program-unreadable",
    "a program could not be checked",
    Severity.ERROR,
    Question.CHECKED,
    "Whether each file that is called as a program (.efi) is one, and can be read to its end.",
    "The file was damaged or replaced, is on a medium with errors, or is in a part of the image"
    " that could not be read.",
    "Copy the image again, or put the program back from its publisher; take away what is none.",
)

BOOT_UPDATE_REFUSED = Code(
    "boot-update-refused",
    "the machine would not take the update",
    Severity.WARNING,
    Question.ALLOWED,
    "For a signed update among the files of --firmware: that it is of the database it is given for,"
    " signed below KEK or PK of the machine, and newer than what it replaces.",
    "The update is for machines with another key (Microsoft signs with keys of 2011 and of 2023),"
    " is an old one, or was damaged. The answer is as if it had not been given.",
    "Get the update that is signed by a key that the machine has, or update KEK first.",
)

BOOT_VARIABLE_UNREADABLE = Code(
    "boot-variable-unreadable",
    "a variable that decides what may boot cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "The content of PK, KEK, db, dbx, MokList, MokListX and SbatLevel, and whether each is there"
    " once.",
    "The file is damaged, was put together by hand, or is something else.",
    "Read the variable out again.",
)
