"""The bare value of a signature, as ``openssl dgst -sign`` and ``openssl pkeyutl -sign`` write."""

from __future__ import annotations

from assay.model.measurement import Request
from assay.produce.formats.model import Answers, SignatureFormat, Wishes, check_for
from assay.produce.signing_key import SigningKey


class _Raw:
    name = "raw"
    suffix = ".sig"
    about = "the bare value, as openssl writes it"

    def misfit(self, key: SigningKey) -> str:
        return ""

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        return (check_for(key, wishes).request,)

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        check = check_for(key, wishes)
        return key.sign(check, answers[check.request])


FORMAT: SignatureFormat = _Raw()
