"""Codes about CMS and PKCS#7 signatures (RFC 5652) and time stamps (RFC 3161)."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

SIGNER_CERTIFICATE_MISSING = Code(
    "signer-certificate-missing",
    "the certificate of the signer is not at hand",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether the certificate that the signature names (by issuer and serial number, or by key"
    " identifier) is in the signature or was given.",
    "The signature was made without certificates, as those of kernel modules are.",
    "Give the signer's certificate: with --key to trust it by itself, or with --ca-intermediate to"
    " have its path to --ca checked.",
)

SIGNED_ATTRIBUTES_INVALID = Code(
    "signed-attributes-invalid",
    "the signed attributes are not what a signature has to have",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signed attributes against RFC 5652 section 11: content type and message digest exactly"
    " once, no attribute twice, in DER order, the signer's certificate and the algorithms as"
    " they are outside.",
    "The signature was put together from parts of others, or made by software that does not keep"
    " to the specification.",
    "Get the signature again. If it stays so, ask the publisher to sign with other software.",
)

ALGORITHM_DISAGREEMENT = Code(
    "algorithm-disagreement",
    "the signature names its algorithms in two different ways",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The digest algorithm of the signer against that of the signature algorithm and of the list at"
    " the head of the signature, and the signature algorithm against the key.",
    "Someone edited the signature to have it checked with a weaker algorithm, or the software that"
    " made it is wrong.",
    "Get the signature again. If it stays so, ask the publisher to sign with other software.",
)

TIMESTAMP_INVALID = Code(
    "timestamp-invalid",
    "a time stamp proves nothing",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The time stamp token against RFC 3161: its signature, what it was made over, the path of the"
    " authority's certificate and its purpose.",
    "The time stamp belongs to another signature, was changed, or its authority is not one of those"
    " given with --tsa-ca.",
    "Compare the time stamping authority with the one that the publisher announces. Without a time"
    " stamp, validity is judged at the effective time.",
)
