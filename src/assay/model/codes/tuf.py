"""Codes about trusted roots that are kept up to date through TUF (The Update Framework)."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

_DO_NOT_USE = (
    "Do not use what it offers. If it stays so, tell whoever operates the repository; what was"
    " fetched before is kept, and is used again once the repository is in order."
)

TUF_EXPIRED = Code(
    "tuf-metadata-expired",
    "the metadata that the trusted root comes with has expired",
    Severity.ERROR,
    Question.CHECKED,
    "The expiry of each of root, timestamp, snapshot and targets against the time of the check.",
    "Without a network: the copy is too old to know whether its authorities and logs are still"
    " to be believed. With one: the repository's operator has not signed in time, or someone holds"
    " back what is new (a freeze attack). A wrong clock looks the same.",
    "Run `assay trust update` where there is a network, and carry the folders that `assay trust"
    " show` names to where there is none.",
)

TUF_ROLLBACK = Code(
    "tuf-rollback",
    "the repository of the trusted root offers something older than it did before",
    Severity.ERROR,
    Question.CHECKED,
    "The version of each metadata file, and the versions that it lists, against those that were"
    " seen before.",
    "A mirror that fell behind or was restored from a backup; or someone who wants a revoked"
    " authority or log to be believed again.",
    _DO_NOT_USE,
)

TUF_UNSIGNED = Code(
    "tuf-metadata-unsigned",
    "the metadata of the trusted root is not signed by those who have to sign it",
    Severity.ERROR,
    Question.CHECKED,
    "The signatures on each metadata file against the keys, and the number of them, that the root"
    " asks for; those on a new root also against the root before it.",
    "The repository belongs to another instance than the root file given for it, or someone who"
    " does not have the keys made metadata of their own.",
    "Check that the root file is the one of this repository. " + _DO_NOT_USE,
)

TUF_INCONSISTENT = Code(
    "tuf-metadata-inconsistent",
    "files of the trusted root's repository do not belong together",
    Severity.ERROR,
    Question.CHECKED,
    "The version, size and digest of each file against what the metadata above it says.",
    "A mirror in the middle of an update; an update that broke off and left a copy that is not"
    " complete; or someone who mixes files of different times (a mix-and-match attack).",
    "Run `assay trust update` again. " + _DO_NOT_USE,
)

TUF_MALFORMED = Code(
    "tuf-metadata-malformed",
    "what the repository of the trusted root offers cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "The form of each metadata file, and whether the repository has a trusted root at all.",
    "The address is that of something else than a TUF repository with a Sigstore trusted root, or"
    " what is there was damaged.",
    "Check the address. " + _DO_NOT_USE,
)

TUF_NEVER_FETCHED = Code(
    "tuf-never-fetched",
    "the trusted root was never fetched, and --offline forbids fetching it",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the copy that is kept on this machine has a trusted root in it.",
    "The instance was made known, and no update has succeeded since; or the copy was deleted.",
    "Run `assay trust update` where there is a network, and carry the folders that `assay trust"
    " show` names to where there is none.",
)

TUF_UNREACHABLE = Code(
    "tuf-unreachable",
    "the trusted root cannot be fetched, and no copy of it counts",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the repository of the trusted root answers, where there is no copy of it that is still"
    " valid. Without it no authority and no transparency log is known, so nothing that they say can"
    " be checked. The logs themselves are never asked: their proofs come with the signatures.",
    "An outage, a firewall, or a proxy that is not configured here.",
    "Try again; let this machine reach the repository; or run `assay trust update` where it can be"
    " reached, and carry the folders that `assay trust show` names here.",
)

TUF_NOT_REFRESHED = Code(
    "tuf-not-refreshed",
    "the trusted root could not be refreshed; the copy kept here was used",
    Severity.WARNING,
    Question.CHECKED,
    "Whether the repository of the trusted root answers. The copy is not expired, and was verified"
    " again.",
    "The repository, or the network, is down. Until the copy expires it counts.",
    "See to it that the repository can be reached before the copy expires.",
)

TUF_FROM_COPY = Code(
    "tuf-offline-copy",
    "the trusted root is the copy kept here",
    Severity.INFO,
    Question.CHECKED,
    "How long ago the copy was last compared with its repository, and until when it counts. No"
    " connection was made.",
    "As asked by --offline.",
    "Nothing needs to be done until it expires.",
)
