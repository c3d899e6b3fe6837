"""Codes about UEFI variables, signature lists and signed updates of them."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_FROM_THE_SOURCE = (
    "Get the file again from whoever made it: the firmware's vendor, Microsoft's"
    " secureboot_objects, or the program that wrote it. Do not enrol it as it is."
)

UEFI_SIGNATURE_LIST = Code(
    "uefi-signature-list",
    "a signature list is not as it has to be",
    Severity.ERROR,
    Question.INTACT,
    "The lengths of each EFI_SIGNATURE_LIST against each other, the size that its type asks for,"
    " and the bytes at hand.",
    "The file is cut short or damaged; or it was made so that two readers find different entries in"
    " it, one of which misses a revocation.",
    _FROM_THE_SOURCE,
)

UEFI_ENTRY_UNREADABLE = Code(
    "uefi-entry-unreadable",
    "a certificate in a signature list cannot be read",
    Severity.WARNING,
    Question.INTACT,
    "Each X.509 entry of a signature list as a certificate in DER.",
    "The entry is damaged, or it is no certificate. Firmware passes such entries over, so that what"
    " it was to allow or to revoke stays as it is.",
    "Find out which certificate was meant, by the owner and by what stands beside it, and have the"
    " list made again.",
)

UEFI_UPDATE_MALFORMED = Code(
    "uefi-update-malformed",
    "the signed update of a variable cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "EFI_VARIABLE_AUTHENTICATION_2: a time, and a WIN_CERTIFICATE_UEFI_GUID with a PKCS#7"
    " signature, whose length agrees with the file.",
    "The file is cut short, or is something else; or its lengths were changed after signing.",
    _FROM_THE_SOURCE,
)

UEFI_UPDATE_TIME = Code(
    "uefi-update-time",
    "the time of a signed update is none",
    Severity.ERROR,
    Question.INTACT,
    "The time in front of the update: a date of the calendar, and zero in fields that have to be.",
    "The tool that made it does not keep to the specification, or the file is damaged. Firmware"
    " refuses it.",
    "Ask the publisher for an update made anew.",
)

UEFI_UPDATE_FOREIGN = Code(
    "uefi-update-foreign",
    "the signature of the update fits none of the variables that are protected",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature over name, vendor and attributes of db, dbx, KEK, PK, dbt and dbr in turn, each"
    " to be replaced and to be added to, followed by the time and the new content.",
    "The content, the time or the signature was changed after signing; the signature was taken from"
    " another update; or it is of a variable of the vendor's own.",
    "Get the update again from its publisher. If it stays so, ask for one that is signed anew;"
    " firmware refuses this one.",
)

UEFI_STORE_MALFORMED = Code(
    "uefi-store-malformed",
    "the variable store is not as it has to be",
    Severity.ERROR,
    Question.INTACT,
    "The headers of the firmware volume, of the variable store and of each variable, against each"
    " other and the size of the file.",
    "The file is cut short or damaged, or is of firmware that keeps its variables in another way.",
    "Read the variables out again, or take the file that came with the firmware.",
)

UEFI_STORE_REST = Code(
    "uefi-store-rest",
    "something follows the volume with the variables",
    Severity.INFO,
    Question.INTACT,
    "Whether the file ends with the volume that holds the variables.",
    "It is a whole firmware image, with the code behind the variables.",
    "Nothing has to be done where only the variables matter.",
)

UEFI_ATTRIBUTES = Code(
    "uefi-attributes",
    "a variable that has to be protected is not",
    Severity.ERROR,
    Question.INTACT,
    "Whether PK, KEK, db, dbx, dbt and dbr have the attributes that the specification gives them:"
    " kept, and changed by signed updates only.",
    "The store was written by hand or by an old tool. Firmware may ignore the variable, and then"
    " nothing is revoked, or anyone may change it.",
    "Write the variable again with a tool that sets NV, BS, RT and AT, or enrol it by firmware.",
)

UEFI_VENDOR_CERTIFICATES = Code(
    "uefi-vendor-certificates",
    "the vendor certificates of the shim cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "The section .vendor_cert: lengths and offsets against its size, and a certificate or signature"
    " lists where they point.",
    "The shim was built with something else in that section, or is damaged.",
    "Get the shim again from its publisher.",
)

UEFI_DUMP_MALFORMED = Code(
    "uefi-dump-malformed",
    "the dump of variables cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "The JSON against what virt-fw-vars writes: version 2, and a list of variables.",
    "It was cut short or edited by hand, or another version of the program wrote it.",
    "Write the dump again.",
)
