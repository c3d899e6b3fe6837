"""Codes about trust policies."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

SIGNED_FOR_ANOTHER_NAME = Code(
    "signed-for-another-name",
    "the signature is right, and was made for an image of another name",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The name in the signed document (docker-reference) against the name that the image is used by,"
    " by the rule that the policy has for it.",
    "The image is used under another name than it was published by: from a mirror, or by another"
    " tag. Or someone passes off one image of the publisher as another: an old version, a test.",
    "Use the image by the name it was signed for. If a mirror renames images, have the policy say"
    " which names it stands for; for a copy in a file, say which name it is to have (--known-as).",
)

SIGNED_IN_ANOTHER_WAY = Code(
    "signed-in-another-way",
    "the signature is right, and not of the kind that the policy asks for",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Signatures of the image against the kind that the policy's requirements are about, where a key"
    " of theirs made the signature.",
    "The publisher has moved to cosign 3, whose bundles say no name that the image was signed for,"
    " and the policy is one that asks for the name (containers-policy.json).",
    "Ask the publisher for a signature that names the image (cosign sign --new-bundle-format=false,"
    " assay sign --format simple-signing).",
)

POLICY_REJECTS = Code(
    "policy-rejects",
    "the policy lets no such image in",
    Severity.ERROR,
    Question.ALLOWED,
    "The image's name against the scopes of the policy, of which the most specific one decides.",
    "Images from this place are not meant to be used here, or nobody has said yet who has to sign"
    " them.",
    "Use an image from a place that the policy knows. Whoever keeps the policy can add the"
    " publisher's key for this place.",
)

POLICY_ACCEPTS_ANYTHING = Code(
    "policy-accepts-anything",
    "the policy asks for nothing of such an image",
    Severity.WARNING,
    Question.ALLOWED,
    "Whether the requirements that apply to the image ask for a signature.",
    "The scope was opened for a time, or the policy is the one that a system came with, which"
    " checks nothing.",
    "Name the publisher's key in the policy, for the scope that the image is in.",
)

POLICY_NOT_CARRIED = Code(
    "policy-not-carried",
    "the policy asks for something that cannot be checked",
    Severity.ERROR,
    Question.CHECKED,
    "Each requirement that applies to the image against those that Assay knows.",
    "The policy is for a later version of the tool it was made for, or uses a kind of requirement"
    " that the tool itself reads and never lets pass.",
    "Ask whoever keeps the policy for a requirement of a known kind, such as a key.",
)

POLICY_NO_MATCH = Code(
    "policy-no-match",
    "no part of the policy is about this image",
    Severity.ERROR,
    Question.ALLOWED,
    "The image's name against the name patterns of every policy given. What no policy is about is"
    " not let in.",
    "The image is from a place that nobody has written a policy for yet, a pattern is narrower than"
    " it was meant (* does not cross / everywhere), or the image has no name in a registry.",
    "Use an image that a policy covers, or have whoever keeps the policy name who signs this one."
    " For a copy in a file, say which name it is to have (--known-as).",
)

ANNOTATION_MISSING = Code(
    "annotation-missing",
    "the signature is right, and lacks an annotation that is asked for",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The annotations in the signed document against those that are asked for.",
    "The image was signed for another purpose or stage, or before it had passed a check.",
    "Use an image that was signed with the annotation, or ask its publisher for such a signature.",
)

PREDICATE_UNMET = Code(
    "predicate-unmet",
    "the attestation is genuine, and does not say what is asked for",
    Severity.WARNING,
    Question.ALLOWED,
    "Values in the predicate of a trusted statement against the conditions of the policy.",
    "The image was built or checked in another way than the policy asks for, or the attestation is"
    " an old one.",
    "Find out from the attestation's maker why it says so, and use an image whose attestation"
    " meets the policy.",
)

ANCHOR_OUT_OF_FORCE = Code(
    "anchor-out-of-force",
    "the signature is right, and its signer's word does not count at that time",
    Severity.WARNING,
    Question.AUTHENTIC,
    "When the signature was made, as others than its maker prove, against the time in which the"
    " policy trusts the anchor, and against what the policy revokes.",
    "The key was rotated and this is an old signature, it was revoked after an incident, or it is"
    " not to be used yet. Without a proven time a signature counts as made now.",
    "Have the image signed again with the key that is in force. A publisher who adds time stamps"
    " to signatures lets them count after the key is retired.",
)
