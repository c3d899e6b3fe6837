"""Outside documents: whose word they are, and what counts of one that carries a signature."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.model.codes import content as content_codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import InlineSigned
from assay.pipeline import VerifyOptions, verify
from assay.signatures.signify import SCHEME_PLUGIN as SIGNIFY
from assay.signatures.signify import SignifyScheme
from assay.trust.anchors import Trust
from tests.signatures.support import codes_of, run, tool


def line(image: Path) -> bytes:
    return f"{hashlib.sha256(image.read_bytes()).hexdigest()}  {image.name}\n".encode()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"assay" * 400)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    public, secret = tmp_path / "key.pub", tmp_path / "key.sec"
    run(tool("signify-openbsd", "signify"), "-G", "-n", "-p", public, "-s", secret)
    return public, secret


def signed(document: Path, secret: Path) -> Path:
    """The document within its own signature."""
    target = document.with_name(document.name + ".sig")
    signify = tool("signify-openbsd", "signify")
    run(signify, "-S", "-e", "-s", secret, "-m", document, "-x", target)
    return target


def trust_in(checksums: Path, *keys: Path) -> Trust:
    trust = Trust()
    trust.add_checksums(str(checksums))
    for key in keys:
        trust.add_key(str(key))
    return trust


@pytest.mark.parametrize("name", ["file", "manifest", "disk.img"])
def test_a_document_named_like_a_component_replaces_none(
    image: Path, tmp_path: Path, name: str
) -> None:
    sums = tmp_path / "elsewhere" / name
    sums.parent.mkdir()
    sums.write_bytes(line(image))
    [verdict] = verify(str(image), VerifyOptions(trust_in(sums)))
    assert verdict.exit_status == 0
    assert verdict.coverage.total == image.stat().st_size
    sums.write_bytes(line(image).replace(b"disk", b"other"))
    [verdict] = verify(str(image), VerifyOptions(trust_in(sums)))
    assert verdict.exit_status == 1


def test_two_documents_of_one_name_both_count(image: Path, tmp_path: Path) -> None:
    trust = Trust()
    for folder, data in (("a", line(image)), ("b", line(image).replace(b"disk", b"other"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "SHA256SUMS").write_bytes(data)
        trust.add_checksums(str(tmp_path / folder / "SHA256SUMS"))
    [verdict] = verify(str(image), VerifyOptions(trust))
    assert {c.id for c in verdict.components if c.external} == {"SHA256SUMS", "SHA256SUMS[2]"}
    assert "checksum-entry-missing" in codes_of(verdict)


def test_the_key_of_a_signed_checksum_file_vouches_for_the_image(
    image: Path, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    public, secret = keys
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(line(image))
    [verdict] = verify(str(image), VerifyOptions(trust_in(signed(sums, secret), public)))
    assert verdict.exit_status == 0
    by_key = next(vouching for vouching in verdict.vouchers if vouching.kind == "key")
    assert by_key.path[0].startswith("SHA256SUMS.sig/signed (signify signature")
    assert by_key.path[1] == "file (line 1)"


def test_a_signed_checksum_file_is_read_without_a_key_too(
    image: Path, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(line(image))
    [verdict] = verify(str(image), VerifyOptions(trust_in(signed(sums, keys[1]))))
    assert verdict.exit_status == 0
    assert verdict.vouchers[0].path == (
        "SHA256SUMS.sig (given)",
        "SHA256SUMS.sig/signed (signed block)",
        "file (line 1)",
    )


def test_a_line_changed_within_the_signed_block_is_refused(
    image: Path, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    public, secret = keys
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(line(image))
    path = signed(sums, secret)
    image.write_bytes(b"evil" * 400)
    path.write_bytes(path.read_bytes().replace(sums.read_bytes(), line(image)))
    [verdict] = verify(str(image), VerifyOptions(trust_in(path, public)))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


def test_lines_around_the_signed_block_do_not_count(
    image: Path, tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack on readers that strip the armour and read all lines of the file."""
    public, secret = keys
    honest = tmp_path / "SHA256SUMS"
    honest.write_bytes(line(image))
    block = signed(honest, secret).read_bytes()
    image.write_bytes(b"evil" * 400)
    around = tmp_path / "SHA256SUMS.around"
    around.write_bytes(line(image) + b"=====\n" + block)

    def inline(_: object, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        before, mark, inside = data.partition(b"=====\n")
        found = original(SIGNIFY, inside if mark else data, document, signature_id)
        return found and InlineSigned(found.content, found.signatures, len(before) if mark else 0)

    original = SignifyScheme.inline
    monkeypatch.setattr(SignifyScheme, "inline", inline)
    [verdict] = verify(str(image), VerifyOptions(trust_in(around, public)))
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"outside-signature", "digest-mismatch"}


def test_a_document_that_looks_signed_and_is_damaged_is_not_read(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(line(image))

    def inline(*_: object) -> InlineSigned | None:
        raise AssayError(Finding.of(content_codes.MALFORMED, "SHA256SUMS"))

    monkeypatch.setattr(SignifyScheme, "inline", inline)
    [verdict] = verify(str(image), VerifyOptions(trust_in(sums)))
    assert verdict.exit_status == 1
    assert verdict.claims_held == 0


def test_a_signature_beside_a_checksum_file_vouches_for_it(
    image: Path, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    """Wherever the checksum file is, and whatever the image's own folder."""
    public, secret = keys
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    sums = folder / "SHA256SUMS"
    sums.write_bytes(line(image))
    signify = tool("signify-openbsd", "signify")
    run(signify, "-S", "-s", secret, "-m", sums, "-x", folder / "SHA256SUMS.sig")
    [verdict] = verify(str(image), VerifyOptions(trust_in(sums, public)))
    assert verdict.exit_status == 0
    by_key = next(vouching for vouching in verdict.vouchers if vouching.kind == "key")
    assert by_key.path[0].startswith("SHA256SUMS (signify signature SHA256SUMS.sig)")
