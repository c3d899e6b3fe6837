"""Time stamps: what they prove, and what they do not."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.cms import oids
from assay.cms.timestamp import (
    ProvenTime,
    TimeAuthority,
    check_timestamp,
    read_response,
    read_token,
)
from assay.model.finding import AssayError
from assay.x509 import oids as x509_oids
from assay.x509.crl import read_crl
from assay.x509.load import read_certificates
from tests.signatures.support import flips, run, tool
from tests.support import cms, der
from tests.support.certificates import END, NOW, START, Holder, crl, key_of, make, root, usage

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
MESSAGE = b"a signature"
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def top() -> Holder:
    return root("TSA root", key=key_of("p256"))


def authority(top: Holder, **options: Any) -> Holder:
    chosen: dict[str, Any] = {
        "eku": [x509_oids.TIME_STAMPING],
        "eku_critical": True,
        "key_usage": usage("digital_signature"),
    }
    return make("TSA", top, **(chosen | options))


@pytest.fixture(scope="module")
def tsa(top: Holder) -> Holder:
    return authority(top)


def prove(
    token: bytes, *tops: Holder, message: Any = MESSAGE, window: Sequence[Any] = (), **options: Any
) -> ProvenTime:
    anchors = tuple(each.certificate for each in tops)
    return check_timestamp(
        read_token(token), message, [TimeAuthority(anchors, (), *window)], **options
    )


def refused(why: str, token: bytes, *tops: Holder, **options: Any) -> None:
    with pytest.raises(AssayError, match=why) as raised:
        prove(token, *tops, **options)
    assert raised.value.finding.code == "timestamp-invalid"


def test_a_time_stamp_proves_its_time(top: Holder, tsa: Holder) -> None:
    proven = prove(cms.timestamp(tsa, MESSAGE), top)
    assert proven.time == proven.earliest == proven.latest == NOW
    assert [str(each) for each in proven.path] == ["CN=TSA", "CN=TSA root"]


def test_accuracy_widens_the_time(top: Holder, tsa: Holder) -> None:
    accuracy = der.seq(der.integer(2), der.implicit(0, der.integer(500)))
    info = cms.timestamp_info(MESSAGE, "20260601000000.25Z", more=accuracy)
    proven = prove(cms.timestamp(tsa, info=info), top)
    assert proven.time == NOW + SECOND / 4
    assert proven.latest - proven.time == proven.time - proven.earliest == 2.5 * SECOND


def test_the_digest_of_the_message_is_enough(top: Holder, tsa: Holder) -> None:
    token = cms.timestamp(tsa, MESSAGE)
    assert prove(token, top, message={"sha256": cms.digest_of("sha256", MESSAGE)})
    refused("something else", token, top, message={"sha512": cms.digest_of("sha512", MESSAGE)})


def test_a_time_stamp_of_another_message(top: Holder, tsa: Holder) -> None:
    refused("something else", cms.timestamp(tsa, b"another signature"), top)


def test_an_authority_that_was_not_given(top: Holder, tsa: Holder) -> None:
    refused("not among the authorities", cms.timestamp(tsa, MESSAGE), root("Other"))
    refused("not at hand", cms.timestamp(tsa, MESSAGE, certificates=[]), top)
    assert prove(cms.timestamp(tsa, MESSAGE, certificates=[]), tsa).path == (tsa.certificate,)


def test_certificates_that_stand_in_between_can_be_given(top: Holder) -> None:
    middle = make("Middle", top, ca=True)
    token = cms.timestamp(authority(middle), MESSAGE)
    refused("not among", token, top)
    given = TimeAuthority((top.certificate,), (middle.certificate,))
    assert len(check_timestamp(read_token(token), MESSAGE, [given]).path) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"eku_critical": False},
        {"eku": [x509_oids.TIME_STAMPING, x509_oids.CODE_SIGNING]},
        {"eku": [x509_oids.CODE_SIGNING]},
        {"eku": [x509_oids.ANY_PURPOSE]},
        {"eku": []},
        {"key_usage": usage("key_encipherment")},
    ],
)
def test_the_certificate_is_for_time_stamps_alone(top: Holder, options: dict[str, Any]) -> None:
    refused("purpose|for signing", cms.timestamp(authority(top, **options), MESSAGE), top)


def test_the_certificate_is_judged_at_the_time_that_is_stated(top: Holder, tsa: Holder) -> None:
    for time, why in ((START - SECOND, "not valid before"), (END + SECOND, "expired")):
        token = cms.timestamp(tsa, MESSAGE, time.strftime("%Y%m%d%H%M%SZ"))
        refused(why, token, top)
    assert prove(cms.timestamp(tsa, MESSAGE, END.strftime("%Y%m%d%H%M%SZ")), top)


def test_windows_of_trust_include_both_ends(top: Holder, tsa: Holder) -> None:
    token = cms.timestamp(tsa, MESSAGE)
    for window in ((NOW, NOW), (None, NOW), (NOW, None), (NOW - SECOND, NOW + SECOND)):
        assert prove(token, top, window=window)
    for window in ((NOW + SECOND, None), (None, NOW - SECOND)):
        refused("at that date", token, top, window=window)


def test_a_revoked_authority(top: Holder, tsa: Holder) -> None:
    token = cms.timestamp(tsa, MESSAGE)
    good = (read_crl(crl(top)),)
    bad = (read_crl(crl(top, (tsa.certificate.serial, START, None))),)
    assert prove(token, top, lists=good)
    refused("revoked", token, top, lists=bad)
    refused("counted until", token, top, lists=good, now=END + SECOND)


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (["type", "digest"], "which certificate"),
        (["type", "certificate"], "no message digest"),
        (["digest", "certificate"], "not of the type"),
        (["other type", "digest", "certificate"], "not of the type"),
        (["type", "digest", "other certificate"], "another certificate"),
    ],
)
def test_what_has_to_be_signed(top: Holder, tsa: Holder, attributes: list[str], why: str) -> None:
    info = cms.timestamp_info(MESSAGE)
    known = {
        "type": cms.content_type(oids.TST_INFO),
        "other type": cms.content_type(),
        "digest": cms.message_digest(info),
        "certificate": cms.signing_certificate(tsa),
        "other certificate": cms.signing_certificate(make("Other")),
    }
    token = cms.timestamp(tsa, info=info, attributes=[known[name] for name in attributes])
    refused(why, token, top)


def test_a_token_without_signed_attributes(top: Holder, tsa: Holder) -> None:
    refused("attributes are missing", cms.timestamp(tsa, MESSAGE, bare=True), top)


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (cms.timestamp_info(MESSAGE, version=2), "version 2"),
        (cms.timestamp_info(MESSAGE, imprint=b"short"), "unknown kind"),
        (cms.timestamp_info(MESSAGE, more=der.seq(der.integer(-1))), "accuracy"),
        (cms.timestamp_info(MESSAGE, more=der.seq(b"\x80\x01\x00")), "accuracy"),
        (cms.timestamp_info(MESSAGE, more=der.octets(b"")), "too many"),
        (cms.timestamp_info(MESSAGE, "20260601000000.10Z"), "form"),
        (
            cms.timestamp_info(
                MESSAGE,
                more=der.explicit(1, der.seq(der.oid("1.2.3"), der.boolean(True), der.octets(b""))),
            ),
            "critical",
        ),
    ],
)
def test_malformed_statements(top: Holder, tsa: Holder, info: bytes, why: str) -> None:
    refused(why, cms.timestamp(tsa, info=info), top)


def test_tokens_of_the_wrong_shape(top: Holder, tsa: Holder) -> None:
    info = cms.timestamp_info(MESSAGE)
    signer = cms.signer(tsa, info)
    refused("data, and no time stamp", cms.timestamp(tsa, MESSAGE, content_oid=oids.DATA), top)
    shapes = {
        "0 signers": cms.signed_data(content=info, content_oid=oids.TST_INFO),
        "2 signers": cms.signed_data(signer, signer, content=info, content_oid=oids.TST_INFO),
        "no content": cms.signed_data(signer, content_oid=oids.TST_INFO),
        "no time stamp": cms.signed_data(
            signer, content=info, content_oid=oids.TST_INFO, wrapped=False
        ),
    }
    for why, token in shapes.items():
        refused(why, token, top)


def test_weak_digests(top: Holder, tsa: Holder) -> None:
    info = cms.timestamp_info(MESSAGE, digest="sha1")
    refused("SHA1", cms.timestamp(tsa, info=info), top)


def test_every_flipped_bit_is_refused(top: Holder, tsa: Holder) -> None:
    """A changed token is refused, or still proves the very same."""
    good = prove(cms.timestamp(tsa, MESSAGE), top)
    token = cms.timestamp(tsa, MESSAGE)
    for changed in flips(token, 5):
        with contextlib.suppress(AssayError):
            proven = prove(changed, top)
            assert proven.time == good.time
            assert proven.path == good.path


def test_responses_of_servers(tsa: Holder) -> None:
    token = cms.timestamp(tsa, MESSAGE)
    assert read_response(der.seq(der.seq(der.integer(0)), token)) == read_token(token)
    assert read_response(der.seq(der.seq(der.integer(1)), token)) == read_token(token)
    for data in (
        der.seq(der.seq(der.integer(2))),
        der.seq(der.seq(der.integer(2)), token),
        der.seq(der.seq(der.integer(0))),
        der.seq(der.seq(der.integer(0)), token, token),
    ):
        with pytest.raises(AssayError) as raised:
            read_response(data)
        assert raised.value.finding.code == "timestamp-invalid"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    wrapped = cms.signed_data(content=data, content_oid=oids.TST_INFO)
    for value in (data, der.seq(data), wrapped):
        for read in (read_token, read_response):
            with contextlib.suppress(AssayError):
                read(value)


# a peer, and a real one


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_what_openssl_stamps(tmp_path: Path, kind: str) -> None:
    openssl = tool("openssl")
    long = {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2049, 1, 1, tzinfo=UTC)}
    top = root("TSA root", **long)
    tsa = authority(top, key=key_of(kind), **long)
    tsa.write(tmp_path, "tsa")
    (tmp_path / "root.crt").write_bytes(top.pem)
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa = one\n[one]\nserial = serial\ncrypto_device = builtin\n"
        "signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha512\n"
        "accuracy = secs:1, millisecs:500\nordering = yes\ntsa_name = yes\n"
        "ess_cert_id_chain = no\nclock_precision_digits = 3\n"
    )

    def ts(*arguments: str) -> bytes:
        return run(openssl, "ts", *arguments, cwd=tmp_path)

    ts("-query", "-data", "message", "-sha512", "-cert", "-out", "query")
    ts("-reply", "-config", "ts.cnf", "-queryfile", "query", "-signer", "tsa.crt", "-inkey",
       "tsa.key", "-chain", "root.crt", "-out", "reply")  # fmt: skip
    stamp = read_response((tmp_path / "reply").read_bytes())
    before = datetime.now(UTC)
    proven = check_timestamp(stamp, MESSAGE, [TimeAuthority((top.certificate,))])
    assert abs(proven.time - before) < timedelta(minutes=5)
    assert proven.latest - proven.time == timedelta(seconds=1.5)
    assert stamp.nonce is not None
    ts("-verify", "-data", "message", "-in", "reply", "-CAfile", "root.crt")
    with pytest.raises(AssayError):
        check_timestamp(stamp, MESSAGE + b"!", [TimeAuthority((top.certificate,))])


def test_openssl_agrees_on_what_is_built_here(tmp_path: Path, top: Holder, tsa: Holder) -> None:
    openssl = tool("openssl")
    (tmp_path / "root.crt").write_bytes(top.pem)
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "token").write_bytes(cms.timestamp(tsa, MESSAGE))
    run(openssl, "ts", "-verify", "-data", "message", "-token_in", "-in", "token", "-CAfile",
        "root.crt", "-attime", str(int(NOW.timestamp())), cwd=tmp_path)  # fmt: skip


def test_a_public_authority() -> None:
    folder = VECTORS / "notation" / "verifier"
    path = folder / "timestamp" / "countersignature" / "TimeStampToken.p7s"
    if not path.exists():
        pytest.skip("the vectors are not here")
    store = folder / "truststore" / "x509" / "tsa"
    stamp = read_token(path.read_bytes())
    digest = {stamp.algorithm: stamp.imprint}

    def anchors(name: str) -> list[TimeAuthority]:
        return [TimeAuthority(tuple(read_certificates((store / name).read_bytes())))]

    proven = check_timestamp(stamp, digest, anchors("test-timestamp/globalsignRoot.cer"))
    assert proven.time == datetime(2021, 9, 17, 14, 9, 10, tzinfo=UTC)
    assert len(proven.path) == 3
    with pytest.raises(AssayError, match="not among the authorities"):
        check_timestamp(stamp, digest, anchors("test-mismatch/DigiCertTSARootSHA384.cer"))
    for name in ("InvalideContentType", "InvalidTSTInfo"):
        other = path.with_name(f"TimeStampTokenWith{name}.p7s")
        with pytest.raises(AssayError) as raised:
            read_token(other.read_bytes())
        assert raised.value.finding.code == "timestamp-invalid"
    alone = read_token(path.with_name("TimeStampTokenWithoutCertificate.p7s").read_bytes())
    with pytest.raises(AssayError) as raised:
        check_timestamp(
            alone, {alone.algorithm: alone.imprint}, anchors("test-timestamp/globalsignRoot.cer")
        )
    assert raised.value.finding.code == "timestamp-invalid"
