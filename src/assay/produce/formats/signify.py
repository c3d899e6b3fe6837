"""signify signatures (signify(1)), over the file itself."""

from __future__ import annotations

import base64

from assay import limits
from assay.model.measurement import ContentRequest, Request
from assay.produce.formats.model import (
    Answers,
    SignatureFormat,
    Wishes,
    only_ed25519,
    without_choice,
)
from assay.produce.signing_key import SigningKey
from assay.signatures.ed25519_lines import UNTRUSTED

_REQUEST = ContentRequest(limits.CONTENT_IN_MEMORY)


class _Signify:
    name = "signify"
    suffix = ".sig"
    about = "for signify -V (Ed25519 keys)"

    def misfit(self, key: SigningKey) -> str:
        return only_ed25519(key, self.name)

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        without_choice(wishes, "signify")
        return (_REQUEST,)

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        value = b"Ed" + key.number + key.sign_bytes(answers[_REQUEST])
        return b"%s signature from assay\n%s\n" % (UNTRUSTED, base64.b64encode(value))


FORMAT: SignatureFormat = _Signify()
