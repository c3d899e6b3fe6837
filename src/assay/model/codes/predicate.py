"""Codes about what trusted statements say, and what was asked of them."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

PREDICATE_MALFORMED = Code(
    "predicate-malformed",
    "a trusted statement does not say what its kind has to say",
    Severity.ERROR,
    Question.ALLOWED,
    "The fields of the predicate against the specification of its type. The detail names the"
    " field.",
    "A tool that writes this kind of statement in another way, or an older version of it. The"
    " signature is right: whoever made the statement wrote it so.",
    "Tell the publisher which field is wrong, and ask for a corrected statement.",
)

STATEMENT_MISSING = Code(
    "statement-missing",
    "there is no trusted statement of a kind that is asked for",
    Severity.ERROR,
    Question.ALLOWED,
    "The statements about the image that somebody trusted has signed, by their predicate types.",
    "The publisher does not make this kind of statement, has not attached it to this image, or"
    " another key signed it than the ones given. The detail says which.",
    "Ask the publisher where the statement is, and by whom it is signed; name it with --attestation"
    " FILE if it is not beside the image.",
)

WRONG_BUILDER = Code(
    "wrong-builder",
    "the image was built by another builder",
    Severity.ERROR,
    Question.ALLOWED,
    "The builder's id in trusted provenance against the builders that are asked for.",
    "The image was built somewhere else than in the release pipeline, or the pipeline moved.",
    "Find out how the image was built. Ask the publisher before you accept another builder.",
)

BUILDER_NOT_PAIRED = Code(
    "statement-signer-not-paired",
    "the signer of the statement may not speak for whom it names",
    Severity.ERROR,
    Question.ALLOWED,
    "The builder, verifier, scanner or author that a trusted statement names, together with who"
    " signed the statement, against the pairs in the table of roles.",
    "Someone who is trusted for other things signed a statement in the name of a builder that is"
    " not theirs. Or the table lacks the identity that the builder signs with now.",
    "Compare the signer with the one that the builder documents. Treat the statement as false until"
    " you know why somebody else signed it.",
)

LEVEL_TOO_LOW = Code(
    "slsa-level-too-low",
    "the builder gives less assurance than is asked for",
    Severity.ERROR,
    Question.ALLOWED,
    "The level that the table of roles gives to the builder and its signer against the level asked"
    " for.",
    "The image was built on a less protected builder.",
    "Use an image that was built on a builder of that level.",
)

WRONG_SOURCE = Code(
    "wrong-source",
    "the image was built from another source",
    Severity.ERROR,
    Question.ALLOWED,
    "The source and its revision in trusted provenance against those that are asked for.",
    "A fork, a branch or a pull request was built, or the repository has moved.",
    "Find out what was built. Ask the publisher before you accept another source.",
)

WRONG_BUILD = Code(
    "wrong-build",
    "the image was built in another way",
    Severity.ERROR,
    Question.ALLOWED,
    "The build type and the external parameters in trusted provenance against those that are asked"
    " for.",
    "Another workflow, or one that was started by hand with other inputs.",
    "Compare the parameters found with those of a release build.",
)

WRONG_SUMMARY = Code(
    "wrong-summary",
    "the verification summary is not the one that is asked for",
    Severity.ERROR,
    Question.ALLOWED,
    "Verifier, resource, policy and levels in trusted verification summaries against those that are"
    " asked for.",
    "The image was verified as something else, by another verifier, or to a lower level.",
    "Have the image verified as what you use it for.",
)

STATEMENT_STALE = Code(
    "statement-stale",
    "the statement is too old, or does not say how old it is",
    Severity.ERROR,
    Question.ALLOWED,
    "The time in a trusted statement against the effective time and the greatest age that is asked"
    " for. A time in the future does not count.",
    "The image has not been scanned or verified for some time; or somebody keeps back newer"
    " statements; or the clock of this machine is wrong.",
    "Have the image scanned or verified again.",
)

TOO_VULNERABLE = Code(
    "vulnerability-too-severe",
    "a scan found a vulnerability that is worse than allowed",
    Severity.ERROR,
    Question.ALLOWED,
    "The severities in the latest trusted scan of each scanner, less those vulnerabilities that"
    " trusted exploitability statements (VEX) say do not affect this image.",
    "A known vulnerability in a package of the image. One whose severity is not known counts as"
    " worse than any limit below critical.",
    "Use an image with a fixed version of the package. If the image is not affected, its publisher"
    " can say so in a signed VEX statement.",
)
