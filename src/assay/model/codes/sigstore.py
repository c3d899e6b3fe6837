"""Codes about Sigstore: transparency logs, certificates for a moment, proven times."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

TRUSTED_ROOT_MALFORMED = Code(
    "trusted-root-malformed",
    "the trusted root cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "The JSON form of the trusted root, its keys and its certificates.",
    "The file is cut short, or is not a trusted root of a known version.",
    "Get the trusted root again from the instance that it belongs to, over a channel that you"
    " trust.",
)

TRUSTED_ROOT_MISSING = Code(
    "trusted-root-missing",
    "the signature is by an identity, and nothing was given to check identities with",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether a trusted root, or a certificate authority, was given for a signature whose signer is"
    " named by a certificate.",
    "Certificates of an identity are issued by an authority and live for minutes; without the"
    " authority's certificate, and the logs' keys, they show nothing.",
    "Give the trusted root of the instance that issued it with --trusted-root FILE.",
)

LOG_UNKNOWN = Code(
    "log-unknown",
    "a transparency log that is not in the trusted root speaks of the signature",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The identifier of the log in the signature's log entry against the logs of the trusted root.",
    "The signature is from another instance (a staging one, a private one) than the trusted root,"
    " or the trusted root is too old to know a new log.",
    "Get the trusted root of the instance that the publisher signs with, in its current version.",
)

LOG_PROOF_INVALID = Code(
    "log-proof-invalid",
    "the transparency log's proof does not hold",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The log's signature on its checkpoint or promise, and the hashes that lead from the entry to"
    " the checkpoint.",
    "The bundle was damaged or put together from several, or someone made a log entry up.",
    "Download the signature again. If it stays so, do not use the image and tell its publisher.",
)

LOG_PROOF_MISSING = Code(
    "log-proof-missing",
    "no transparency log is shown to have the signature",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether the signature comes with at least one entry of a transparency log.",
    "It was made without a log, or the entry was taken away. A signature by an identity is only as"
    " good as the log that lets the identity's owner see it.",
    "Ask the publisher for a signature with a log entry.",
)

LOG_NOT_WITNESSED = Code(
    "log-not-witnessed",
    "too few witnesses have seen what the transparency log shows",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The cosignatures on the log's checkpoint against the logs, witnesses and the quorum of the"
    " witness policy (--witness-policy).",
    "The bundle was made before its checkpoint was cosigned, or by a log that asks other witnesses."
    " A log that shows different trees to different people cannot have both cosigned.",
    "Ask the publisher for a bundle with a cosigned checkpoint. If the log should have one, tell"
    " its operator.",
)

LOG_ENTRY_MISMATCH = Code(
    "log-entry-mismatch",
    "the log entry is about another signature",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The body of the log entry against the signature, the signer's certificate or key, and the"
    " digest of what was signed.",
    "An entry of another signature was attached to this one, to borrow its time and its place in"
    " the log.",
    "Do not use the image. Get it and its signature from the publisher again.",
)

CERTIFICATE_NOT_LOGGED = Code(
    "certificate-not-logged",
    "no certificate log is shown to have the signer's certificate",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signed certificate timestamps in the certificate against the certificate logs of the"
    " trusted root.",
    "The authority issued the certificate in secret, or the trusted root is of another instance.",
    "Get the trusted root of the instance that the publisher signs with. If that does not help, do"
    " not use the image and tell its publisher.",
)

TIME_UNPROVEN = Code(
    "time-unproven",
    "nothing proves when the signature was made",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether a transparency log or a timestamp authority of the trusted root says when the"
    " signature existed.",
    "A certificate that lives for minutes is long expired; only a proven time shows that the"
    " signature was made while it was valid. The timestamp is missing, or is of an authority that"
    " the trusted root does not know.",
    "Ask the publisher for a signature with a timestamp of an authority in the trusted root.",
)
