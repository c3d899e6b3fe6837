"""The source of what is known about revocation: responders and lists that certificates name, and
what they said before."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from assay import limits
from assay.model.codes.x509 import CRL_MALFORMED, OCSP_MALFORMED
from assay.model.finding import AssayError
from assay.trust.revocation.cache import Cache
from assay.trust.revocation.fetch import OUTAGES, Fetcher
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList, read_crl, read_crls
from assay.x509.ocsp import REQUEST_TYPE, OcspResponse, nonce_value, question, read_ocsp
from assay.x509.requirements import Obtained
from assay.x509.responder import CLOCK_SKEW, told_by
from assay.x509.signing import signed_by

_Kind = TypeVar("_Kind")


class _Got(Struct, Generic[_Kind]):
    """What one place gave, or why it gave nothing that can be read."""

    value: _Kind | None = None
    unreachable: str = ""
    useless: str = ""


class OnlineStatus:
    """Asks responders and fetches lists, each place once a minute at most. What is signed as it
    should be and says until when it counts is kept in ``cache`` till then. With ``offline`` only
    what is kept counts. Safe to share between threads."""

    def __init__(self, *, offline: bool = False, cache: Path | None = None) -> None:
        self._fetcher = Fetcher(offline=offline)
        self._cache = Cache(cache) if cache is not None else None
        self._known: dict[str, tuple[float, _Got[OcspResponse] | _Got[RevocationList]]] = {}
        self._lock = threading.Lock()

    def responses(self, certificate: Certificate, issuer: Certificate, now: datetime) -> Obtained:
        """Answers of OCSP responders. Raises nothing."""
        try:
            places = certificate.responders[: limits.REVOCATION_PLACES]
        except AssayError as error:
            return Obtained(1, useless=(error.finding.detail,))
        got = [self._response(place, certificate, issuer, now) for place in places]
        return Obtained(
            len(places),
            responses=tuple(each.value for each in got if each.value is not None),
            unreachable=tuple(each.unreachable for each in got if each.unreachable),
            useless=tuple(each.useless for each in got if each.useless),
        )

    def lists(self, certificate: Certificate, issuer: Certificate, now: datetime) -> Obtained:
        """Revocation lists. Raises nothing."""
        try:
            places = certificate.list_places[: limits.REVOCATION_PLACES]
        except AssayError as error:
            return Obtained(1, useless=(error.finding.detail,))
        if not places and oids.CRL_DISTRIBUTION_POINTS in certificate.extensions:
            # it does say where to ask, and we cannot: that is not the same as saying nothing
            return Obtained(1, useless=("its distribution points are of a kind not supported",))
        got = [self._list(place, issuer, now) for place in places]
        return Obtained(
            len(places),
            lists=tuple(each.value for each in got if each.value is not None),
            unreachable=tuple(each.unreachable for each in got if each.unreachable),
            useless=tuple(each.useless for each in got if each.useless),
        )

    def _response(
        self, place: str, certificate: Certificate, issuer: Certificate, now: datetime
    ) -> _Got[OcspResponse]:
        def ask() -> tuple[bytes, OcspResponse]:
            nonce = os.urandom(32)
            data = self._fetcher.fetch(
                place,
                limits.OCSP_SIZE,
                limits.OCSP_SECONDS,
                question(certificate, issuer, nonce),
                REQUEST_TYPE,
            )
            response = read_ocsp(data)
            # a responder need not repeat the nonce; one that repeats another answers someone else
            if response.nonce not in (None, nonce_value(nonce), nonce):
                raise _UselessError(f"{place}: the answer is to another question")
            return data, response

        def current(response: OcspResponse) -> bool:
            answers = [a for a in response.answers if a.certificate.means(certificate, issuer)]
            return bool(answers) and all(
                _within(a.this_update, now, a.next_update) for a in answers
            )

        def signed(response: OcspResponse) -> bool:
            told = told_by(response, certificate, issuer, now, lambda _: "is not asked about")
            return told.good or told.revoked is not None

        name = _name("ocsp", place, issuer.spki, str(certificate.serial).encode())
        return self._get(place, name, limits.OCSP_SIZE, ask, read_ocsp, current, signed)

    def _list(self, place: str, issuer: Certificate, now: datetime) -> _Got[RevocationList]:
        def ask() -> tuple[bytes, RevocationList]:
            data = self._fetcher.fetch(place, limits.CRL_SIZE, limits.CRL_SECONDS)
            if data[:1] == b"\x30":
                return data, read_crl(data)
            found = read_crls(data)  # some servers keep them as PEM, against the RFC
            if len(found) != 1:
                raise _UselessError(f"{place}: {len(found)} lists")
            return data, found[0]

        def read(data: bytes) -> RevocationList:
            return read_crls(data)[0]

        def current(crl: RevocationList) -> bool:
            return crl.this_update <= now and crl.next_update is not None and now <= crl.next_update

        def signed(crl: RevocationList) -> bool:
            return signed_by(issuer, crl.algorithm, crl.signature, crl.tbs)

        name = _name("crl", place, issuer.spki)
        return self._get(place, name, limits.CRL_SIZE, ask, read, current, signed)

    def _get(
        self,
        place: str,
        name: str,
        most: int,
        ask: Callable[[], tuple[bytes, _Kind]],
        read: Callable[[bytes], _Kind],
        current: Callable[[_Kind], bool],
        signed: Callable[[_Kind], bool],
    ) -> _Got[_Kind]:
        """From memory, from the cache while it is ``current``, or by asking. When asking gives
        nothing, what is kept is given all the same: who was revoked stays revoked."""
        with self._lock:
            since, known = self._known.get(name, (0.0, None))
        if known is not None and time.monotonic() - since < limits.REVOCATION_MEMORY_SECONDS:
            return known  # type: ignore[return-value]
        kept = self._kept(name, most, read)
        if kept is not None and current(kept):
            return _Got(kept)
        try:
            data, value = ask()
        except _UselessError as error:
            got = _Got(kept, useless=str(error))
        except AssayError as error:
            detail = error.finding.detail
            if error.finding.code in OUTAGES:
                got = _Got(kept, detail)
            else:
                malformed = error.finding.code in (OCSP_MALFORMED.name, CRL_MALFORMED.name)
                got = _Got(kept, "", f"{place}: {detail}" if malformed else detail)
        else:
            got = _Got(value)
            self._keep(name, data, value, current, signed)
        with self._lock:
            if len(self._known) >= limits.REVOCATION_MEMORY_ENTRIES:
                self._known.clear()
            self._known[name] = (time.monotonic(), got)  # type: ignore[assignment]
        return got

    def _kept(self, name: str, most: int, read: Callable[[bytes], _Kind]) -> _Kind | None:
        data = self._cache.read(name, most) if self._cache is not None else None
        if data is None:
            return None
        try:
            return read(data)
        except AssayError:
            return None

    def _keep(
        self,
        name: str,
        data: bytes,
        value: _Kind,
        current: Callable[[_Kind], bool],
        signed: Callable[[_Kind], bool],
    ) -> None:
        """Keep only what is signed: anyone on the way could have us keep something worthless."""
        if self._cache is None:
            return
        try:
            if current(value) and signed(value):
                self._cache.write(name, data)
        except AssayError:
            return


class _UselessError(Exception):
    """What a place gave can be read, and is not what was asked for."""


def _within(start: datetime, now: datetime, end: datetime | None) -> bool:
    """Whether something counts at a time. Who made it just now may have a clock that is ahead."""
    return start <= now + CLOCK_SKEW and end is not None and now <= end


def _name(kind: str, place: str, *parts: bytes) -> str:
    """The name of what is kept: by kind, address and issuer, each with its length before it."""
    digest = hashlib.sha256()
    for part in (kind.encode(), place.encode(), *parts):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
