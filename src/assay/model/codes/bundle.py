"""Codes about offline bundles: files with everything that verifying an image takes."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

BUNDLE_MALFORMED = Code(
    "bundle-malformed",
    "the file is no offline bundle, or was put together by something else than Assay",
    Severity.ERROR,
    Question.CHECKED,
    "The archive (its names, order and sizes), the list in it, and that it holds what the list"
    " names and nothing else.",
    "The file is cut short or damaged, or somebody changed it. A bundle is written in one form"
    " only, so that no two programs can see different things in it.",
    "Get the bundle again from whoever made it, or make it again with `assay bundle`.",
)

BUNDLE_ENTRY_MISMATCH = Code(
    "bundle-entry-mismatch",
    "a part of the offline bundle is not what its list says",
    Severity.ERROR,
    Question.CHECKED,
    "The digest of each part against the list in the bundle.",
    "The file was damaged on its way, or somebody exchanged a part of it.",
    "Get the bundle again from whoever made it, or make it again with `assay bundle`.",
)

BUNDLE_STALE = Code(
    "bundle-stale",
    "the offline bundle is too old, or not valid yet",
    Severity.ERROR,
    Question.CHECKED,
    "The time of the check against the time at which the bundle was made, and how long it is to be"
    " used.",
    "What is in it (revocation lists, trusted roots, signatures) may have been overtaken since. A"
    " wrong clock looks the same.",
    "Make a new bundle where there is a network, and carry it over.",
)

BUNDLE_FOREIGN = Code(
    "bundle-foreign",
    "the offline bundle is about another image",
    Severity.ERROR,
    Question.CHECKED,
    "The digests by which the image is known against those of the image that the bundle was made"
    " for, the images for each platform in it included.",
    "The name stands for a newer image by now, or the wrong bundle was given.",
    "Make a bundle of this very image, or name the image by the digest that the bundle is about.",
)

BUNDLE_NOT_PINNED = Code(
    "bundle-not-pinned",
    "the offline bundle is not the one that was asked for",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The digest of the whole file against --bundle-digest, or its signature against --bundle-key.",
    "Another version of the bundle, or one that somebody exchanged; for a key: the signature is"
    " missing beside the file, or is by somebody else.",
    "Get the bundle, and its digest or signature, again from whoever made it.",
)

BUNDLE_TRUST_UNUSED = Code(
    "bundle-trust-unused",
    "what the offline bundle would have one trust was not trusted",
    Severity.INFO,
    Question.AUTHENTIC,
    "Whether the bundle holds keys, authorities, identities, trusted roots or revocation lists, and"
    " whether it was pinned.",
    "Whoever can hand you a bundle could put a key of their own into it. It is evidence; only what"
    " you name yourself is trusted.",
    "Name what you trust on the command line, or pin the bundle by its digest (--bundle-digest) or"
    " by the key of whoever made it (--bundle-key).",
)

BUNDLE_INCOMPLETE = Code(
    "bundle-incomplete",
    "something that belongs into the offline bundle could not be had",
    Severity.ERROR,
    Question.CHECKED,
    "Whether every manifest and configuration of the image, everything attached to it, and (with"
    " --with-content) every layer could be read, and has the digest that it is named by.",
    "The registry did not deliver it, or delivered other bytes. A bundle without it would look as"
    " if there were nothing.",
    "Try again. If it stays so, ask whoever operates the place that the image is in.",
)
