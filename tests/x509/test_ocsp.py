"""Answers of OCSP responders: read strictly, believed when the issuer or its responder signed."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import AssayError, Severity
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList, read_crl
from assay.x509.ocsp import question, read_ocsp
from assay.x509.path import find_path
from assay.x509.requirements import Asking, Obtained, PathResult, Requirements
from tests.support.certificates import END, NOW, START, Holder, crl, key_of, make, root, usage
from tests.support.revocation import (
    OCSP_SIGNING,
    Good,
    Revoked,
    Unknown,
    answer,
    pointing,
    responder_of,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Reason = x509.ReasonFlags


class Said:
    """A source that says always the same."""

    def __init__(self, *responses: bytes, lists: tuple[bytes, ...] = ()) -> None:
        self._responses = tuple(read_ocsp(each) for each in responses)
        self._lists = tuple(read_crl(each) for each in lists)
        self.asked: list[str] = []

    def responses(self, certificate: Certificate, issuer: Certificate, now: datetime) -> Obtained:
        self.asked.append(f"OCSP {certificate}")
        return Obtained(1, responses=self._responses)

    def lists(self, certificate: Certificate, issuer: Certificate, now: datetime) -> Obtained:
        self.asked.append(f"CRL {certificate}")
        own: tuple[RevocationList, ...] = self._lists
        return Obtained(len(own), lists=own)


@pytest.fixture(scope="module")
def top() -> Holder:
    return root(key=key_of("p256"))


@pytest.fixture(scope="module")
def leaf(top: Holder) -> Holder:
    return make("Leaf", top)


def check(
    leaf: Holder, top: Holder, *responses: bytes, lists: tuple[bytes, ...] = (), **asked: Any
) -> PathResult:
    source = Said(*responses, lists=lists)
    return find_path(
        leaf.certificate,
        [],
        [top.certificate],
        Requirements(**({"at": NOW, "asking": Asking(source)} | asked)),
    )


def code(result: PathResult) -> str:
    assert not result.path
    [fault] = result.faults
    return fault.code


def why(result: PathResult) -> str:
    assert code(result) == "revocation-unknown"
    return result.faults[0].detail


# who may answer


def test_the_issuer_itself(leaf: Holder, top: Holder) -> None:
    assert check(leaf, top, answer(leaf, top, at=NOW)).path
    assert check(leaf, top, answer(leaf, top, at=NOW, by_key=True)).path


@pytest.mark.parametrize("by_key", [False, True])
def test_a_responder_that_the_issuer_certified(leaf: Holder, top: Holder, by_key: bool) -> None:
    responder = responder_of(top)
    assert check(leaf, top, answer(leaf, top, responder, at=NOW, by_key=by_key)).path
    revoked = answer(leaf, top, responder, Revoked, at=NOW, by_key=by_key)
    assert code(check(leaf, top, revoked)) == "key-revoked"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"eku": []}, "not for signing OCSP answers"),
        ({"eku": ["1.3.6.1.5.5.7.3.3"]}, "not for signing OCSP answers"),
        ({"eku": ["2.5.29.37.0"]}, "not for signing OCSP answers"),
        ({"key_usage": usage("key_encipherment")}, "not for signing by its key usage"),
        ({"end": NOW - DAY}, "not valid at the effective time"),
        ({"start": NOW + DAY}, "not valid at the effective time"),
        ({"signed_with": key_of("p256", 1)}, "not certified by the issuer"),
        (
            {
                "extensions": [
                    (x509.OCSPNoCheck(), False),
                    (
                        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"),
                        True,
                    ),
                ]
            },
            "critical extension 1.2.3",
        ),
    ],
)
def test_a_responder_that_may_not_answer(
    leaf: Holder, top: Holder, options: dict[str, Any], said: str
) -> None:
    responder = responder_of(top, **options)
    assert said in why(check(leaf, top, answer(leaf, top, responder, at=NOW)))


def test_a_responder_certified_by_another_authority(leaf: Holder, top: Holder) -> None:
    other = root("Other")
    assert "not certified" in why(check(leaf, top, answer(leaf, top, responder_of(other), at=NOW)))


def test_an_answer_with_a_weak_signature(leaf: Holder, top: Holder) -> None:
    weak = responder_of(top, key=key_of("rsa1024"))
    said = why(check(leaf, top, answer(leaf, top, weak, at=NOW)))
    assert "does not count (" in said


def test_a_signer_answering_for_itself(leaf: Holder, top: Holder) -> None:
    """The holder of a revoked certificate has a key that the issuer certified, too."""
    assert "not for signing OCSP" in why(check(leaf, top, answer(leaf, top, leaf, at=NOW)))


def test_a_responder_below_another_one(leaf: Holder, top: Holder) -> None:
    middle = responder_of(top)
    below = responder_of(middle, "Below")
    data = answer(leaf, top, below, at=NOW, certificates=[below, middle])
    assert "not certified" in why(check(leaf, top, data))


def test_an_answer_signed_by_someone_else_in_the_name_of_the_issuer(
    leaf: Holder, top: Holder
) -> None:
    impostor = root("Root")
    data = answer(leaf, top, impostor, at=NOW, certificates=[])
    assert "did not sign the answer" in why(check(leaf, top, data))
    stranger = root("Stranger")
    data = answer(leaf, top, stranger, at=NOW, certificates=[])
    assert "neither the issuer nor" in why(check(leaf, top, data))
    assert "not certified" in why(check(leaf, top, answer(leaf, top, impostor, at=NOW)))
    another = make("Responder", root("Other"), eku=[OCSP_SIGNING])
    data = answer(leaf, top, another, at=NOW, certificates=[responder_of(top)])
    assert "did not sign" in why(check(leaf, top, data))


def test_a_responder_whose_own_certificate_may_have_been_revoked(top: Holder) -> None:
    """Without id-pkix-ocsp-nocheck somebody has to say that the responder's key is not stolen."""
    leaf = make("Leaf", top)
    responder = responder_of(top, extensions=pointing(lists=["http://crl.test/1"]))
    data = answer(leaf, top, responder, at=NOW)
    assert "may have been revoked itself" in why(check(leaf, top, data))
    assert check(leaf, top, data, lists=(crl(top),)).path
    revoked = crl(
        top, (responder.made.serial_number, START, None), (leaf.made.serial_number, START, None)
    )
    assert code(check(leaf, top, data, lists=(revoked,))) == "key-revoked"
    # a list that names the responder alone: its answer does not count, and the list does
    only = crl(top, (responder.made.serial_number, START, None))
    assert check(leaf, top, data, lists=(only,)).path


# what an answer is about


def test_an_answer_about_another_certificate(leaf: Holder, top: Holder) -> None:
    other = make("Other", top)
    assert "about another certificate" in why(check(leaf, top, answer(other, top, at=NOW)))


def test_an_answer_about_the_same_number_of_another_issuer(leaf: Holder, top: Holder) -> None:
    impostor = root("Root")
    same = make("Leaf", impostor, serial=leaf.made.serial_number)
    data = answer(same, top, at=NOW, shown_issuer=impostor)
    assert "about another certificate" in why(check(leaf, top, data))


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
def test_an_issuer_named_by_any_digest(leaf: Holder, top: Holder, digest: Any) -> None:
    assert check(leaf, top, answer(leaf, top, at=NOW, digest=digest)).path


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"at": NOW - 2 * DAY, "until": NOW - DAY}, "counted until"),
        ({"at": NOW + HOUR}, "after the effective time"),
        ({"at": NOW - HOUR, "for_ever": True}, "newer ones"),
        ({"at": NOW, "status": Unknown}, "does not know the certificate"),
        ({"at": NOW, "critical": True}, "critical extension 1.2.3.4"),
    ],
)
def test_an_answer_that_says_nothing(
    leaf: Holder, top: Holder, more: dict[str, Any], said: str
) -> None:
    assert said in why(check(leaf, top, answer(leaf, top, **more)))


def test_the_ends_of_an_answers_time_belong_to_it(leaf: Holder, top: Holder) -> None:
    assert check(leaf, top, answer(leaf, top, at=NOW - DAY, until=NOW)).path
    assert check(leaf, top, answer(leaf, top, at=NOW)).path
    assert check(leaf, top, answer(leaf, top, at=NOW, for_ever=True)).path
    # another's clock may be ahead of ours
    assert check(leaf, top, answer(leaf, top, at=NOW + timedelta(minutes=4))).path


def test_a_revocation_counts_however_old(leaf: Holder, top: Holder) -> None:
    data = answer(leaf, top, status=Revoked, at=NOW - 9 * DAY, until=NOW - 8 * DAY)
    assert code(check(leaf, top, data)) == "key-revoked"
    held = answer(
        leaf, top, status=Revoked, at=NOW - 9 * DAY, until=NOW - DAY,
        reason=Reason.certificate_hold,
    )  # fmt: skip
    assert code(check(leaf, top, held)) == "revocation-unknown"


def test_of_several_answers_the_one_that_revokes_counts(leaf: Holder, top: Holder) -> None:
    good, revoked = answer(leaf, top, at=NOW), answer(leaf, top, status=Revoked, at=NOW - HOUR)
    assert code(check(leaf, top, good, revoked)) == "key-revoked"
    assert code(check(leaf, top, revoked, good)) == "key-revoked"


def test_a_signature_proven_older_than_a_harmless_revocation_stands(
    leaf: Holder, top: Holder
) -> None:
    def at(reason: Reason | None) -> PathResult:
        data = answer(leaf, top, status=Revoked, at=NOW, revoked_at=NOW - HOUR, reason=reason)
        return check(leaf, top, data, at=NOW - DAY, now=NOW)

    assert at(Reason.superseded).path
    assert code(at(Reason.key_compromise)) == "key-revoked"
    assert code(at(None)) == "key-revoked"


def test_an_old_answer_of_a_harmless_revocation_does_not_hide_what_is_known_now(
    leaf: Holder, top: Holder
) -> None:
    """What was superseded then may be known to be compromised now: a replayed answer settles
    nothing."""
    data = answer(
        leaf, top, status=Revoked, at=NOW - 3 * DAY, until=NOW - 2 * DAY,
        revoked_at=NOW - 4 * DAY, reason=Reason.superseded,
    )  # fmt: skip
    assert "counted until" in why(check(leaf, top, data, at=NOW - 5 * DAY, now=NOW))


# when it is asked


def test_lists_are_asked_where_responders_say_nothing(leaf: Holder, top: Holder) -> None:
    unknown = answer(leaf, top, status=Unknown, at=NOW)
    assert check(leaf, top, unknown, lists=(crl(top),)).path
    revoked = crl(top, (leaf.made.serial_number, START, None))
    assert code(check(leaf, top, unknown, lists=(revoked,))) == "key-revoked"


def test_a_delta_list_alone_is_explained(leaf: Holder, top: Holder) -> None:
    delta = crl(top, number=2, extensions=[(x509.DeltaCRLIndicator(1), True)])
    assert "only what changed" in why(check(leaf, top, lists=(delta,)))


def test_nobody_is_asked_for_whoever_made_a_certificate_up(top: Holder) -> None:
    """The places that are asked stand in certificates: only real authorities may name them."""
    middle = make("No authority", top)
    forged = make("Forged", middle, extensions=pointing(responder="http://inside.test/"))
    source = Said(answer(forged, middle, at=NOW))
    result = find_path(
        forged.certificate,
        [middle.certificate],
        [top.certificate],
        Requirements(NOW, asking=Asking(source)),
    )
    assert code(result) == "not-an-authority"
    assert source.asked == []


def test_lists_that_were_given_settle_it(leaf: Holder, top: Holder) -> None:
    source = Said()
    given_lists = (read_crl(crl(top)),)
    asked = Requirements(NOW, lists=given_lists, asking=Asking(source))
    assert find_path(leaf.certificate, [], [top.certificate], asked).path
    assert source.asked == []


def test_every_certificate_below_the_anchor_is_asked_about(top: Holder) -> None:
    middle = make("Middle", top, ca=True)
    leaf = make("Leaf", middle)
    source = Said(answer(leaf, middle, at=NOW))
    result = find_path(
        leaf.certificate,
        [middle.certificate],
        [top.certificate],
        Requirements(NOW, asking=Asking(source)),
    )
    assert "CN=Middle" in why(result)
    assert source.asked[0] == "OCSP CN=Leaf"


@pytest.mark.parametrize("silent", [False, True])
def test_a_certificate_that_says_nowhere_to_ask(leaf: Holder, top: Holder, silent: bool) -> None:
    class Nowhere:
        def responses(self, *_: object) -> Obtained:
            return Obtained()

        lists = responses

    asking = Asking(Nowhere(), silent=silent)
    result = check(leaf, top, asking=asking)
    assert bool(result.path) is silent
    soft = check(leaf, top, asking=Asking(Nowhere(), Severity.WARNING))
    assert soft.path
    assert [each.code for each in soft.notices] == ["revocation-unknown"]


# reading


def test_what_cryptography_makes_of_our_question(leaf: Holder, top: Holder) -> None:
    request = ocsp.load_der_ocsp_request(question(leaf.certificate, top.certificate, b"n" * 32))
    assert request.serial_number == leaf.made.serial_number
    built = ocsp.OCSPRequestBuilder().add_certificate(leaf.made, top.made, hashes.SHA1()).build()
    assert request.issuer_key_hash == built.issuer_key_hash
    assert request.issuer_name_hash == built.issuer_name_hash
    nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value
    assert nonce.nonce == b"n" * 32


@pytest.mark.parametrize("status", list(ocsp.OCSPResponseStatus)[1:])
def test_a_responder_that_declines(status: ocsp.OCSPResponseStatus) -> None:
    data = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
    with pytest.raises(AssayError, match="gives no answer"):
        read_ocsp(data.public_bytes(serialization.Encoding.DER))


def test_every_flipped_bit_of_an_answer_makes_it_say_nothing_good(
    leaf: Holder, top: Holder
) -> None:
    data = answer(leaf, top, responder_of(top), at=NOW)
    response = read_ocsp(data)
    covered = data.index(response.tbs)
    for position in range(covered, covered + len(response.tbs)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            with contextlib.suppress(AssayError):
                assert not check(leaf, top, bytes(changed)).path


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    with contextlib.suppress(AssayError):
        read_ocsp(data)


@cache
def an_answer() -> bytes:
    """Always the same bytes: signatures differ in length."""
    top = root(key=key_of("p256"))
    return answer(make("Leaf", top), top, at=NOW)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_damaged_answers_end_in_an_assay_error_at_most(data: st.DataObject) -> None:
    encoded = bytearray(an_answer())
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(AssayError):
        read_ocsp(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


# what openssl makes of the same


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture
def folder(tmp_path: Path, leaf: Holder, top: Holder) -> Path:
    leaf.write(tmp_path, "leaf")
    top.write(tmp_path, "top")
    return tmp_path


def openssl_says(folder: Path, response: bytes) -> str:
    """What ``openssl ocsp`` makes of a response: good, revoked, unknown, or nothing at all."""
    (folder / "response.der").write_bytes(response)
    done = subprocess.run(
        [
            "openssl", "ocsp", "-respin", "response.der", "-issuer", "top.crt",
            "-cert", "leaf.crt", "-CAfile", "top.crt", "-attime", str(int(NOW.timestamp())),
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Response verify OK" not in done.stderr:
        return ""
    # that the answer is of another time than now is a warning to it, and stands in between
    found = re.search(r"(?:^|: )(good|revoked|unknown)$", done.stdout, re.MULTILINE)
    return found[1] if found else ""


Made = Callable[[Holder, Holder], bytes]


@needs_openssl
@pytest.mark.parametrize(
    ("make_answer", "expected"),
    [
        (lambda leaf, top: answer(leaf, top, at=NOW), "good"),
        (lambda leaf, top: answer(leaf, top, responder_of(top), at=NOW), "good"),
        (lambda leaf, top: answer(leaf, top, responder_of(top), at=NOW, by_key=True), "good"),
        (lambda leaf, top: answer(leaf, top, status=Revoked, at=NOW), "revoked"),
        (lambda leaf, top: answer(leaf, top, status=Unknown, at=NOW), "unknown"),
        (lambda leaf, top: answer(leaf, top, responder_of(root("X")), at=NOW), ""),
        (lambda leaf, top: answer(leaf, top, responder_of(top, eku=[]), at=NOW), ""),
        (lambda leaf, top: answer(leaf, top, leaf, at=NOW), ""),
        (lambda leaf, top: answer(leaf, top, root("Root"), at=NOW, certificates=[]), ""),
        (lambda _, top: answer(make("Other", top), top, at=NOW), ""),
    ],
)
def test_openssl_agrees(
    folder: Path, leaf: Holder, top: Holder, make_answer: Made, expected: str
) -> None:
    data = make_answer(leaf, top)
    assert openssl_says(folder, data) == expected
    result = check(leaf, top, data)
    ours = "good" if result.path else result.faults[0].code
    assert ours == {"good": "good", "revoked": "key-revoked"}.get(expected, "revocation-unknown")


@needs_openssl
@pytest.mark.parametrize(("line", "good"), [("V", True), ("R", False), ("", False)])
def test_the_answers_of_openssl(folder: Path, line: str, good: bool) -> None:
    """``openssl ocsp`` as responder, with its index of certificates. It answers by the clock."""
    from tests.support.revocation import now

    start, end = now() - DAY, now() + DAY
    top = root("Top", start=start, end=end)
    leaf, responder = (
        make("Leaf", top, start=start, end=end),
        responder_of(top, start=start, end=end),
    )
    for holder, name in ((top, "top"), (leaf, "leaf"), (responder, "responder")):
        holder.write(folder, name)
    until = f"{end:%y%m%d%H%M%SZ}"
    revoked = f"{start:%y%m%d%H%M%SZ},keyCompromise" if line == "R" else ""
    serial = f"{leaf.made.serial_number:X}"
    serial = serial if len(serial) % 2 == 0 else "0" + serial
    index = f"{line}\t{until}\t{revoked}\t{serial}\tunknown\t/CN=Leaf\n" if line else ""
    (folder / "index.txt").write_text(index)
    (folder / "question.der").write_bytes(question(leaf.certificate, top.certificate, b"n" * 32))
    subprocess.run(
        [
            "openssl", "ocsp", "-index", "index.txt", "-CA", "top.crt", "-rsigner", "responder.crt",
            "-rkey", "responder.key", "-reqin", "question.der", "-respout", "answer.der",
            "-ndays", "1",
        ],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    data = (folder / "answer.der").read_bytes()
    assert read_ocsp(data).nonce is not None
    result = check(leaf, top, data, at=now())
    assert bool(result.path) is good
    if line == "R":
        assert code(result) == "key-revoked"
        assert "keyCompromise" in result.faults[0].detail


def test_names_that_tests_use() -> None:
    assert (OCSP_SIGNING, Good, END > NOW) == ("1.3.6.1.5.5.7.3.9", ocsp.OCSPCertStatus.GOOD, True)
