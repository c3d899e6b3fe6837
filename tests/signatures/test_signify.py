"""signify: detached and embedded signatures by the tool verify, and what it refuses is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.finding import AssayError, UsageError
from assay.model.signature import Status
from assay.signatures.minisign import SCHEME_PLUGIN as MINISIGN
from assay.signatures.signify import SCHEME_PLUGIN as SIGNIFY
from tests.signatures.support import (
    check,
    codes_of,
    flips,
    run,
    says_yes,
    tool,
    trust_in,
    verdict_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Signer:
    def __init__(self, folder: Path, name: str = "signer") -> None:
        self.tool = tool("signify-openbsd", "signify")
        self.public, self.secret = folder / f"{name}.pub", folder / f"{name}.sec"
        run(self.tool, "-G", "-n", "-p", self.public, "-s", self.secret)

    def sign(self, file: Path, *options: str) -> Path:
        target = file.with_name(file.name + ".sig")
        run(self.tool, "-S", *options, "-s", self.secret, "-m", file, "-x", target)
        return target


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"assay" * 400)
    return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path)


def test_what_signify_signs_is_allowed(image: Path, signer: Signer) -> None:
    signer.sign(image)
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 0
    assert verdict.signatures[0].scheme == "signify"


def test_a_changed_file_is_refused(image: Path, signer: Signer) -> None:
    signer.sign(image)
    image.write_bytes(image.read_bytes()[:-1])
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


def test_another_key_number_is_a_wrong_key(image: Path, signer: Signer, tmp_path: Path) -> None:
    signer.sign(image)
    verdict = verdict_of(image, trust_in(Signer(tmp_path, "other").public))
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"wrong-key", "not-vouched"}


def test_a_secret_key_is_refused(signer: Signer) -> None:
    with pytest.raises(UsageError, match="secret key"):
        trust_in(signer.secret)


def test_an_embedded_message_is_the_content(image: Path, signer: Signer) -> None:
    path = signer.sign(image, "-e")
    inline = SIGNIFY.inline(path.read_bytes(), "file", "sig")
    assert inline is not None
    assert inline.content == image.read_bytes()
    assert inline.outside == 0
    keys = trust_in(signer.public).keys
    [prepared] = inline.signatures
    assert check(prepared, inline.content, keys, NOW).status is Status.VERIFIED
    assert check(prepared, inline.content + b"\n", keys, NOW).status is Status.INVALID


def test_an_embedded_signature_does_not_speak_of_another_file(image: Path, signer: Signer) -> None:
    path = signer.sign(image, "-e")
    verdict = verdict_of(image, trust_in(signer.public), path)
    assert verdict.exit_status == 1
    assert "signature-malformed" in codes_of(verdict)


def test_a_signed_checksum_list_carries_its_lines(
    image: Path, signer: Signer, tmp_path: Path
) -> None:
    listing = tmp_path / "SHA256"
    listing.write_bytes(run("sha256sum", "--tag", image.name, cwd=tmp_path))
    path = signer.sign(listing, "-e")
    assert says_yes(signer.tool, "-C", "-p", signer.public, "-x", path, cwd=tmp_path)
    inline = SIGNIFY.inline(path.read_bytes(), "file", "sig")
    assert inline is not None
    assert inline.content.startswith(b"SHA256 (disk.img) = ")


def test_every_flipped_bit_of_an_embedded_message_is_refused_and_signify_agrees(
    image: Path, signer: Signer, tmp_path: Path
) -> None:
    image.write_bytes(b"a short message\n")
    path = signer.sign(image, "-e")
    good = path.read_bytes()
    keys = trust_in(signer.public).keys
    start = good.index(b"\n") + 1
    for number, changed in enumerate(flips(good[start:], 3)):
        data = good[:start] + changed
        try:
            inline = SIGNIFY.inline(data, "file", "sig")
            accepted = inline is not None and all(
                check(prepared, inline.content, keys, NOW).status is Status.VERIFIED
                for prepared in inline.signatures
            )
        except AssayError:
            accepted = False
        assert not accepted
        if number % 40 == 0:
            path.write_bytes(data)
            out = tmp_path / "out"
            assert not says_yes(signer.tool, "-V", "-e", "-p", signer.public, "-x", path, "-m", out)


def test_the_two_tools_files_are_told_apart_by_content(
    image: Path, signer: Signer, tmp_path: Path
) -> None:
    signify = signer.sign(image).read_bytes()
    assert SIGNIFY.recognise(signify)
    assert not MINISIGN.recognise(signify)
    secret, public = tmp_path / "m.key", tmp_path / "m.pub"
    minisign = tool("minisign")
    run(minisign, "-G", "-W", "-p", public, "-s", secret)
    for form in ("-l", "-H"):
        run(minisign, "-S", form, "-s", secret, "-m", image, "-x", tmp_path / "m.minisig")
        data = (tmp_path / "m.minisig").read_bytes()
        assert MINISIGN.recognise(data)
        assert not SIGNIFY.recognise(data)


def test_a_legacy_minisign_signature_cut_to_two_lines_is_still_the_signers(
    image: Path, tmp_path: Path
) -> None:
    """minisign documents that signify verifies its legacy files; the trusted comment is lost."""
    secret, public = tmp_path / "m.key", tmp_path / "m.pub"
    minisign, signify = tool("minisign"), tool("signify-openbsd", "signify")
    run(minisign, "-G", "-W", "-p", public, "-s", secret)
    run(minisign, "-S", "-l", "-s", secret, "-m", image, "-x", tmp_path / "m.minisig")
    cut = tmp_path / "disk.img.sig"
    cut.write_bytes(b"".join((tmp_path / "m.minisig").read_bytes().splitlines(True)[:2]))
    verdict = verdict_of(image, trust_in(public), cut)
    agrees = says_yes(signify, "-V", "-p", public, "-m", image, "-x", cut)
    assert (verdict.exit_status == 0) == agrees
    assert not verdict.vouchers or verdict.vouchers[0].notes == {}


def test_a_truncated_file_says_which_line(image: Path, signer: Signer) -> None:
    good = signer.sign(image).read_bytes()
    for length in range(len(good)):
        with pytest.raises(AssayError) as raised:
            SIGNIFY.prepare(good[:length], "file", "sig", "")
        assert raised.value.finding.code == "signature-malformed"
