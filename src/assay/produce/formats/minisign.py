"""minisign signatures (minisign(1), "Signature format"), prehashed."""

from __future__ import annotations

import base64

from assay.model.finding import UsageError
from assay.model.measurement import HashRequest, Request
from assay.produce.formats.model import (
    Answers,
    SignatureFormat,
    Wishes,
    only_ed25519,
    without_choice,
)
from assay.produce.signing_key import SigningKey
from assay.signatures.ed25519_lines import UNTRUSTED

_REQUEST = HashRequest("blake2b")
_LONGEST = 8192
"""Characters of a comment; minisign reads no longer line."""


class _Minisign:
    name = "minisign"
    suffix = ".minisig"
    about = "for minisign -V (Ed25519 keys)"

    def misfit(self, key: SigningKey) -> str:
        return only_ed25519(key, self.name)

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        without_choice(wishes, "minisign")
        _comment("", wishes)
        return (_REQUEST,)

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        signature = key.sign_bytes(answers[_REQUEST])
        comment = _comment(label, wishes)
        bound = key.sign_bytes(signature + comment)
        return b"%s signature from assay\n%s\ntrusted comment: %s\n%s\n" % (
            UNTRUSTED,
            base64.b64encode(b"ED" + key.number + signature),
            comment,
            base64.b64encode(bound),
        )


def _comment(label: str, wishes: Wishes) -> bytes:
    """What the signature says of itself: the time and the file's name, unless told otherwise."""
    if wishes.comment is None:
        name = "".join(char if char.isprintable() else "?" for char in label)
        text = f"timestamp:{wishes.seconds}\tfile:{name}\thashed"
    else:
        text = wishes.comment
        if len(text) > _LONGEST or any(char in text for char in "\r\n\0"):
            raise UsageError(f"--trusted-comment: one line of at most {_LONGEST} characters")
    return text.encode("utf-8", "replace")


FORMAT: SignatureFormat = _Minisign()
