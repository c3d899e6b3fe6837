"""SBOMs in statements: they count once somebody trusted signed them, and for their image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from assay import limits
from assay.contents.options import ContentOptions
from assay.model.finding import Severity
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.contents.test_compare import DEBIAN, LISTED, TOOL, account_of, worst
from tests.evidence.test_attestations import attest, statement, trust_in
from tests.support import sboms
from tests.support.images import Descriptor, Layout, encode

SIGNER, STRANGER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
SPDX = "https://spdx.dev/Document"
CYCLONEDX = "https://cyclonedx.org/bom"
DSSE = "application/vnd.dsse.envelope.v1+json"


def about(image: Descriptor, document: dict[str, Any], kind: str = SPDX) -> bytes:
    algorithm, _, value = image["digest"].partition(":")
    return statement({algorithm: value}, kind=kind, **document)


def judged(
    folder: Path,
    layout: Layout,
    image: Descriptor,
    *attestations: bytes,
    attached: bytes = b"",
    signer: Any = SIGNER,
    platform: str = "",
    **asked: Any,
) -> Verdict:
    """The verdict where ``signer`` is trusted, who signs the image itself as well."""
    paths = [
        sboms.write(folder, data, f"attestation{number}")
        for number, data in enumerate([attest(about(image, {}, "x"), signer), *attestations])
    ]
    entries = [image]
    if attached:
        entries.append(layout.artifact({DSSE: attached}, DSSE, subject=image))
    request = VerifyOptions(
        trust_in(folder, signer),
        attestations=paths,
        contents=ContentOptions(**asked),
        formats=Options(platform=platform),
    )
    [verdict] = verify(layout.write(folder / "image", *entries) + ":latest", request)
    return verdict


@pytest.mark.parametrize(
    ("kind", "document"), [(SPDX, sboms.spdx(LISTED, TOOL)), (CYCLONEDX, sboms.cyclonedx(LISTED))]
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_signed_sbom_is_compared(
    tmp_path: Path, kind: str, document: dict[str, Any], beside: bool
) -> None:
    layout = Layout()
    image = layout.image([DEBIAN])
    signed = attest(about(image, document, kind), SIGNER)
    given = () if beside else (signed,)
    attached = signed if beside else b""
    verdict = judged(tmp_path, layout, image, *given, attached=attached, required=True)
    assert verdict.exit_status == 0, verdict.findings
    [report] = account_of(verdict).sboms
    assert report.source == "signed"
    assert report.packages.matched == 1


def test_a_signed_sbom_is_compared_unasked_and_warns(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([DEBIAN])
    signed = attest(about(image, sboms.spdx((), {"gone": b""})), SIGNER)
    verdict = judged(tmp_path, layout, image, attached=signed)
    assert verdict.exit_status == 0
    assert worst(verdict) == {"sbom-entry-missing": Severity.WARNING}
    assert account_of(verdict).files.total == 5


def test_what_is_wrong_with_a_signed_sbom_refuses_who_asks(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([DEBIAN])
    signed = attest(about(image, sboms.spdx((), {"gone": b""})), SIGNER)
    verdict = judged(tmp_path, layout, image, attached=signed, required=True)
    assert verdict.exit_status == 1
    assert worst(verdict) == {"sbom-entry-missing": Severity.ERROR}


def test_an_sbom_of_a_stranger_does_not_count(tmp_path: Path) -> None:
    """Whoever may write beside the image can put one there."""
    layout = Layout()
    image = layout.image([DEBIAN])
    signed = attest(about(image, sboms.spdx((), {"gone": b""})), STRANGER)
    assert not judged(tmp_path, layout, image, attached=signed).contents
    verdict = judged(tmp_path, layout, image, attached=signed, required=True)
    assert verdict.exit_status == 1
    assert "sbom-required" in worst(verdict)
    [finding] = [one for one in verdict.findings if one.code == "sbom-required"]
    assert "1" in finding.detail
    assert not account_of(verdict).sboms


def test_a_genuine_sbom_of_another_image_does_not_count(tmp_path: Path) -> None:
    layout = Layout()
    image, other = layout.image([DEBIAN]), layout.image([{"other": b""}])
    signed = attest(about(other, sboms.spdx(LISTED, TOOL)), SIGNER)
    verdict = judged(tmp_path, layout, image, attached=signed, required=True)
    assert verdict.exit_status == 1
    assert "sbom-required" in worst(verdict)


def test_a_changed_sbom_does_not_count(tmp_path: Path) -> None:
    """Its signature was made over other bytes."""
    layout = Layout()
    image = layout.image([DEBIAN])
    envelope = json.loads(attest(about(image, sboms.spdx((), {"gone": b""})), SIGNER))
    good = json.loads(attest(about(image, sboms.spdx(LISTED)), SIGNER))
    envelope["payload"] = good["payload"]
    verdict = judged(tmp_path, layout, image, attached=encode(envelope), required=True)
    assert verdict.exit_status == 1
    assert not account_of(verdict).sboms


def test_each_platform_has_to_have_its_own(tmp_path: Path) -> None:
    layout = Layout()
    one, two = (layout.image([TOOL], platform) for platform in ("linux/amd64", "linux/arm64"))
    index = layout.index([one, two])
    first = attest(about(one, sboms.spdx((), TOOL)), SIGNER)
    verdict = judged(tmp_path, layout, index, first, required=True)
    missing = [finding for finding in verdict.findings if finding.code == "sbom-required"]
    assert [finding.component for finding in missing] == ["linux/arm64/manifest"]
    second = attest(about(two, sboms.spdx((), TOOL)), SIGNER)
    verdict = judged(tmp_path, layout, index, first, second, required=True, coverage=1.0)
    assert not worst(verdict)
    assert [account.files.fraction for account in verdict.contents] == [1, 1]


def test_a_statement_that_is_given_is_taken_at_the_users_word(tmp_path: Path) -> None:
    """``--sbom`` compares, whoever signed; a signature that counts is ``--require-sbom``."""
    layout = Layout()
    image = layout.image([DEBIAN])
    for data in (
        about(image, sboms.spdx(LISTED, TOOL)),
        attest(about(image, sboms.spdx(LISTED, TOOL)), STRANGER),
    ):
        path = sboms.write(tmp_path, data, "given")
        verdict = judged(tmp_path, layout, image, sboms=(path,))
        assert verdict.exit_status == 0
        assert account_of(verdict).sboms[0].source == "given"


def test_a_statement_given_about_another_image_is_not_compared(tmp_path: Path) -> None:
    layout = Layout()
    image, other = layout.image([DEBIAN]), layout.image([{"other": b""}])
    path = sboms.write(tmp_path, about(other, sboms.spdx(LISTED, TOOL)), "given")
    verdict = judged(tmp_path, layout, image, sboms=(path,))
    assert worst(verdict) == {"sbom-not-compared": Severity.ERROR}


def buildkit(layout: Layout, image: Descriptor, content: bytes) -> Descriptor:
    """An index as BuildKit writes it, with an SBOM of the image in an attestation manifest."""
    layer = layout.put(
        content,
        "application/vnd.in-toto+json",
        annotations={"in-toto.io/predicate-type": SPDX},
    )

    def change(manifest: dict[str, Any]) -> None:
        manifest["layers"] = [layer]
        config = layout.read(manifest["config"])
        config["rootfs"]["diff_ids"] = [layer["digest"]]
        manifest["config"] = layout.document(config, manifest["config"]["mediaType"])

    return layout.index([image, layout.attestation(image, change=change)])


def test_an_sbom_that_buildkit_put_into_the_index(tmp_path: Path) -> None:
    """It is vouched for with the index, and looked at when somebody asks."""
    layout = Layout()
    image = layout.image([DEBIAN])
    index = buildkit(layout, image, about(image, sboms.spdx(LISTED, TOOL)))
    verdict = judged(tmp_path, layout, index, required=True)
    assert verdict.exit_status == 0, verdict.findings
    assert account_of(verdict).sboms[0].files.matched == 2
    assert not judged(tmp_path, layout, index).contents


def test_an_sbom_in_an_index_that_nobody_vouches_for(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([DEBIAN])
    index = buildkit(layout, image, about(image, sboms.spdx(LISTED, TOOL)))
    trust = Trust()
    trust.add_digest(image["digest"])
    request = VerifyOptions(trust, contents=ContentOptions(required=True))
    [verdict] = verify(layout.write(tmp_path / "image", index), request)
    assert "sbom-required" in worst(verdict)
    assert not account_of(verdict).sboms


def test_any_flipped_bit_of_a_signed_sbom_counts(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([TOOL])
    signed = attest(about(image, sboms.spdx((), TOOL)), SIGNER)
    start = signed.index(json.loads(signed)["payload"].encode())
    for at in range(start, start + len(json.loads(signed)["payload"]), 97):
        damaged = bytearray(signed)
        damaged[at] ^= 0x01
        verdict = judged(tmp_path, layout, image, bytes(damaged), required=True)
        assert verdict.exit_status != 0, at


def test_too_many_sboms_are_not_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SBOMS", 2)
    layout = Layout()
    image = layout.image([TOOL])
    signed = [attest(about(image, sboms.spdx((), TOOL, n=n)), SIGNER) for n in range(3)]
    verdict = judged(tmp_path, layout, image, *signed)
    assert worst(verdict) == {"sbom-not-compared": Severity.WARNING}
    assert judged(tmp_path, layout, image, *signed, required=True).exit_status == 3


def test_who_attaches_an_sbom_does_not_choose_how_much_is_computed(tmp_path: Path) -> None:
    """Anyone may write beside an image; listing digests of every kind must not slow its check."""
    layout = Layout()
    image = layout.image([TOOL])
    document = sboms.spdx((), TOOL)
    document["files"][0]["checksums"] = [{"algorithm": "BLAKE2b-512", "checksumValue": "12" * 64}]
    verdict = judged(tmp_path, layout, image, attest(about(image, document), SIGNER))
    assert account_of(verdict).sboms[0].files.not_compared == 1
    path = sboms.write(tmp_path, document)
    verdict = judged(tmp_path, layout, image, sboms=(path,))
    assert account_of(verdict).sboms[0].files.altered == 1
