"""Codes about signatures of the Notary Project."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

CRITICAL_HEADER_UNKNOWN = Code(
    "critical-header-unknown",
    "the signature demands something that Assay does not know",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether every header that the signer marked critical is one that Assay heeds.",
    "The signer's software adds conditions of its own (a plug-in of a signing service, a later"
    " version of the format), which a verifier must not pass over.",
    "Ask the publisher for a signature without that header, or verify with software that knows it.",
)

CERTIFICATE_CHAIN_INCOMPLETE = Code(
    "certificate-chain-incomplete",
    "the certificates in the signature do not lead from the signer up to a root",
    Severity.ERROR,
    Question.AUTHENTIC,
    "That the certificates stand in order, each signed by the next, from the signer's to one that"
    " is signed by itself.",
    "The signer's software left certificates out, put them in another order, or someone edited"
    " the list, which is not signed.",
    "Ask the publisher to sign with the whole chain of certificates.",
)

TIMESTAMP_REQUIRED = Code(
    "timestamp-required",
    "a time stamp is asked for, and none proves when the signature was made",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether a time stamp (RFC 3161) of a time stamping authority that the policy names is in the"
    " signature.",
    "The publisher signs without time stamps, or with those of another authority.",
    "Ask the publisher for a signature with a time stamp of an authority that the policy names.",
)

SIGNING_SCHEME_MISMATCH = Code(
    "signing-scheme-mismatch",
    "the signature is of a signing scheme that nothing is trusted for",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The signing scheme in the signature (notary.x509 or notary.x509.signingAuthority) against the"
    " kinds of trust stores that the policy names.",
    "The signature was made by a signing authority, whose word on the time counts, and only"
    " ordinary authorities are trusted; or the other way round.",
    "Find out from the publisher how the image is signed, and compare it with the policy.",
)
