"""Codes about private keys, and about signatures that are made with them."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

PRIVATE_KEY_MALFORMED = Code(
    "private-key-malformed",
    "the private key cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the file holds a private key of a known kind, and whether its parts belong together.",
    "The wrong file, a public key, or a damaged one.",
    "Give a private key in PEM, of cosign, or of minisign. `assay key generate` makes one.",
)

PRIVATE_KEY_UNSUPPORTED = Code(
    "private-key-unsupported",
    "the private key is of a kind that Assay does not sign with",
    Severity.ERROR,
    Question.CHECKED,
    "The kind of the key, and how it is encrypted, against what Assay knows.",
    "A key for encryption, of an uncommon kind, or with an encryption whose cost is out of bounds.",
    "Sign with a key of one of the kinds that `assay key generate --help` lists.",
)

PASSPHRASE_WRONG = Code(
    "passphrase-wrong",
    "the passphrase does not open the private key",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the key decrypts with the passphrase given, and is what its check value says.",
    "Another passphrase, one with blanks around it that do not belong to it, or a damaged file.",
    "Give the passphrase that the key was made with: --passphrase env:NAME, fd:NUMBER or file:PATH,"
    " or type it when asked.",
)

PRIVATE_KEY_EXPOSED = Code(
    "private-key-exposed",
    "others on this machine can read the private key",
    Severity.ERROR,
    Question.CHECKED,
    "The permissions of the file with the private key: nobody but its owner may read or change it.",
    "A key that was copied, unpacked or checked out without its permissions.",
    "Take the permissions away (chmod 600 FILE). If others may have read it, make a new key and"
    " tell those who trust the old one.",
)

SIGNING_FAILED = Code(
    "signing-failed",
    "the signature that was made does not match what it is over",
    Severity.ERROR,
    Question.CHECKED,
    "Each signature is checked with the public key before it is handed out.",
    "Faulty hardware, or a private key whose parts do not belong together.",
    "Sign again, on another machine if it happens twice. Nothing was written.",
)

TIMESTAMP_REFUSED = Code(
    "timestamp-refused",
    "no usable time stamp was obtained",
    Severity.ERROR,
    Question.CHECKED,
    "The answer of the authority that --timestamp-url names: that it grants a time stamp, of this"
    " very signature and request, made by itself or by the authority given with --tsa-ca.",
    "The authority does not serve this kind of request, its certificate is not below the one"
    " given, or something in between answers with an old time stamp.",
    "Check the URL, and get the certificate of the authority that belongs to it. Nothing was"
    " signed: run the command again.",
)
