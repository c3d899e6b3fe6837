"""Copies of entries in a Rekor log, version 2: a log of somebody else then holds them as well.

What is logged is no more than the digest of an entry and a signature of it. The log's answer
becomes a Sigstore bundle over the entry, which is judged before it is kept, and which anybody can
check later with `assay verify`, or with other tools of Sigstore.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from assay import limits, strict_json
from assay.asn1 import pem
from assay.crypto.algorithms import Ecdsa
from assay.measure.hashing import hash_bytes
from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.measurement import HashRequest, Request
from assay.model.signature import Status
from assay.produce.formats.model import Wishes, check_for
from assay.produce.formats.sigstore import FORMAT
from assay.produce.signing_key import SigningKey
from assay.signatures.plain_keys import load
from assay.signatures.sigstore.scheme import SCHEME_PLUGIN
from assay.sources.http.client import client_for, identity_from, read_body, refuse_offline
from assay.sources.http.faults import refused
from assay.sources.http.url import parse_url
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust

SUFFIX = FORMAT.suffix
_SECONDS = 60.0
"""A log answers once its next checkpoint is signed, and perhaps witnessed: that takes its time."""


class Mirror:
    """Logs entries at a Rekor log. ``trust`` holds the trusted root that the log is in.

    Raises UsageError for a URL that is none, and for a key that is not ECDSA on P-256: that is
    what every such log takes.
    """

    def __init__(self, url: str, key: SigningKey, trust: Trust, options: OpenOptions) -> None:
        try:
            self._url = parse_url(url.rstrip("/") + "/api/v2/log/entries")
        except ValueError as error:
            raise UsageError(f"--rekor {url[:200]}: {error}") from error
        refuse_offline(options, f"{self._url.shown} is a log, on the network")
        algorithm = check_for(key, Wishes()).algorithm
        if algorithm != Ecdsa("sha256"):
            raise UsageError(
                "--key: a Rekor log takes signatures by ECDSA on P-256; assay key generate"
                " mirror.key makes such a key"
            )
        self._key = key
        self._options = options
        public = pem.encode("PUBLIC KEY", key.public.spki)
        self._keys = [*load(public, _ANCHOR), *trust.keys]

    def copy(self, leaf: bytes) -> bytes:
        """Log an entry; the bundle that proves it. Raises AssayError, also where the log's answer
        does not prove that it logged this."""
        answers = _answers(FORMAT.requests(self._key, Wishes()), leaf)
        bundle = strict_json.parse_object(FORMAT.produce(self._key, "", answers, Wishes()), "")
        message: dict[str, Any] = bundle["messageSignature"]
        entry = self._ask(message["messageDigest"]["digest"], message["signature"])
        bundle["verificationMaterial"]["tlogEntries"] = [entry]
        data = msgspec.json.encode(bundle) + b"\n"
        self._check(data, leaf)
        return data

    def _ask(self, digest: str, signature: str) -> dict[str, Any]:
        spki = base64.b64encode(self._key.public.spki).decode("ascii")
        verifier = {"publicKey": {"rawBytes": spki}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
        question = {
            "hashedRekordRequestV002": {
                "digest": digest,
                "signature": {"content": signature, "verifier": verifier},
            }
        }
        response = client_for(self._options).request(
            self._url,
            {"Content-Type": "application/json", "Accept": "application/json"},
            method="POST",
            body=msgspec.json.encode(question),
            identity=identity_from(self._options),
        )
        if response.status not in (200, 201):
            response.discard()
            raise refused(response.status, response.url)
        body = read_body(response, limits.SIGNATURE_SIZE, _SECONDS)
        return strict_json.parse_object(body, self._url.shown)

    def _check(self, bundle: bytes, leaf: bytes) -> None:
        (prepared,) = SCHEME_PLUGIN.prepare(bundle, "entry", "mirror", "")
        answers = _answers(prepared.requests(self._keys), leaf)
        outcome = prepared.verify(answers, self._keys, datetime.now(UTC))
        if outcome.status is Status.VERIFIED and any(
            voucher.anchor == _ANCHOR for voucher in outcome.vouchers
        ):
            return
        why = outcome.findings[0].detail if outcome.findings else "nothing in it proves that"
        detail = f"{self._url.shown} does not prove that it logged the entry: {why}"
        raise AssayError(Finding.of(codes.LEDGER_NOT_MIRRORED, detail=detail))


def _answers(requests: Iterable[Request], leaf: bytes) -> dict[Request, bytes]:
    return {
        request: hash_bytes(request.algorithm, leaf)
        for request in requests
        if isinstance(request, HashRequest)
    }


_ANCHOR = "key:mirror"
