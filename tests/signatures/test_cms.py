"""CMS signatures over files: authorities, identities, purposes, times, revocation."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
from assay.cli.main import cli
from assay.cms import oids
from assay.model.finding import AssayError, UsageError
from assay.model.signature import Key, Status
from assay.model.verdict import Verdict
from assay.signatures.cms.scheme import SCHEME_PLUGIN as CMS
from assay.trust.anchors import Trust
from assay.x509 import key_schemes
from assay.x509 import oids as x509_oids
from tests.signatures.support import check, codes_of, flips, run, says_yes, tool, verdict_of
from tests.support import cms, der
from tests.support.certificates import (
    END,
    NOW,
    START,
    Holder,
    crl,
    key_of,
    make,
    root,
    usage,
)

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
CONTENT = b"assay" * 400
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def top() -> Holder:
    return root("Example Root", key=key_of("p256"))


@pytest.fixture(scope="module")
def signer(top: Holder) -> Holder:
    return make(
        "Release",
        top,
        key_usage=usage("digital_signature"),
        eku=[x509_oids.CODE_SIGNING],
        names=[
            x509.RFC822Name("release@example.com"),
            x509.UniformResourceIdentifier("https://example.com/builds/release"),
        ],
    )


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


def sign(image: Path, data: bytes) -> Path:
    path = image.with_name(image.name + ".p7s")
    path.write_bytes(data)
    return path


def made(signer: Holder, *more: Holder, content: bytes = CONTENT, **options: Any) -> bytes:
    return cms.signed_data(cms.signer(signer, content, **options), certificates=[signer, *more])


def trusting(folder: Path, *anchors: Holder, demands: dict[str, str] | None = None) -> Trust:
    trust = Trust(demands=demands or {})
    for number, anchor in enumerate(anchors):
        path = folder / f"ca{number}.pem"
        path.write_bytes(anchor.pem)
        trust.add_ca(str(path))
    return trust


def judge(image: Path, *anchors: Holder, at: datetime = NOW, **demands: str) -> Verdict:
    return verdict_of(image, trusting(image.parent, *anchors, demands=demands), at=at)


# who signed


def test_a_signer_below_the_authority_vouches_for_every_byte(
    image: Path, signer: Holder, top: Holder
) -> None:
    sign(image, made(signer))
    verdict = judge(image, top)
    assert verdict.exit_status == 0
    assert verdict.findings == ()
    assert verdict.coverage.fraction == 1
    [voucher] = verdict.vouchers
    assert voucher.kind == "ca"
    assert voucher.signer is not None
    assert voucher.signer.identity == "CN=Release"
    assert voucher.signer.key == signer.certificate.key.fingerprint
    assert voucher.signer.signed_at == "2026-06-01T00:00:00Z"
    assert voucher.signer.time_source == "signer"
    assert voucher.notes == {
        "certificate": signer.certificate.fingerprint,
        "chain": "CN=Release < CN=Example Root",
    }


def test_a_changed_file_is_refused(image: Path, signer: Holder, top: Holder) -> None:
    sign(image, made(signer))
    image.write_bytes(CONTENT + b"!")
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)
    assert verdict.signatures[0].status == "invalid"


def test_another_authority_does_not_know_the_signer(image: Path, signer: Holder) -> None:
    sign(image, made(signer))
    verdict = judge(image, root("Other Root"))
    assert verdict.exit_status == 1
    assert {"unknown-issuer", "not-vouched"} <= codes_of(verdict)
    assert verdict.signatures[0].status == "unknown-signer"
    [finding] = [each for each in verdict.findings if each.code == "unknown-issuer"]
    assert finding.actual == "CN=Example Root"


def test_authorities_in_between_come_with_the_signature_or_are_given(
    image: Path, top: Holder
) -> None:
    middle = make("Middle", top, ca=True)
    signer = make("Release", middle)
    sign(image, made(signer, middle))
    assert judge(image, top).exit_status == 0
    sign(image, made(signer))
    assert "unknown-issuer" in codes_of(judge(image, top))
    trust = trusting(image.parent, top)
    path = image.parent / "middle.pem"
    path.write_bytes(middle.pem)
    trust.add_ca_intermediate(str(path))
    assert verdict_of(image, trust, at=NOW).exit_status == 0
    alone = Trust()
    alone.add_ca_intermediate(str(path))
    assert verdict_of(image, alone, at=NOW).exit_status == 3


def test_a_pinned_signer(image: Path, signer: Holder) -> None:
    sign(image, made(signer))
    assert judge(image, signer).exit_status == 0
    sign(image, cms.signed_data(cms.signer(signer, CONTENT)))
    assert judge(image, signer).exit_status == 0


def test_a_signer_whose_certificate_is_missing(image: Path, signer: Holder, top: Holder) -> None:
    sign(image, cms.signed_data(cms.signer(signer, CONTENT)))
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert "signer-certificate-missing" in codes_of(verdict)
    trust = trusting(image.parent, top)
    path = image.parent / "signer.pem"
    path.write_bytes(signer.pem)
    trust.add_ca_intermediate(str(path))
    assert verdict_of(image, trust, at=NOW).exit_status == 0


def test_someone_elses_certificate_is_named(image: Path, signer: Holder, top: Holder) -> None:
    outsider = make("Release", root("Other"), serial=signer.certificate.serial)
    data = cms.signed_data(
        cms.signer(outsider, CONTENT, names=signer), certificates=[signer, outsider]
    )
    sign(image, data)
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


@pytest.mark.parametrize("kind", ["certificate", "key"])
def test_a_key_that_is_trusted_by_itself(
    image: Path, signer: Holder, kind: str, tmp_path: Path
) -> None:
    sign(image, made(signer))
    path = tmp_path / "publisher.pem"
    if kind == "certificate":
        path.write_bytes(signer.pem)
    else:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = signer.key.public_key()
        path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    trust = Trust()
    trust.add_key(str(path))
    late = END + 100 * DAY
    assert verdict_of(image, trust, at=late).exit_status == 0
    sign(image, cms.signed_data(cms.signer(signer, CONTENT)))
    assert verdict_of(image, trust, at=late).exit_status == 0
    image.write_bytes(b"other")
    assert "signature-invalid" in codes_of(verdict_of(image, trust, at=late))


def test_a_key_that_is_another(image: Path, signer: Holder, tmp_path: Path) -> None:
    sign(image, made(signer))
    path = tmp_path / "other.pem"
    path.write_bytes(make("Other").pem)
    trust = Trust()
    trust.add_key(str(path))
    verdict = verdict_of(image, trust, at=NOW)
    assert verdict.exit_status == 1
    assert "wrong-key" in codes_of(verdict)
    assert "that of CN=Release" in verdict.signatures[0].attempts[0].reason


@pytest.mark.parametrize("kind", ["ed25519", "mldsa65", "p384", "rsa2048"])
def test_signatures_without_signed_attributes(image: Path, top: Holder, kind: str) -> None:
    signer = make("Release", top, key=key_of(kind))
    sign(image, made(signer, bare=True))
    assert judge(image, top).exit_status == 0
    image.write_bytes(CONTENT + b"!")
    assert judge(image, top).exit_status == 1


# identities


@pytest.mark.parametrize(
    ("name", "issuer", "right"),
    [
        ("release@example.com", "", True),
        ("CN=Release", "CN=Example Root", True),
        ("https://example.com/builds/release", "", True),
        ("glob:https://example.com/builds/*", "", True),
        ("release@example.com", "CN=Other Root", False),
        ("lease@example.com", "", False),
        ("Release", "", False),
    ],
)
def test_identities(
    image: Path, signer: Holder, top: Holder, name: str, issuer: str, right: bool
) -> None:
    sign(image, made(signer))
    trust = trusting(image.parent, top)
    trust.add_identity(name, issuer)
    verdict = verdict_of(image, trust, at=NOW)
    assert (verdict.exit_status == 0) is right
    assert ("wrong-identity" in codes_of(verdict)) is not right


# several signers


@pytest.mark.parametrize(
    ("second", "operator", "allowed"),
    [("Bob", "", True), ("Alice", "", False), ("Bob", "acme", False)],
)
def test_a_threshold_counts_people_below_one_authority(
    image: Path, top: Holder, second: str, operator: str, allowed: bool
) -> None:
    people = [
        make(name, top, key_usage=usage("digital_signature"), eku=[x509_oids.CODE_SIGNING])
        for name in ("Alice", second)
    ]
    parts = [cms.signer(each, CONTENT) for each in people]
    sign(image, cms.signed_data(*parts, certificates=people))
    trust = trusting(image.parent, top)
    if operator:
        trust.set_operator(operator, image.parent / "ca0.pem")
    verdict = verdict_of(image, trust, at=NOW, rule=BuiltInRule(threshold=2))
    assert (verdict.exit_status == 0) is allowed
    assert verdict_of(image, trust, at=NOW).exit_status == 0


def test_each_signer_is_reported(image: Path, signer: Holder, top: Holder) -> None:
    stranger = make("Stranger", root("Other"))
    data = cms.signed_data(
        cms.signer(signer, CONTENT), cms.signer(stranger, CONTENT), certificates=[signer, stranger]
    )
    sign(image, data)
    verdict = judge(image, top)
    assert verdict.exit_status == 0
    assert [each.id for each in verdict.signatures] == ["disk.img.p7s[0]", "disk.img.p7s[1]"]
    assert [each.status for each in verdict.signatures] == ["verified", "unknown-signer"]


def test_mix_of_two_signers(image: Path, signer: Holder, top: Holder) -> None:
    """The attributes of one signer under the signature of another."""
    second = make("Second", top)
    one, two = cms.signer(signer, CONTENT), cms.signer(second, b"other")
    signature = cms.sign(signer.key, "sha256", b"x")
    mixed = cms.signer(second, CONTENT, signature=signature)
    for signers in ([mixed], [one, mixed], [one, two]):
        data = cms.signed_data(*signers, certificates=[signer, second])
        sign(image, data)
        verdict = judge(image, top)
        assert verdict.exit_status == 1
        assert "signature-invalid" in codes_of(verdict)


def test_two_authorities_can_both_be_asked_for(image: Path, signer: Holder, top: Holder) -> None:
    other = root("Other Root")
    second = make("Second", other)
    data = cms.signed_data(
        cms.signer(signer, CONTENT), cms.signer(second, CONTENT), certificates=[signer, second]
    )
    sign(image, data)
    trust = trusting(image.parent, top, other)
    assert verdict_of(image, trust, at=NOW, rule=BuiltInRule(every=True)).exit_status == 0
    sign(image, made(signer))
    assert verdict_of(image, trust, at=NOW, rule=BuiltInRule(every=True)).exit_status == 1
    assert verdict_of(image, trust, at=NOW).exit_status == 0


# purposes


@pytest.mark.parametrize(
    ("eku", "demand", "right"),
    [
        ([], "", True),
        ([x509_oids.EMAIL_PROTECTION], "", True),
        ([x509_oids.ANY_PURPOSE], "", True),
        ([x509_oids.SERVER_AUTH], "", False),
        ([x509_oids.TIME_STAMPING], "", False),
        ([x509_oids.CODE_SIGNING], "codeSigning", True),
        ([x509_oids.CODE_SIGNING], "codesigning, emailProtection", True),
        ([x509_oids.EMAIL_PROTECTION], "codeSigning", False),
        ([x509_oids.ANY_PURPOSE], "codeSigning", False),
        ([], "codeSigning", False),
        (["1.3.6.1.4.1.99999.7"], "1.3.6.1.4.1.99999.7", True),
    ],
)
def test_purposes(image: Path, top: Holder, eku: list[str], demand: str, right: bool) -> None:
    signer = make("Release", top, eku=eku)
    sign(image, made(signer))
    verdict = judge(image, top, eku=demand)
    assert (verdict.exit_status == 0) is right
    assert ("key-not-permitted" in codes_of(verdict)) is not right


def test_a_purpose_that_does_not_exist(tmp_path: Path, top: Holder) -> None:
    for demand in ("codesign", "1.2", "codeSigning,", "1..2.3"):
        with pytest.raises(UsageError, match="--eku"):
            trusting(tmp_path, top, demands={"eku": demand})


# times


def test_an_expired_signer(image: Path, signer: Holder, top: Holder) -> None:
    sign(image, made(signer))
    verdict = judge(image, top, at=END + DAY)
    assert verdict.exit_status == 1
    assert verdict.signatures[0].status == "not-valid-now"
    assert "key-expired" in codes_of(verdict)


def test_an_expired_authority_in_between(image: Path, top: Holder) -> None:
    middle = make("Middle", top, ca=True, end=NOW - DAY)
    sign(image, made(make("Release", middle), middle))
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert verdict.signatures[0].status == "not-valid-now"


def test_a_signature_from_the_future(image: Path, signer: Holder, top: Holder) -> None:
    sign(image, made(signer))
    assert judge(image, top, at=NOW - timedelta(minutes=4)).exit_status == 0
    verdict = judge(image, top, at=NOW - DAY)
    assert verdict.exit_status == 1
    assert "signature-in-future" in codes_of(verdict)


def test_the_signing_time_is_the_signers_word_and_saves_no_expired_certificate(
    image: Path, top: Holder
) -> None:
    signer = make("Release", top, end=NOW - DAY)
    parts = [cms.content_type(), cms.message_digest(CONTENT), cms.signing_time(NOW - 2 * DAY)]
    sign(image, made(signer, attributes=parts))
    assert "key-expired" in codes_of(judge(image, top))


@pytest.fixture(scope="module")
def clock() -> Holder:
    """A time stamping authority, its own root."""
    return make("Clock", eku=[x509_oids.TIME_STAMPING], eku_critical=True)


def stamped(signer: Holder, clock: Holder, time: datetime, message: bytes | None = None) -> bytes:
    parts = [cms.content_type(), cms.message_digest(CONTENT)]
    signature = cms.sign(signer.key, "sha256", der.set_of(*parts))
    covered = signature if message is None else message
    token = cms.timestamp(clock, covered, time.strftime("%Y%m%d%H%M%SZ"))
    unsigned = [cms.attribute(oids.TIMESTAMP_TOKEN, token)]
    return made(signer, attributes=parts, signature=signature, unsigned=unsigned)


def timed(image: Path, top: Holder, clock: Holder, at: datetime) -> Verdict:
    trust = trusting(image.parent, top)
    path = image.parent / "clock.pem"
    path.write_bytes(clock.pem)
    trust.add_tsa_ca(str(path))
    return verdict_of(image, trust, at=at)


def test_a_time_stamp_keeps_a_signature_valid(image: Path, top: Holder, clock: Holder) -> None:
    signer = make("Release", top, end=NOW - DAY)
    sign(image, stamped(signer, clock, NOW - 2 * DAY))
    assert "key-expired" in codes_of(judge(image, top))
    verdict = timed(image, top, clock, NOW)
    assert verdict.exit_status == 0
    assert verdict.vouchers[0].signer is not None
    assert verdict.vouchers[0].signer.signed_at == "2026-05-30T00:00:00Z"
    assert verdict.vouchers[0].signer.time_source == "time stamp of CN=Clock"
    assert "key-expired" in codes_of(timed(image, top, make("Other"), NOW))


def test_a_time_stamp_shows_a_signature_to_be_too_late(
    image: Path, top: Holder, clock: Holder
) -> None:
    signer = make("Release", top, end=NOW - 2 * DAY)
    sign(image, stamped(signer, clock, NOW - DAY))
    verdict = timed(image, top, clock, NOW)
    assert verdict.exit_status == 1
    assert "key-expired" in codes_of(verdict)


def test_a_time_stamp_of_something_else_proves_nothing(
    image: Path, top: Holder, clock: Holder
) -> None:
    signer = make("Release", top, end=NOW - DAY)
    sign(image, stamped(signer, clock, NOW - 2 * DAY, b"another signature"))
    assert "key-expired" in codes_of(timed(image, top, clock, NOW))
    valid = make("Release", top)
    sign(image, stamped(valid, clock, NOW - 2 * DAY, b"another signature"))
    verdict = timed(image, top, clock, NOW)
    assert verdict.exit_status == 0
    assert "timestamp-invalid" in codes_of(verdict)


def test_a_time_stamp_from_the_future_proves_nothing(
    image: Path, top: Holder, clock: Holder
) -> None:
    sign(image, stamped(make("Release", top), clock, NOW + DAY))
    assert "timestamp-invalid" in codes_of(timed(image, top, clock, NOW))


def test_a_time_stamping_authority_vouches_for_no_image(image: Path, clock: Holder) -> None:
    sign(image, made(make("Release", clock)))
    trust = Trust()
    path = image.parent / "clock.pem"
    path.write_bytes(clock.pem)
    trust.add_tsa_ca(str(path))
    assert verdict_of(image, trust, at=NOW).exit_status == 3


# revocation


def revoking(image: Path, top: Holder, *lists: bytes) -> Verdict:
    trust = trusting(image.parent, top)
    for number, data in enumerate(lists):
        path = image.parent / f"{number}.crl"
        path.write_bytes(data)
        trust.add_crl(str(path))
    return verdict_of(image, trust, at=NOW)


def test_a_revoked_signer(image: Path, signer: Holder, top: Holder) -> None:
    sign(image, made(signer))
    assert revoking(image, top, crl(top)).exit_status == 0
    entry = (signer.certificate.serial, START, x509.ReasonFlags.key_compromise)
    verdict = revoking(image, top, crl(top, entry))
    assert verdict.exit_status == 1
    assert verdict.signatures[0].status == "not-valid-now"
    assert "key-revoked" in codes_of(verdict)


def test_whether_a_signer_was_revoked_must_be_told(
    image: Path, signer: Holder, top: Holder
) -> None:
    sign(image, made(signer))
    for data in (crl(root("Other")), crl(top, end=NOW - DAY)):
        verdict = revoking(image, top, data)
        assert verdict.exit_status == 1
        assert "revocation-unknown" in codes_of(verdict)
        assert verdict.signatures[0].status == "unchecked"


# what is refused


def test_files_that_are_not_what_an_option_asks_for(tmp_path: Path, top: Holder) -> None:
    bad = tmp_path / "bad"
    trust = Trust()
    for data in (b"", b"<html>", top.key_pem + top.pem, top.der + b"\x00", crl(top)):
        bad.write_bytes(data)
        for add in (trust.add_ca, trust.add_ca_intermediate, trust.add_tsa_ca):
            with pytest.raises(UsageError, match=r"--.*ca.* .*bad: "):
                add(str(bad))
    bad.write_bytes(top.der)
    with pytest.raises(UsageError, match=r"--crl .*bad: "):
        trust.add_crl(str(bad))
    with pytest.raises(UsageError, match=r"--ca .*missing"):
        trust.add_ca(str(tmp_path / "missing"))
    assert trust.anchors == []
    assert trust.keys == []


def test_certificates_without_a_signature(image: Path, signer: Holder, top: Holder) -> None:
    sign(image, cms.signed_data(certificates=[signer, top]))
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert "signature-malformed" in codes_of(verdict)
    assert any("no signature" in finding.detail for finding in verdict.findings)


def test_a_weak_signature(image: Path, top: Holder) -> None:
    signer = make("Release", top, key=key_of("ed25519"))
    data = cms.signed_data(
        cms.signer(signer, CONTENT, digest="sha1"), certificates=[signer], digests=["sha1"]
    )
    sign(image, data)
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert "weak-signature" in codes_of(verdict)


def test_a_weak_key(image: Path, top: Holder) -> None:
    signer = make("Release", top, key=key_of("rsa1024"))
    sign(image, made(signer))
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    assert "weak-signature" in codes_of(verdict)


def test_several_defects_are_all_told(image: Path, top: Holder) -> None:
    signer = make("Release", top, end=NOW - DAY, eku=[x509_oids.SERVER_AUTH])
    sign(image, made(signer, content=b"other"))
    found = codes_of(judge(image, top))
    assert {"key-expired", "key-not-permitted", "signature-invalid"} <= found


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\x00"])
def test_a_damaged_signature_file(
    image: Path, signer: Holder, top: Holder, change: Callable[[bytes], bytes]
) -> None:
    sign(image, change(made(signer)))
    verdict = judge(image, top)
    assert verdict.exit_status == 1
    [finding] = [each for each in verdict.findings if each.code == "signature-malformed"]
    assert finding.component == "disk.img.p7s"
    assert finding.offset is not None


def test_every_flipped_bit_of_a_signature_file_leaves_no_other_verdict(
    signer: Holder, top: Holder
) -> None:
    """A changed file is refused, or the very same signature is still in there (the order of what
    stands outside of the signature does not count)."""
    data = made(signer)
    keys = [Key("ca:1", key_schemes.AUTHORITY, "root", (top.certificate,))]
    for changed in flips(data, 3):
        with contextlib.suppress(AssayError):
            for prepared in CMS.prepare(changed, "file", "signature", ""):
                outcome = check(prepared, CONTENT, keys, NOW)
                if outcome.status is Status.VERIFIED:
                    voucher = outcome.vouchers[0]
                    assert voucher.signer is not None
                    assert voucher.signer.key == signer.certificate.key.fingerprint


# documents inside of a signature


def test_a_checksum_file_inside_of_its_signature(
    image: Path, signer: Holder, top: Holder, tmp_path: Path
) -> None:
    sums = f"{hashlib.sha256(CONTENT).hexdigest()}  disk.img\n".encode()
    path = tmp_path / "SHA256SUMS.p7m"
    opaque = cms.signed_data(cms.signer(signer, sums), certificates=[signer], content=sums)

    def verdict(data: bytes) -> Verdict:
        path.write_bytes(data)
        trust = trusting(tmp_path, top)
        trust.add_checksums(str(path))
        return verdict_of(image, trust, at=NOW)

    assert verdict(opaque).exit_status == 0
    assert verdict(opaque.replace(sums[:8], b"deadbeef")).exit_status == 1


def test_text_around_a_signed_document_is_counted(signer: Holder) -> None:
    from tests.asn1.test_pem import block

    data = cms.signed_data(cms.signer(signer, CONTENT), content=CONTENT)
    inline = CMS.inline(b"before\n" + block("CMS", data) + b"after\n", "inner", "outer")
    assert inline is not None
    assert inline.content == CONTENT
    assert inline.outside == len(b"before") + len(b"after")
    bare = CMS.inline(data, "inner", "outer")
    assert bare is not None
    assert bare.outside == 0
    assert CMS.inline(cms.signed_data(cms.signer(signer, CONTENT)), "inner", "outer") is None
    assert CMS.inline(b"text", "inner", "outer") is None


# peers and real ones


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rsa2048", []),
        ("rsa2048", ["-keyopt", "rsa_padding_mode:pss"]),
        ("p384", ["-md", "sha384", "-keyid"]),
        ("p256", ["-noattr", "-outform", "PEM"]),
    ],
)
def test_what_openssl_signs_and_both_refuse(
    image: Path, kind: str, options: list[str], tmp_path: Path
) -> None:
    openssl = tool("openssl")
    now = datetime.now(NOW.tzinfo)
    anchor = root("Root", start=now - DAY, end=now + DAY)
    signer = make("Release", anchor, key=key_of(kind), eku=[x509_oids.EMAIL_PROTECTION],
                  start=now - DAY, end=now + DAY)  # fmt: skip
    certificate, key = signer.write(tmp_path, "signer")
    path = image.with_name("disk.img.p7s")
    form = [] if "-outform" in options else ["-outform", "DER"]
    run(openssl, "cms", "-sign", "-binary", "-signer", certificate, "-inkey", key, "-in", image,
        "-out", path, *form, *options)  # fmt: skip
    verdict = judge(image, anchor, at=now)
    assert verdict.exit_status == 0
    (tmp_path / "root.pem").write_bytes(anchor.pem)
    peer = [openssl, "cms", "-verify", "-binary", "-inform", "PEM" if not form else "DER",
            "-content", image, "-CAfile", tmp_path / "root.pem", "-in", path,
            "-out", "/dev/null"]  # fmt: skip
    assert says_yes(*peer)
    image.write_bytes(CONTENT[:-1])
    assert judge(image, anchor, at=now).exit_status == 1
    assert not says_yes(*peer)


def _vector(*parts: str) -> Path:
    path = VECTORS.joinpath(*parts)
    if not path.exists():
        pytest.skip("the vectors are not here")
    return path


@pytest.mark.parametrize(
    ("name", "eku", "revoked", "right"),
    [
        ("a1", "", False, True),
        ("a2", "", False, True),
        ("a2", "", True, False),
        ("r1", "", True, True),
        ("cs1", "codeSigning", False, True),
        ("ep1", "emailProtection", False, True),
        ("ep1", "codeSigning", False, False),
        ("ts1", "", False, False),
    ],
)
def test_the_signatures_of_rauc(name: str, eku: str, revoked: bool, right: bool) -> None:
    folder = _vector("rauc", "openssl-ca")
    trust = Trust(demands={"eku": eku})
    trust.add_ca(str(folder / "root" / "ca.cert.pem"))
    if revoked:
        for issuer in ("root", "dev", "rel"):
            trust.add_crl(str(folder / issuer / "crl.pem"))
    signature = folder / f"manifest-{name}.sig"
    verdict = verdict_of(folder / "manifest", trust, signature, at=NOW)
    assert (verdict.exit_status == 0) is right


def test_a_signature_of_the_lvfs() -> None:
    firmware = _vector("jcat", "colorhug", "firmware.bin")
    trust = Trust()
    trust.add_ca(str(_vector("jcat", "pki", "LVFS-CA.pem")))
    verdict = verdict_of(firmware, trust, firmware.with_name("firmware.bin.p7b"), at=NOW)
    assert verdict.exit_status in (0, 1)
    assert "signature-malformed" not in codes_of(verdict)


# the command line


def test_the_options_on_the_command_line(
    image: Path, signer: Holder, top: Holder, tmp_path: Path
) -> None:
    sign(image, made(signer))
    ca, revoked = tmp_path / "ca.pem", tmp_path / "list.crl"
    ca.write_bytes(top.pem)
    revoked.write_bytes(crl(top, (signer.certificate.serial, START, None)))

    def status(*arguments: str) -> int:
        words = ["verify", str(image), "--at", "2026-06-01", "--ca", str(ca), *arguments]
        return CliRunner().invoke(cli, words).exit_code

    assert status() == 0
    assert status("--eku", "codeSigning", "--identity", "release@example.com") == 0
    assert status("--eku", "emailProtection") == 1
    assert status("--eku", "nonsense") == 2
    assert status("--crl", str(revoked)) == 1
    assert status("--crl", str(ca)) == 2
    assert status("--tsa-ca", str(ca), "--ca-intermediate", str(ca)) == 0


def test_nothing_in_a_certificate_reaches_the_terminal_as_it_is(image: Path, top: Holder) -> None:
    from assay.report.text import render

    signer = make("evil\x1b[2J\u202e", top)
    sign(image, made(signer))
    for verdict in (judge(image, top), judge(image, root("Other"))):
        shown = render(verdict, color=False, verbose=2)
        assert "evil" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    for value in (data, der.seq(der.oid(oids.SIGNED_DATA), der.explicit(0, der.seq(data)))):
        CMS.recognise(value)
        for read in (CMS.prepare, CMS.inline):
            with contextlib.suppress(AssayError):
                read(value, "file", "sig", *([""] if read == CMS.prepare else []))  # type: ignore[operator]
