"""Codes about unified kernel images, and the signatures of PCR values in them."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_BUILD_AGAIN = (
    "Get the image again from its publisher. If it stays so, have it built again with ukify, and do"
    " not boot it before that."
)
_SIGN_AGAIN = (
    "Get the image again from its publisher. If it stays so, have the PCR values signed again"
    " (ukify, systemd-measure) after everything else is in place."
)

UKI_SECTION_REPEATED = Code(
    "uki-section-repeated",
    "a section is in the unified kernel image twice",
    Severity.ERROR,
    Question.INTACT,
    "That each section is there once: in the base profile, and in each other profile.",
    "Programs differ in which of the two they use, so that one is shown and the other one booted.",
    _BUILD_AGAIN,
)

UKI_SECTION_UNSIGNED = Code(
    "uki-section-unsigned",
    "a section lies where no signature of the program covers it",
    Severity.ERROR,
    Question.INTACT,
    "The bytes of each section against those that an Authenticode signature is over.",
    "Somebody made the headers name bytes that may be changed after signing.",
    _BUILD_AGAIN,
)

UKI_SECTION_INCOMPLETE = Code(
    "uki-section-incomplete",
    "a section is longer in memory than in the file",
    Severity.ERROR,
    Question.INTACT,
    "The size of each section in memory against its bytes in the file.",
    "What is booted and measured is more than what the file has there; or the file is damaged.",
    _BUILD_AGAIN,
)

UKI_SECTIONS_OVERLAP = Code(
    "uki-sections-overlap",
    "two sections are at the same place in memory",
    Severity.ERROR,
    Question.INTACT,
    "The places in memory that the section table gives to the sections.",
    "A build that gave no place of its own to what it added (objcopy), or someone who wants one"
    " section to be shown and another one to be booted.",
    _BUILD_AGAIN,
)

UKI_SECTION_NOT_MEASURED = Code(
    "uki-section-not-measured",
    "the boot stub does not measure a section",
    Severity.INFO,
    Question.INTACT,
    "The sections against those that a stub of this version measures into PCR 11.",
    "The stub is older than the section, so that PCR 11 says nothing about it. The signature of the"
    " program covers it all the same.",
    "Nothing has to be done, unless a secret is bound to PCR 11 and depends on the section; then"
    " build the image with a current stub.",
)

PCR_VALUES = Code(
    "pcr-values",
    "what a boot of this image puts into PCR 11",
    Severity.INFO,
    Question.INTACT,
    "Nothing is compared: the value is computed from the sections and the phases of the boot.",
    "A machine that boots this image without anything added to it has these values.",
    "Nothing has to be done.",
)

PCR_SIGNATURE_MALFORMED = Code(
    "pcr-signature-malformed",
    "the signatures of PCR values cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "The sections .pcrsig (JSON by UAPI.5) and .pcrpkey (a public key in PEM).",
    "The image was built with the wrong files, or is damaged.",
    _SIGN_AGAIN,
)

PCR_SIGNATURE_OTHER_VALUES = Code(
    "pcr-signature-other-values",
    "a signature in .pcrsig is for other PCR values than this image has",
    Severity.ERROR,
    Question.INTACT,
    "Each signed policy against those that ask for PCR 11 as this image makes it, after each phase"
    " of the boot, and those given with --pcr-phase.",
    "A section was changed after the values were signed, the signatures are of another image, or"
    " they were made for phases of their own.",
    _SIGN_AGAIN + " Where it was signed for phases of your own, name these with --pcr-phase.",
)

PCR_SIGNATURE_INVALID = Code(
    "pcr-signature-invalid",
    "a signature in .pcrsig is not by the key that it names",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Each signature against the key in .pcrpkey, where it names that key.",
    "The section was put together by hand, or is damaged.",
    _SIGN_AGAIN,
)

PCR_SIGNATURE_OTHER_KEY = Code(
    "pcr-signature-other-key",
    "no signature in .pcrsig is by the key in .pcrpkey",
    Severity.ERROR,
    Question.INTACT,
    "The fingerprints that the signatures name against that of the key in .pcrpkey.",
    "The sections are from two builds. Secrets that are bound to the key cannot be unlocked.",
    _SIGN_AGAIN,
)

PCR_SIGNATURE_UNCHECKED = Code(
    "pcr-signature-unchecked",
    "signatures for the bank sha1 were not checked",
    Severity.INFO,
    Question.AUTHENTIC,
    "Nothing: they are made by SHA-1, so that others can be made to pass for them.",
    "The image serves machines whose TPM has no other bank.",
    "Nothing has to be done here. Bind secrets to a bank of SHA-256 or better.",
)

PCR_SIGNATURE_MISSING = Code(
    "pcr-signature-missing",
    "no PCR values are signed by the key that was given",
    Severity.ERROR,
    Question.AUTHENTIC,
    "With --pcr-key, whether signatures in .pcrsig are by that key and for this image.",
    "The image was built without signed PCR values, or by somebody else.",
    "Get the publisher's current key, or the image that was signed with it, from a source that you"
    " trust.",
)

PCR_SIGNATURE_AGREES = Code(
    "pcr-signature-agrees",
    "the signatures in .pcrsig are for this image, by the key in .pcrpkey",
    Severity.INFO,
    Question.INTACT,
    "Each signed policy against PCR 11 as this image makes it, and each signature against"
    " .pcrpkey.",
    "Secrets that are bound to this key are unlocked after these phases. The key stands in the"
    " image itself: who it is of, only --key can say.",
    "Nothing has to be done.",
)
