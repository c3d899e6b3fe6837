"""Codes about anchors, keys and signatures, whatever the scheme."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

NO_ANCHOR = Code(
    "no-anchor",
    "nothing was given to trust",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the user gave at least one anchor: a digest, a checksum file, a key, a certificate, a"
    " baseline.",
    "Without an anchor an image can only be compared with itself. Anyone can make an image that"
    " agrees with itself.",
    "Give an anchor, for instance --digest sha256:..., --checksums FILE or --key FILE, that reached"
    " you by another way than the image.",
)

NOT_VOUCHED = Code(
    "not-vouched",
    "no anchor of this kind vouches for the image as a whole",
    Severity.ERROR,
    Question.AUTHENTIC,
    "For each kind of anchor given, whether one of that kind leads, by valid signatures and"
    " satisfied claims, to every part that makes up the image.",
    "There is no signature, it was made by another key, or it covers only a part of the image. The"
    " detail and the other findings say which.",
    "Check that the signature or checksum file belongs to this version of the image, and that the"
    " key is the publisher's current one.",
)

PARTLY_VOUCHED = Code(
    "partly-vouched",
    "only some platforms of the image are vouched for",
    Severity.ERROR,
    Question.AUTHENTIC,
    "For each platform that can be run, whether an anchor vouches for it: for itself, or for an"
    " index that it is in.",
    "Only some of the platforms were signed, or platforms were added after signing; the index that"
    " lists them is not signed itself.",
    "Ask the publisher to sign the index, which covers all that is in it, or each platform. Where"
    " only one platform is ever run, name it with --platform, and run it by its digest.",
)

PARTS_NOT_VOUCHED = Code(
    "parts-not-vouched",
    "some parts of the image are not vouched for",
    Severity.ERROR,
    Question.AUTHENTIC,
    "For each of the parts that make up what was given (the modules in a directory), whether an"
    " anchor vouches for it.",
    "Some carry no signature, were changed, or were signed by someone else. Other findings say of"
    " each of them why.",
    "Get these parts again from their publisher, or remove them.",
)

NO_SIGNATURE = Code(
    "no-signature",
    "a key was given, and no signature was found",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether any signature exists for the image, in it, beside it, or given with --signature.",
    "The publisher does not sign, the signature file was not downloaded, or it has a name that is"
    " not looked for.",
    "Download the signature beside the image, or name it with --signature FILE.",
)

WRONG_KEY = Code(
    "wrong-key",
    "the signature was made by a key that was not given",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The key that the signature names against the keys given.",
    "The publisher has changed keys, you have the key of someone else, or someone else signed the"
    " image.",
    "Get the publisher's current key from a source that you trust, never from beside the download.",
)

WRONG_IDENTITY = Code(
    "wrong-identity",
    "the signature is right, and its maker is not who was asked for",
    Severity.WARNING,
    Question.AUTHENTIC,
    "The names that the signer's certificate or key proves, and who issued it, against the"
    " identities given. A name has to match in full.",
    "Someone else whom the same authority knows signed the image, the publisher signs under"
    " another name now (a renamed workflow or branch), or the name given is not the whole name.",
    "Compare the name found with the one that the publisher announces, in full. Ask the publisher"
    " before you accept another one.",
)

SIGNATURE_INVALID = Code(
    "signature-invalid",
    "the signature does not match the bytes",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature against the bytes that it should cover, with the key that it names.",
    "The signed bytes were changed or damaged after signing, or signature and file belong to"
    " different versions. Where a signature names no key, a wrong key looks the same.",
    "Get both again from the publisher. If it stays so, treat the file as tampered with.",
)

SIGNATURE_MALFORMED = Code(
    "signature-malformed",
    "the signature cannot be read",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The structure of the signature against its specification, strictly.",
    "A damaged or truncated signature file, or a web page saved in its place.",
    "Download the signature again.",
)

KEY_MALFORMED = Code(
    "key-malformed",
    "the key cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the key file holds a public key, certificate or secret of a known kind.",
    "The wrong file, a private key, or a damaged one.",
    "Give a public key in PEM, OpenPGP, minisign, signify or SSH form. A raw secret is given as"
    " secret:FILE, secret:env:NAME or secret:fd:NUMBER.",
)

KEY_EXPIRED = Code(
    "key-expired",
    "the key or certificate was not valid at the time of the check",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The validity of key, certificate and signature against the effective time (--at, or now).",
    "The key has run out and the publisher has a newer one; or the clock of this machine is wrong.",
    "Get the publisher's current key and a signature made with it.",
)

SIGNATURE_EXPIRED = Code(
    "signature-expired",
    "the signature is past the date that its maker set",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature's own expiry against the effective time.",
    "An old release whose signature was meant to lapse, or a replay of one.",
    "Get the current release and its signature.",
)

SIGNATURE_IN_FUTURE = Code(
    "signature-in-future",
    "the signature says it was made after the time of the check",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The signature's creation time against the effective time.",
    "A wrong clock here or at the signer, or an effective time (--at) before the release.",
    "Check the clock, or the --at value.",
)

KEY_REVOKED = Code(
    "key-revoked",
    "the key or certificate has been revoked",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Revocation statements found with the key or given with it; for certificates, revocation lists"
    " and the answers of responders.",
    "The owner declared the key lost, stolen or replaced.",
    "Do not use what it signed. Get the owner's new key from a source that you trust.",
)

WEAK_SIGNATURE = Code(
    "weak-signature",
    "the signature uses an algorithm that can be forged",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Digest and key algorithms of the signature against a floor: no MD5, no SHA-1, RSA at least"
    " 2048 bits.",
    "An old key or old signing software.",
    "Ask the publisher for a signature with current algorithms.",
)

KEY_NOT_PERMITTED = Code(
    "key-not-permitted",
    "the key or certificate may not sign this kind of thing",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Key flags, key usage, extended key usage, and namespaces against what is signed.",
    "A key made for another purpose (encryption, web server, e-mail), or a signature moved from one"
    " use to another.",
    "Ask the publisher to sign with a key for signing releases.",
)

SIGNATURE_UNSUPPORTED = Code(
    "signature-unsupported",
    "the signature is of a kind that Assay cannot check",
    Severity.ERROR,
    Question.CHECKED,
    "The signature's version and algorithms against what Assay knows.",
    "An experimental or obsolete kind of signature.",
    "Ask the publisher for a signature of a common kind.",
)

SIGNATURE_UNCHECKED = Code(
    "signature-unchecked",
    "a signature could not be checked",
    Severity.WARNING,
    Question.CHECKED,
    "Whether what it signs could be read and measured.",
    "What it signs is missing, unreadable, or too large for the scheme.",
    "Mend the other findings first.",
)

MAC_INVALID = Code(
    "mac-invalid",
    "the message authentication code does not match the bytes",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The code computed from the bytes and the shared secret against the one given.",
    "The bytes were changed, the secret is another one, or it was stored with a line feed at its"
    " end that does not belong to it.",
    "Check that both sides use the same secret, byte for byte. If they do, treat the file as"
    " tampered with.",
)

KEY_SHORT = Code(
    "key-short",
    "the key is of the shortest length that is still accepted",
    Severity.INFO,
    Question.AUTHENTIC,
    "The length of the RSA key against 3072 bits, which current guidance asks of keys in use"
    " beyond 2030.",
    "A key made some years ago.",
    "Ask the publisher to move to a key of 3072 bits or more, or to Ed25519 or ECDSA.",
)

USER_PRESENCE_MISSING = Code(
    "user-presence-missing",
    "nobody touched the security key that made the signature",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The user presence flag that a FIDO security key signs, unless no-touch-required is set for"
    " the key in the allowed signers file or in its certificate.",
    "Software on the signer's machine made the signature on its own, which a stolen session can do"
    " as well.",
    "Ask the signer to sign again with a touch.",
)

SIGNER_NOT_PERMITTED = Code(
    "signer-not-permitted",
    "the key is known, and may not vouch for this",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The namespaces and principals of the entry for the key or authority against the signature and"
    " its certificate.",
    "The signature was made for a purpose that the entry does not permit (git, e-mail), or a"
    " certificate names other people than its authority may vouch for.",
    "Ask the right signer for a signature made for this purpose.",
)

OUTSIDE_SIGNATURE = Code(
    "outside-signature",
    "text outside the signed block of a document was ignored",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether anything stands before or after the signed part of a document that carries its own"
    " signature.",
    "A note by whoever published it, or lines that someone added: the signature does not cover"
    " them.",
    "Look at the text outside of the block. If it says anything that matters, get the document"
    " again from its publisher.",
)

CERTIFICATE_AS_KEY = Code(
    "certificate-as-key",
    "the key is that of a certificate, which was not judged",
    Severity.INFO,
    Question.AUTHENTIC,
    "Whether the file given with --key is a certificate. Only its public key was used.",
    "A certificate was given as a key on purpose, as is usual for self-signed ones, or it was meant"
    " to be checked against an authority.",
    "Where the certificate's dates, names and issuer should count, give the authority's certificate"
    " with --ca.",
)
