"""CMS signatures: every algorithm is checked from a digest, every known way to cheat refused."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.asn1.der import SET, encode
from assay.cms import oids
from assay.cms.shape import looks_like_cms
from assay.cms.signed_data import SignedData, read_file, read_signed_data
from assay.cms.verify import fault_of, request_for
from assay.model.finding import AssayError, Finding
from tests.signatures.support import flips, measured, run, tool
from tests.support import cms, der
from tests.support.certificates import Holder, key_of, make, root

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
CONTENT = b"the content" * 100


@pytest.fixture(scope="module")
def holder() -> Holder:
    return make("Signer", root())


def fault(
    data: bytes | SignedData,
    holder: Holder,
    content: bytes = CONTENT,
    number: int = 0,
    **options: Any,
) -> Finding | None:
    """What is wrong with one signer, by the key of a certificate."""
    signed = read_signed_data(data) if isinstance(data, bytes) else data
    signer = signed.signers[number]
    key = holder.certificate.key
    try:
        request = request_for(signed, signer, key, **options)
    except AssayError as error:
        return error.finding
    answer = measured(content, [request])[request]
    return fault_of(signed, signer, key, answer, certificate=holder.certificate, **options)


def code(data: bytes, holder: Holder, content: bytes = CONTENT, **options: Any) -> str:
    try:
        found = fault(data, holder, content, **options)
    except AssayError as error:
        return error.finding.code
    return found.code if found is not None else ""


KINDS = ["p256", "p384", "p521", "rsa2048", "ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87"]


@pytest.mark.parametrize("bare", [False, True], ids=["attributes", "bare"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(kind: str, bare: bool) -> None:
    holder = make("Signer", key=key_of(kind))
    data = cms.signed_data(cms.signer(holder, CONTENT, bare=bare))
    assert code(data, holder) == ""
    assert code(data, holder, CONTENT + b"!") == "signature-invalid"
    other = make("Other", key=key_of(kind, 1))
    assert code(data, other) == "signature-invalid"


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512", "sha3-256"])
@pytest.mark.parametrize("pss", [False, True], ids=["pkcs1", "pss"])
def test_digests_with_rsa(digest: str, pss: bool) -> None:
    holder = make("Signer", key=key_of("rsa2048"))
    data = cms.signed_data(cms.signer(holder, CONTENT, digest=digest, pss=pss), digests=[digest])
    assert code(data, holder) == ""
    assert code(data, holder, CONTENT + b"!") == "signature-invalid"


def test_a_changed_content_is_told_from_a_changed_signature(holder: Holder) -> None:
    data = cms.signed_data(cms.signer(holder, CONTENT))
    changed = fault(data, holder, b"other")
    assert changed is not None
    assert "bytes are not those" in changed.detail
    other = cms.signed_data(cms.signer(holder, CONTENT, key=key_of("p256", 3)))
    wrong = fault(other, holder)
    assert wrong is not None
    assert "over the signed attributes" in wrong.detail


def test_signed_data_without_content_info(holder: Holder) -> None:
    data = cms.signed_data(cms.signer(holder, CONTENT, bare=True), wrapped=False)
    assert not read_signed_data(data).wrapped
    assert code(data, holder) == ""
    assert looks_like_cms(data)


def test_a_signer_named_by_key_identifier() -> None:
    for identifiers in (True, False):
        holder = make("Signer", identifiers=identifiers)
        key_id = holder.certificate.key_id
        if not identifiers:
            key_id = cms.digest_of("sha1", holder.certificate.key_bits)
        data = cms.signed_data(cms.signer(holder, CONTENT, key_id=key_id))
        signed = read_signed_data(data)
        assert signed.signers[0].is_by(holder.certificate)
        assert not signed.signers[0].is_by(make("Other").certificate)
        assert code(data, holder) == ""


def test_several_signers_each_on_its_own(holder: Holder) -> None:
    second = make("Second", key=key_of("rsa2048"))
    data = cms.signed_data(
        cms.signer(holder, CONTENT),
        cms.signer(second, b"something else", digest="sha512"),
        digests=["sha256", "sha512"],
        certificates=[second, holder],
    )
    signed = read_signed_data(data)
    assert [len(signed.signers), len(signed.certificates)] == [2, 2]
    assert fault(signed, holder, number=0) is None
    broken = fault(signed, second, number=1)
    assert broken is not None
    assert broken.code == "signature-invalid"


# attacks


def test_duplicate_signed_attributes(holder: Holder) -> None:
    parts = [cms.content_type(), cms.message_digest(CONTENT), cms.message_digest(b"other")]
    data = cms.signed_data(cms.signer(holder, attributes=parts))
    assert code(data, holder) == "signed-attributes-invalid"
    assert code(data, holder, b"other") == "signed-attributes-invalid"


def test_an_attribute_with_two_values(holder: Holder) -> None:
    digests = [der.octets(cms.digest_of("sha256", each)) for each in (CONTENT, b"other")]
    parts = [cms.content_type(), cms.attribute(oids.MESSAGE_DIGEST, *digests)]
    data = cms.signed_data(cms.signer(holder, attributes=parts))
    assert code(data, holder) == "signed-attributes-invalid"


@pytest.mark.parametrize("missing", [0, 1], ids=["content-type", "message-digest"])
def test_a_missing_attribute(holder: Holder, missing: int) -> None:
    parts = [cms.content_type(), cms.message_digest(CONTENT)]
    del parts[missing]
    data = cms.signed_data(cms.signer(holder, attributes=parts))
    assert code(data, holder) == "signed-attributes-invalid"


def test_a_content_of_another_type_than_was_signed(holder: Holder) -> None:
    parts = [cms.content_type(), cms.message_digest(CONTENT)]
    data = cms.signed_data(cms.signer(holder, attributes=parts), content_oid=oids.TST_INFO)
    assert code(data, holder) == "signed-attributes-invalid"


def test_a_content_that_is_no_data_needs_signed_attributes(holder: Holder) -> None:
    data = cms.signed_data(cms.signer(holder, CONTENT, bare=True), content_oid=oids.TST_INFO)
    assert code(data, holder) == "signed-attributes-invalid"


def test_reordered_signed_attributes(holder: Holder) -> None:
    parts = sorted([cms.content_type(), cms.message_digest(CONTENT), cms.signing_time()])
    good = cms.signed_data(cms.signer(holder, attributes=parts, ordered=False))
    assert code(good, holder) == ""
    in_order, reordered = b"".join(parts), b"".join(parts[::-1])
    with pytest.raises(AssayError, match="DER order"):
        read_signed_data(good.replace(in_order, reordered))
    with pytest.raises(AssayError, match="DER order"):
        read_signed_data(cms.signed_data(cms.signer(holder, attributes=parts[::-1], ordered=False)))


def test_removed_signed_attributes_do_not_make_a_signature_over_their_encoding(
    holder: Holder,
) -> None:
    parts = [cms.content_type(), cms.message_digest(CONTENT)]
    signature = cms.sign(holder.key, "sha256", der.set_of(*parts))
    data = cms.signed_data(cms.signer(holder, bare=True, signature=signature))
    assert code(data, holder) == "signature-invalid"


def test_the_digest_algorithm_is_swapped(holder: Holder) -> None:
    made = cms.signer(holder, CONTENT, digest_algorithm=der.algorithm(cms.DIGESTS["sha3-256"]))
    data = cms.signed_data(made, digests=["sha256", "sha3-256"])
    found = fault(data, holder)
    assert found is not None
    assert found.code == "algorithm-disagreement"
    assert "sha256" in found.detail
    assert "sha3-256" in found.detail


def test_the_digest_algorithm_of_rsa_is_swapped() -> None:
    holder = make("Signer", key=key_of("rsa2048"))
    swapped = der.algorithm(cms.DIGESTS["sha3-256"])
    data = cms.signed_data(
        cms.signer(holder, CONTENT, digest_algorithm=swapped), digests=["sha3-256"]
    )
    assert code(data, holder) == "signature-invalid"
    named = der.algorithm("1.2.840.113549.1.1.11", der.NULL)
    data = cms.signed_data(
        cms.signer(holder, CONTENT, digest_algorithm=swapped, algorithm=named),
        digests=["sha3-256"],
    )
    assert code(data, holder) == "algorithm-disagreement"


def test_a_digest_that_the_head_does_not_list(holder: Holder) -> None:
    data = cms.signed_data(cms.signer(holder, CONTENT), digests=["sha384"])
    assert code(data, holder) == "algorithm-disagreement"


def test_an_algorithm_for_another_kind_of_key() -> None:
    for kind, other in (("p256", "ed25519"), ("mldsa44", "mldsa65"), ("ed25519", "ed448")):
        signer = make("Signer", key=key_of(kind))
        algorithm = cms.algorithm_for(key_of(other), "sha256")
        data = cms.signed_data(cms.signer(signer, CONTENT, algorithm=algorithm))
        assert code(data, signer) == "algorithm-disagreement"


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_weak_digests_are_refused(digest: str) -> None:
    signer = make("Signer", key=key_of("ed25519"))
    data = cms.signed_data(cms.signer(signer, CONTENT, digest=digest), digests=[digest])
    assert code(data, signer) == "weak-signature"


def test_sha1_is_checked_only_for_the_sake_of_old_firmware(tmp_path: Path) -> None:
    openssl = tool("openssl")
    signer = make("Signer", key=key_of("rsa2048"))
    certificate, key = signer.write(tmp_path, "signer")
    content = tmp_path / "content"
    content.write_bytes(CONTENT)
    made = run(openssl, "cms", "-sign", "-binary", "-md", "sha1", "-outform", "DER", "-signer",
               certificate, "-inkey", key, "-in", content)  # fmt: skip
    assert code(made, signer) == "weak-signature"
    assert code(made, signer, legacy=True) == ""
    assert code(made, signer, b"other", legacy=True) == "signature-invalid"


def test_unknown_algorithms_are_unsupported(holder: Holder) -> None:
    odd = der.algorithm("1.2.3.4")
    data = cms.signed_data(cms.signer(holder, CONTENT, digest_algorithm=odd))
    assert code(data, holder) == "signature-unsupported"
    data = cms.signed_data(cms.signer(holder, CONTENT, algorithm=odd))
    assert code(data, holder) == "signature-unsupported"


def test_algorithm_identifiers_with_parameters_that_do_not_belong_there(holder: Holder) -> None:
    odd = der.algorithm("1.2.840.10045.4.3.2", der.NULL)
    data = cms.signed_data(cms.signer(holder, CONTENT, algorithm=odd))
    assert code(data, holder) == "signature-malformed"


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b"", "signature-malformed"),
        (der.NULL, "signature-malformed"),
        (der.seq(), "weak-signature"),
        (cms.pss_parameters("sha256", 20), "signature-invalid"),
        (cms.pss_parameters("sha384"), "algorithm-disagreement"),
        (cms.pss_parameters("sha256") + b"\x00", "signature-malformed"),
        (cms.pss_parameters("sha256", -1), "signature-malformed"),
    ],
)
def test_parameters_of_rsa_pss_are_read_strictly(parameters: bytes, expected: str) -> None:
    signer = make("Signer", key=key_of("rsa2048"))
    algorithm = der.algorithm("1.2.840.113549.1.1.10", parameters)
    data = cms.signed_data(cms.signer(signer, CONTENT, pss=True, algorithm=algorithm))
    assert code(data, signer) == expected


def test_the_signing_certificate_attribute_names_the_certificate(holder: Holder) -> None:
    twin = make("Twin", key=holder.key)
    basic = [cms.content_type(), cms.message_digest(CONTENT)]
    for first in (False, True):
        named = cms.signing_certificate(holder, first=first)
        data = cms.signed_data(cms.signer(holder, attributes=[*basic, named]))
        assert code(data, holder) == ""
        assert code(data, twin) == "signed-attributes-invalid"


def test_algorithm_protection_is_compared(holder: Holder) -> None:
    basic = [cms.content_type(), cms.message_digest(CONTENT)]
    sha256, ecdsa = der.algorithm(cms.DIGESTS["sha256"]), cms.algorithm_for(holder.key, "sha256")
    good = [*basic, cms.protection(sha256, ecdsa)]
    assert code(cms.signed_data(cms.signer(holder, attributes=good)), holder) == ""
    for wrong in (
        cms.protection(der.algorithm(cms.DIGESTS["sha384"]), ecdsa),
        cms.protection(sha256, cms.algorithm_for(holder.key, "sha384")),
        cms.protection(sha256, b""),
    ):
        data = cms.signed_data(cms.signer(holder, attributes=[*basic, wrong]))
        assert code(data, holder) == "signed-attributes-invalid"


# the structure


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "found the end"),
        (b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80", "indefinite"),
        (b"\x30\x84\xff\xff\xff\xff\x06\x09", "of which"),
        (der.seq(der.oid("1.2.840.113549.1.7.3"), der.explicit(0, der.seq())), "enveloped data"),
        (cms.signed_data(version=2), "version 2"),
        (cms.signed_data(more=der.implicit(1, der.set_of()) * 2), "expected SET"),
        (cms.signed_data(encode(SET, b"")), "no SEQUENCE"),
        (cms.signed_data() + b"\x00", "1 bytes too many"),
    ],
)
def test_malformed_signed_data(data: bytes, why: str) -> None:
    with pytest.raises(AssayError, match=why) as raised:
        read_signed_data(data)
    assert raised.value.finding.code == "signature-malformed"
    assert raised.value.finding.offset is not None


def test_extra_trailing_bytes_anywhere(holder: Holder) -> None:
    good = cms.signer(holder, CONTENT)
    inner = good[4:] if good[1] == 0x82 else good[3:]
    with pytest.raises(AssayError, match="too many"):
        read_signed_data(cms.signed_data(der.seq(inner, der.NULL)))
    with pytest.raises(AssayError, match="too many"):
        read_signed_data(cms.signed_data(good) + b"\x00" * 8)


def test_a_version_that_does_not_fit_how_the_signer_is_named(holder: Holder) -> None:
    for options in ({"version": 3}, {"version": 1, "key_id": b"x" * 20}):
        with pytest.raises(AssayError, match="version"):
            read_signed_data(cms.signed_data(cms.signer(holder, CONTENT, **options)))  # type: ignore[arg-type]


def test_counts_are_bounded(holder: Holder) -> None:
    one = cms.signer(holder, CONTENT)
    with pytest.raises(AssayError, match=f"more than {limits.CMS_SIGNERS} signers"):
        read_signed_data(cms.signed_data(*[one] * (limits.CMS_SIGNERS + 1)))
    many = [der.seq()] * (limits.CMS_CERTIFICATES + 1)
    with pytest.raises(AssayError, match="certificates"):
        read_signed_data(cms.signed_data(one, certificates=many))
    attributes = [cms.attribute(f"1.2.3.{n}", der.NULL) for n in range(limits.CMS_ATTRIBUTES + 1)]
    with pytest.raises(AssayError, match="attributes"):
        read_signed_data(cms.signed_data(cms.signer(holder, attributes=attributes)))


def test_certificates_that_cannot_be_read_are_reported_and_do_not_hide_others(
    holder: Holder,
) -> None:
    attribute_certificate = der.implicit(1, der.seq())
    data = cms.signed_data(
        cms.signer(holder, CONTENT),
        certificates=[der.seq(der.NULL), attribute_certificate, holder],
    )
    signed = read_signed_data(data)
    assert signed.certificates == (holder.certificate,)
    assert [each.code for each in signed.unreadable] == ["certificate-malformed"]


def test_what_is_unsigned_is_found(holder: Holder) -> None:
    counter = cms.signer(holder, attributes=[cms.message_digest(b"signature")])
    made = cms.signer(
        holder,
        CONTENT,
        unsigned=[
            cms.attribute(oids.COUNTERSIGNATURE, counter),
            cms.attribute(oids.TIMESTAMP_TOKEN, der.seq(der.integer(1))),
            cms.attribute(oids.MICROSOFT_TIMESTAMP, der.seq(der.integer(2))),
        ],
    )
    [signer] = read_signed_data(cms.signed_data(made)).signers
    assert set(signer.timestamps) == {der.seq(der.integer(1)), der.seq(der.integer(2))}
    [countersigner] = signer.countersignatures
    assert countersigner.is_by(holder.certificate)


def test_pem(holder: Holder) -> None:
    from tests.asn1.test_pem import block

    data = cms.signed_data(cms.signer(holder, CONTENT))
    for label in ("CMS", "PKCS7"):
        text = block(label, data)
        assert looks_like_cms(text)
        assert read_file(text) == read_signed_data(data)
        with pytest.raises(AssayError, match="one PEM block"):
            read_file(text + text)
    with pytest.raises(AssayError, match="one PEM block"):
        read_file(block("CERTIFICATE", data))
    with pytest.raises(AssayError, match="one PEM block"):
        read_file(b"")
    assert not looks_like_cms(block("CERTIFICATE", data))
    for other in (b"", b"\x30", b"\x30\x45\x02\x21\x00", b"untrusted comment:"):
        assert not looks_like_cms(other)


@pytest.mark.parametrize("bare", [False, True], ids=["attributes", "bare"])
def test_every_flipped_bit_is_refused_but_in_what_is_not_signed(holder: Holder, bare: bool) -> None:
    """Any flipped bit in content, signature or signed attributes is refused; flips elsewhere are
    refused too, or leave everything that counts as it was."""
    data = cms.signed_data(cms.signer(holder, CONTENT, bare=bare))
    good = read_signed_data(data).signers[0]
    for changed in flips(CONTENT[:40], 3):
        assert code(data, holder, changed + CONTENT[40:]) == "signature-invalid"
    for changed in flips(data):
        with contextlib.suppress(AssayError):
            signed = read_signed_data(changed)
            if not signed.signers or not signed.signers[0].is_by(holder.certificate):
                continue
            if fault(signed, holder) is None:
                signer = signed.signers[0]
                assert signer.signature == good.signature
                assert signer.signed_bytes == good.signed_bytes
                assert signer.digest == good.digest


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    start = der.oid(oids.SIGNED_DATA)
    for value in (data, encode(0x30, data), encode(0x30, start + encode(0xA0, encode(0x30, data)))):
        looks_like_cms(value)
        with contextlib.suppress(AssayError):
            read_file(value)


# peers and real ones


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rsa2048", []),
        ("rsa2048", ["-md", "sha512"]),
        ("rsa2048", ["-keyopt", "rsa_padding_mode:pss"]),
        ("rsa2048", ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"]),
        ("rsa2048", ["-noattr"]),
        ("rsa2048", ["-keyid"]),
        ("rsa2048", ["-cades"]),
        ("rsa2048", ["-nodetach"]),
        ("rsa2048", ["-nocerts"]),
        ("p256", []),
        ("p384", ["-md", "sha384"]),
        ("p521", ["-md", "sha512", "-noattr"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_what_openssl_signs(tmp_path: Path, kind: str, options: Sequence[str]) -> None:
    openssl = tool("openssl")
    holder = make("Signer", key=key_of(kind))
    certificate, key = holder.write(tmp_path, "signer")
    content = tmp_path / "content"
    content.write_bytes(CONTENT)
    data = run(openssl, "cms", "-sign", "-binary", "-outform", "DER", "-signer", certificate,
               "-inkey", key, "-in", content, *options)  # fmt: skip
    assert looks_like_cms(data)
    signed = read_signed_data(data)
    assert signed.content == (CONTENT if "-nodetach" in options else None)
    assert signed.signers[0].is_by(holder.certificate)
    assert fault(signed, holder) is None
    broken = fault(signed, holder, CONTENT + b"!")
    assert broken is not None
    assert broken.code == "signature-invalid"


def test_openssl_agrees_on_what_is_built_here(tmp_path: Path) -> None:
    openssl = tool("openssl")
    holder = make("Signer", key=key_of("rsa2048"))
    certificate, _ = holder.write(tmp_path, "signer")
    (tmp_path / "content").write_bytes(CONTENT)
    signature = tmp_path / "signature"
    for pss in (False, True):
        signature.write_bytes(
            cms.signed_data(cms.signer(holder, CONTENT, pss=pss), certificates=[holder])
        )
        run(openssl, "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-content",
            "content", "-in", signature, "-certfile", certificate, cwd=tmp_path)  # fmt: skip


def test_indefinite_length_is_refused_with_its_offset(tmp_path: Path) -> None:
    openssl = tool("openssl")
    holder = make("Signer", key=key_of("rsa2048"))
    certificate, key = holder.write(tmp_path, "signer")
    content = tmp_path / "content"
    content.write_bytes(CONTENT)
    data = run(openssl, "cms", "-sign", "-binary", "-nodetach", "-stream", "-outform", "DER",
               "-signer", certificate, "-inkey", key, "-in", content)  # fmt: skip
    assert looks_like_cms(data)
    with pytest.raises(AssayError, match="indefinite length") as raised:
        read_file(data)
    assert raised.value.finding.offset == 0


def _vector(*parts: str) -> bytes:
    path = VECTORS.joinpath(*parts)
    if not path.exists():
        pytest.skip("the vectors are not here")
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a1", "a2", "r1", "cs1", "ep1", "ts1"])
def test_signatures_of_rauc(name: str) -> None:
    signed = read_file(_vector("rauc", "openssl-ca", f"manifest-{name}.sig"))
    content = _vector("rauc", "openssl-ca", "manifest")
    [signer] = signed.signers
    [certificate] = [each for each in signed.certificates if signer.is_by(each)]
    for text, right in ((content, True), (content + b"\n", False)):
        request = request_for(signed, signer, certificate.key)
        answer = measured(text, [request])[request]
        found = fault_of(signed, signer, certificate.key, answer, certificate=certificate)
        assert (found is None) is right


def test_updates_of_secure_boot_variables_are_bare_signed_data() -> None:
    files = sorted(VECTORS.glob("secureboot-authvars/**/*.bin"))
    if not files:
        pytest.skip("the vectors are not here")
    for file in files:
        data = file.read_bytes()
        length = int.from_bytes(data[16:20], "little")
        signed = read_signed_data(data[40 : 16 + length])
        assert not signed.wrapped
        assert [each.digest for each in signed.signers] == ["sha256"]
