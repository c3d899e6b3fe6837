"""Codes about OpenPGP certificates and signatures. Those common to all schemes are in `trust`."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

SIGNATURE_NOT_OF_A_FILE = Code(
    "signature-not-of-a-file",
    "the signature is about something else than a file",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The type of the OpenPGP signature (RFC 9580 section 5.2.1): only those over a binary file"
    " (0x00) or a text file (0x01) vouch for one.",
    "A certification of a key, a revocation or a time stamp was put where the signature of a file"
    " belongs, by mistake or to deceive.",
    "Get the signature of the file from the publisher. Do not use the file until you have it.",
)

SIGNATURE_BEFORE_KEY = Code(
    "signature-before-key",
    "the signature says it is older than the key that made it",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature's creation time against the one of the key.",
    "The clock of the signer's machine was wrong, or someone dated a signature back.",
    "Ask the publisher to sign again with a right clock.",
)

KEY_NOT_BOUND = Code(
    "key-not-bound",
    "the key does not belong to the certificate that it is in",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether the primary key signed itself and its user IDs, whether it signed the subkey as its"
    " own, and whether the subkey signed the primary key in return, each valid at the effective"
    " time.",
    "The key file was damaged, cut down too far or made by faulty software; or someone put a key"
    " of another person into a certificate of theirs, to take signatures for their own.",
    "Get the publisher's key again, whole, from a source that you trust.",
)

CRITICAL_UNKNOWN = Code(
    "critical-subpacket-unknown",
    "the signature carries a condition that Assay does not know",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Subpackets and notations that the signer marked as critical against those that Assay knows"
    " (RFC 9580 section 5.2.3.7).",
    "The signature is made for a special purpose, or by newer software, and its maker asked that"
    " nobody accepts it without understanding the condition.",
    "Ask the publisher for a signature without it, or for what it is meant for.",
)

DESIGNATED_REVOKER = Code(
    "designated-revoker",
    "another key may revoke the certificate",
    Severity.INFO,
    Question.AUTHENTIC,
    "Whether the certificate names keys that may revoke it in its stead (RFC 9580 section"
    " 5.2.3.23). A revocation by one of them is looked for in the key file.",
    "The publisher arranged for someone to revoke the key if it is lost.",
    "Refresh the key file from time to time, so that such a revocation is seen.",
)

REVOCATION_UNCHECKED = Code(
    "revocation-unchecked",
    "the certificate carries a revocation that cannot be checked",
    Severity.ERROR,
    Question.CHECKED,
    "Revocations that name a designated revoker of the certificate, with that revoker's key.",
    "The key that may revoke this certificate seems to have done so. Its own key was not given, so"
    " that nobody can tell here.",
    "Give the revoker's key as well. Until then treat the certificate as revoked.",
)
