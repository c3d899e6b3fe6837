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

POLICY_RULE_NOT_MET = Code(
    "policy-rule-not-met",
    "the image does not meet a rule of the policy",
    Severity.ERROR,
    Question.ALLOWED,
    "What the rule requires against what is known of the image. The finding names the rule and the"
    " requirement, and `assay policy explain` shows all values that were looked at.",
    "The image was not published in the way that the policy asks for: it lacks a signature, a"
    " statement or a scan, or is an old version. Or it is another image than it is taken for.",
    "Use an image that meets the rule, or have its publisher supply what is missing.",
)

POLICY_RULE_UNCHECKED = Code(
    "policy-rule-unchecked",
    "whether the image meets a rule of the policy could not be checked",
    Severity.ERROR,
    Question.CHECKED,
    "Whether everything was at hand that the requirement needs: a trusted time, the ledger, the"
    " anchors that it names, a library for conditions.",
    "Something that the rule needs was not given or could not be reached: the ledger, a time stamp,"
    " an SBOM to compare with. Or recorded facts are judged that do not hold it.",
    "Give what the finding says is missing, and check again. What could not be checked does not"
    " count as met.",
)

POLICY_NO_RULE = Code(
    "policy-no-rule",
    "no rule of the policy that is in force is about this image",
    Severity.ERROR,
    Question.ALLOWED,
    "The image's name, format, platforms and occasion against what each rule is about. What no rule"
    " is about is refused.",
    "The image is from a place that the policy does not know, a pattern is narrower than it was"
    " meant (* does not cross / everywhere), or the rules about it only warn, or are not in force"
    " yet.",
    "Use an image that the policy covers, or have whoever keeps the policy write a rule for this"
    " one. For a copy in a file, say which name it is to have (--known-as).",
)

POLICY_EXCEPTION_USED = Code(
    "policy-exception-used",
    "an exception lets the image through that does not meet a rule",
    Severity.WARNING,
    Question.ALLOWED,
    "The exceptions of the policy against the image and the time.",
    "Somebody decided that this image may be used for a time although it does not meet the rule."
    " The finding says who, why, and until when.",
    "See that what is missing is there before the exception ends.",
)

POLICY_EXCEPTION_EXPIRED = Code(
    "policy-exception-expired",
    "an exception about this image has expired",
    Severity.WARNING,
    Question.ALLOWED,
    "The end of each exception that fits the image against the time.",
    "The time that was given to put things right is over. The exception counts no more.",
    "Bring the image in line with the rules, and take the exception out of the policy.",
)

POLICY_BREAK_GLASS_USED = Code(
    "policy-break-glass-used",
    "rules were set aside in an emergency",
    Severity.WARNING,
    Question.ALLOWED,
    "Whether as many people as the policy asks for signed the image for the emergency, and whether"
    " the caller asked for it with a reason.",
    "Somebody let the image in although rules refuse it, with a second signer, as the policy"
    " provides for emergencies. It is on record with the reason and the signers.",
    "Look into it afterwards, and replace the image by one that meets the rules.",
)

POLICY_BREAK_GLASS_REFUSED = Code(
    "policy-break-glass-refused",
    "setting rules aside was asked for, and not granted",
    Severity.ERROR,
    Question.ALLOWED,
    "Whether as many people as the policy asks for signed the image for the emergency; and that the"
    " image is intact, since no emergency makes a broken image good.",
    "The second signature is missing, or the policy has no way out for this rule, or the image is"
    " damaged.",
    "Have the people whom the policy names for emergencies sign this very image.",
)

NO_GROUNDS = Code(
    "no-grounds",
    "the verdict does not hold what a policy is judged on",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the recorded verdict has its grounds: which anchors vouch for what.",
    "It was reached without a policy, or recorded by an earlier version.",
    "Verify the image again, with --policy or --record-facts.",
)

POLICY_ANCHOR_OUT_OF_FORCE = Code(
    "policy-anchor-out-of-force",
    "somebody vouches for it whose word does not count by this policy",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Each signature that was verified against the time in which the policy trusts its anchor, and"
    " against what the policy revokes. What was recorded is compared as well.",
    "The key was rotated or revoked after the image was verified, or the policy trusts it only from"
    " later on.",
    "Have the image signed again with a key that is in force.",
)

POLICY_DIGEST_REVOKED = Code(
    "policy-digest-revoked",
    "the policy revokes this very image, or a part of it",
    Severity.ERROR,
    Question.ALLOWED,
    "The digests of the image and of all its parts against those that the policy revokes.",
    "The image, or something in it, was found to be bad after it had been signed.",
    "Use another version. Where it is in use already, treat that as an incident.",
)

BY_POLICY = frozenset(
    code.name
    for code in (
        POLICY_ANCHOR_OUT_OF_FORCE,
        POLICY_DIGEST_REVOKED,
        POLICY_RULE_NOT_MET,
        POLICY_RULE_UNCHECKED,
        POLICY_NO_RULE,
        POLICY_EXCEPTION_USED,
        POLICY_EXCEPTION_EXPIRED,
        POLICY_BREAK_GLASS_USED,
        POLICY_BREAK_GLASS_REFUSED,
    )
)
"""What the policy of Assay itself says, and no fact that it could be judged on again."""
