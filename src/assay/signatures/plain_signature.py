"""A signature by plain keys over a document, whatever file it came in: which keys made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from assay.crypto.algorithms import EdDsa, MlDsa, RsaPkcs1, digest_of
from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.model.codes import trust as codes
from assay.model.finding import Finding
from assay.model.measurement import Request
from assay.model.signature import Key, Signature, SignatureOutcome, Status
from assay.signatures import plain_keys
from assay.signatures.trial import Trial
from assay.signatures.ways import DEMAND, Misfit, Way, ways


class PlainSignature:
    """One or more signatures over the same bytes. Nothing in the file says for certain which key
    made which, so every key is tried on each; every key that made one of them vouches."""

    def __init__(
        self,
        signature: Signature,
        what: str,
        described: str,
        values: Sequence[Sequence[bytes]],
        prefix: bytes = b"",
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """``what`` is the kind of signature, ``described`` says more of this one, for people.
        ``values`` has for each signature what its bytes may be (see `ways`); ``prefix`` is
        signed before the document; ``notes`` are signed as well."""
        self.signature = signature
        self._what = what
        self._described = described
        self._values = values
        self._prefix = prefix
        self._notes = dict(notes or {})

    def _ways(self, key: Key) -> list[Way] | Misfit:
        demand = key.demands.get(DEMAND, "")
        found = [ways(key.material, values, demand, self._prefix) for values in self._values]
        usable = [way for some in found if isinstance(some, list) for way in some]
        misfits = [some for some in found if isinstance(some, Misfit)]
        told = [misfit for misfit in misfits if misfit.code is not None]
        return usable or next(iter(told or misfits), Misfit("there is no signature"))

    def requests(self, keys: Sequence[Key]) -> tuple[Request, ...]:
        found = [self._ways(key) for key in keys if key.scheme == KEY_SCHEME]
        wanted = [way.check.request for some in found if isinstance(some, list) for way in some]
        return tuple(dict.fromkeys(wanted))

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        trial = Trial(self.signature, self._what, keys)
        mine = [key for key in keys if key.scheme == KEY_SCHEME]
        for key in mine:
            found = self._ways(key)
            if isinstance(found, Misfit):
                self._misfit(trial, key, found)
            else:
                self._try(trial, key, found, answers)
        return trial.outcome(
            Finding.of(
                codes.WRONG_KEY,
                self.signature.document,
                f"{self.signature.id}: {self._described}"
                + (", which none of the keys given can have made" if mine else ""),
                expected=", ".join(key.material.name for key in mine) or "a public key",
                actual=self._described,
            )
        )

    def _misfit(self, trial: Trial, key: Key, misfit: Misfit) -> None:
        if misfit.code is None:
            trial.miss(key, misfit.reason)
            return
        finding = Finding.of(
            misfit.code, self.signature.document, f"{self.signature.id}: {misfit.reason}"
        )
        trial.fail(key, Status.INVALID, misfit.reason, finding)

    def _try(
        self, trial: Trial, key: Key, found: Sequence[Way], answers: Mapping[Request, Any]
    ) -> None:
        public: PublicKey = key.material
        document, name = self.signature.document, self.signature.id
        measured = [way for way in found if way.check.request in answers]
        for way in measured:
            if way.check.confirms(way.value, answers[way.check.request]):
                notes = self._notes | {"signature": _algorithm_of(way)}
                extra = plain_keys.notices(public, document, name)
                signer = plain_keys.signer_of(public, digest_of(way.check.algorithm))
                trial.match(key, signer, notes, *extra)
                return
        if len(measured) < len(found):
            reason = "what it signs could not be measured"
            finding = Finding.of(codes.SIGNATURE_UNCHECKED, document, f"{name}: {reason}")
            trial.fail(key, Status.UNCHECKED, reason, finding)
            return
        certain = all(isinstance(way.check.algorithm, RsaPkcs1) for way in found)
        tried = ", ".join(dict.fromkeys(str(way.check.algorithm) for way in found))
        trial.fail(
            key,
            Status.INVALID,
            f"the signature does not match ({tried})",
            Finding.of(
                codes.SIGNATURE_INVALID,
                document,
                f"{name}: does not match with the {public.name} key {key.key_id} ({tried})",
                cause="the bytes were changed after signing"
                if certain
                else "changed bytes, or another key",
            ),
        )


def _algorithm_of(way: Way) -> str:
    algorithm = way.check.algorithm
    if isinstance(algorithm, EdDsa | MlDsa):
        return way.check.key.name
    return str(algorithm)
