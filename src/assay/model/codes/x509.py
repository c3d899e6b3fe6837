"""Codes about certificates, paths between them and their revocation (RFC 5280)."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

CERTIFICATE_MALFORMED = Code(
    "certificate-malformed",
    "a certificate cannot be read",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The certificate against X.509 version 3 (RFC 5280), in strict DER.",
    "A damaged file, or software that writes certificates in a form that others read differently.",
    "Get the certificate again from its owner. If it stays so, ask for one that is well formed.",
)

UNKNOWN_ISSUER = Code(
    "unknown-issuer",
    "no path leads from the signer's certificate to an authority given",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether certificates can be lined up, each signed by the next, from the signer's to one that"
    " was given with --ca.",
    "Another organisation signed the image; the authority was replaced; or a certificate between"
    " the two is missing from the signature.",
    "Compare the issuer named with the authority that the publisher announces. If a certificate in"
    " between is missing, give it with --ca-intermediate; that trusts nothing by itself.",
)

CERTIFICATE_NOT_YET_VALID = Code(
    "certificate-not-yet-valid",
    "a certificate was not valid yet at the time of the check",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The first moment of validity of each certificate of the path against the effective time.",
    "The clock of this machine, or --at, is before the certificate was issued; or a time stamp was"
    " made to look older than the certificate.",
    "Check the clock, or the --at value.",
)

NOT_AN_AUTHORITY = Code(
    "not-an-authority",
    "a certificate that may not issue others has issued one",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Basic constraints (cA) and key usage (keyCertSign) of every issuing certificate of the path.",
    "The holder of an ordinary certificate made further certificates with its key, which is the"
    " classic forgery; rarely an authority's certificate that was made without care.",
    "Do not use what was signed this way. Tell the authority.",
)

PATH_TOO_LONG = Code(
    "path-too-long",
    "more certificates stand between signer and authority than the authority allows",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The path length constraint of each issuing certificate, and Assay's own bound on the length.",
    "An authority that may only issue certificates to signers has made another authority.",
    "Ask the publisher for a signature whose certificates keep to what the authority allows.",
)

CERTIFICATE_SIGNATURE_INVALID = Code(
    "certificate-signature-invalid",
    "a certificate was not signed by the issuer that it names",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature of each certificate of the path, with the key of the certificate above it.",
    "The certificate was changed or made up, or two authorities have the same name (a new key under"
    " an old name, for one).",
    "Get the publisher's certificates, and the authority's, from a source that you trust.",
)

NAME_CONSTRAINT_VIOLATED = Code(
    "name-constraint-violated",
    "a certificate has a name that its authority may not certify",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Every name of every certificate of the path against the name constraints of the certificates"
    " above it (RFC 5280 section 4.2.1.10). Kinds of constraints that Assay does not know refuse.",
    "An authority went beyond what it is allowed to certify, by mistake or because it was misused.",
    "Do not use what was signed this way. Tell the authority that set the constraint.",
)

CRITICAL_EXTENSION_UNKNOWN = Code(
    "critical-extension-unknown",
    "a certificate demands something that Assay does not know",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether every extension that is marked critical is one that Assay heeds.",
    "A certificate for a special purpose, or an authority that requires certificate policies.",
    "Ask the publisher for a certificate for signing releases without that extension.",
)

REVOCATION_UNKNOWN = Code(
    "revocation-unknown",
    "whether a certificate was revoked cannot be told",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Once revocation lists are given (--crl), or others are asked (--revocation, a trust policy):"
    " whether there is a current list or answer about every certificate below the"
    " authority, signed by its issuer or for it, and of a kind that Assay knows.",
    "The list or answer is out of date, is of another issuer, or there is none. Withholding newer"
    " ones is also how a revoked certificate is kept in use.",
    "Download the current lists of all issuers in the path, and give each with --crl. If the"
    " issuer's own service serves what is out of date, tell its operator.",
)

REVOCATION_UNREACHABLE = Code(
    "revocation-unreachable",
    "who could say whether a certificate was revoked cannot be reached",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the OCSP responders and the places of revocation lists that a certificate names answer"
    " in time.",
    "An outage, a firewall, a proxy that is not configured here, or --offline. Cutting off the"
    " responder is also how a revoked certificate is kept in use.",
    "Try again; let this machine reach the host named. Without a network, fetch the issuers'"
    " current lists elsewhere and give each with --crl.",
)

OCSP_MALFORMED = Code(
    "ocsp-malformed",
    "the answer of an OCSP responder cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "The answer against the Online Certificate Status Protocol (RFC 6960), in strict DER.",
    "Something else than a responder answers at that address, or the responder declines to answer.",
    "Tell whoever operates the responder, and give the issuer's current list with --crl.",
)

CRL_MALFORMED = Code(
    "crl-malformed",
    "a revocation list cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "The file against X.509 certificate revocation lists version 2 (RFC 5280), in strict DER.",
    "A damaged download, or a web page saved in its place.",
    "Download the list again.",
)
