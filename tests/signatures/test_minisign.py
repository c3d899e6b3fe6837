"""minisign: what the tool signs verifies, and what it refuses is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
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
        self.tool = tool("minisign")
        self.public, self.secret = folder / f"{name}.pub", folder / f"{name}.key"
        run(self.tool, "-G", "-W", "-p", self.public, "-s", self.secret)

    def sign(self, file: Path, *options: str) -> Path:
        run(self.tool, "-S", "-s", self.secret, "-m", file, *options)
        return file.with_name(file.name + ".minisig")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"assay" * 400)
    return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path)


@pytest.mark.parametrize("form", ["-l", "-H"], ids=["legacy", "prehashed"])
def test_what_minisign_signs_is_allowed(image: Path, signer: Signer, form: str) -> None:
    signer.sign(image, form, "-t", "release 7 of 9")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 0
    assert verdict.vouchers[0].notes == {"trusted comment": "release 7 of 9"}
    assert verdict.coverage.fraction == 1


@pytest.mark.parametrize("form", ["-l", "-H"], ids=["legacy", "prehashed"])
def test_a_changed_file_is_refused(image: Path, signer: Signer, form: str) -> None:
    signer.sign(image, form)
    image.write_bytes(image.read_bytes() + b"!")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


def test_another_key_is_told_from_a_bad_signature(
    image: Path, signer: Signer, tmp_path: Path
) -> None:
    signer.sign(image)
    verdict = verdict_of(image, trust_in(Signer(tmp_path, "other").public))
    assert verdict.exit_status == 1
    assert {"wrong-key", "not-vouched"} <= codes_of(verdict)
    assert "the signature names key" in verdict.signatures[0].attempts[0].reason


def test_the_bare_base64_line_in_a_file_is_a_key(
    image: Path, signer: Signer, tmp_path: Path
) -> None:
    signer.sign(image)
    bare = tmp_path / "bare"
    bare.write_bytes(signer.public.read_bytes().splitlines()[1] + b"\r\n")
    assert verdict_of(image, trust_in(bare)).exit_status == 0


def test_a_bare_key_on_the_command_line_is_refused(signer: Signer) -> None:
    with pytest.raises(UsageError, match="given as a file"):
        trust_in(signer.public.read_text().splitlines()[1])


def test_a_secret_key_is_refused(signer: Signer) -> None:
    with pytest.raises(UsageError, match="secret key"):
        trust_in(signer.secret)


def test_a_signature_given_as_a_key_is_refused(image: Path, signer: Signer) -> None:
    lines = signer.sign(image).read_bytes().splitlines(keepends=True)
    with pytest.raises(UsageError, match="signature"):
        MINISIGN.load_keys(b"".join(lines[:2]), "key:1")


def test_a_damaged_key_file_says_so(signer: Signer) -> None:
    with pytest.raises(UsageError, match="cut short"):
        MINISIGN.load_keys(signer.public.read_bytes()[:-6], "key:1")


def test_several_keys_with_one_number_are_all_tried(
    image: Path, signer: Signer, tmp_path: Path
) -> None:
    import base64

    comment, line = signer.public.read_bytes().splitlines()
    raw = base64.b64decode(line)
    forged = Signer(tmp_path, "forger").public.read_bytes().splitlines()[1]
    twin = tmp_path / "twin.pub"
    twin.write_bytes(comment + b"\n" + base64.b64encode(raw[:10] + base64.b64decode(forged)[10:]))
    signer.sign(image)
    verdict = verdict_of(image, trust_in(twin, signer.public))
    assert verdict.exit_status == 0
    assert [attempt.matched for attempt in verdict.signatures[0].attempts] == [False, True]
    assert verdict_of(image, trust_in(twin)).exit_status == 1


def test_one_key_given_twice_is_one_signer(image: Path, signer: Signer, tmp_path: Path) -> None:
    signer.sign(image)
    copy = tmp_path / "copy.pub"
    copy.write_bytes(signer.public.read_bytes())
    trust = trust_in(signer.public, copy)
    assert verdict_of(image, trust, rule=BuiltInRule(threshold=2)).exit_status == 1
    assert verdict_of(image, trust).exit_status == 0


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (1, lambda lines: [b"comment: none", *lines[1:]]),
        (2, lambda lines: [lines[0], lines[1][:-4], *lines[2:]]),
        (2, lambda lines: [lines[0], lines[1][:20] + b"*" + lines[1][21:], *lines[2:]]),
        (3, lambda lines: lines[:2]),
        (3, lambda lines: [*lines[:2], b"comment: x", lines[3]]),
        (4, lambda lines: lines[:3]),
        (4, lambda lines: [*lines[:3], lines[3][:-4]]),
        (5, lambda lines: [*lines, b"<html>"]),
    ],
)
def test_a_malformed_file_says_which_line(
    image: Path, signer: Signer, line: int, change: object
) -> None:
    lines = signer.sign(image).read_bytes().splitlines()
    assert callable(change)
    with pytest.raises(AssayError) as raised:
        MINISIGN.prepare(b"\n".join(change(lines)) + b"\n", "file", "sig", "")
    assert raised.value.finding.code == "signature-malformed"
    assert f"line {line} " in raised.value.finding.detail
    assert raised.value.finding.offset is not None


def test_every_flipped_bit_is_refused_and_minisign_agrees(image: Path, signer: Signer) -> None:
    path = signer.sign(image, "-t", "v1")
    good = path.read_bytes()
    keys = trust_in(signer.public).keys
    start = good.index(b"\n") + 1
    for number, changed in enumerate(flips(good[start:], 7)):
        data = good[:start] + changed
        try:
            outcomes = [
                check(prepared, image.read_bytes(), keys, NOW)
                for prepared in MINISIGN.prepare(data, "file", "sig", "")
            ]
            accepted = all(outcome.status is Status.VERIFIED for outcome in outcomes)
        except AssayError:
            accepted = False
        assert not accepted
        if number % 40 == 0:
            path.write_bytes(data)
            assert not says_yes(signer.tool, "-V", "-p", signer.public, "-m", image)


def test_a_trusted_comment_moved_from_another_signature_is_refused(
    image: Path, signer: Signer
) -> None:
    first = signer.sign(image, "-t", "version 1").read_bytes().splitlines(keepends=True)
    path = signer.sign(image, "-t", "version 2")
    second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*second[:2], first[2], second[3]]))
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 1
    assert any("trusted comment" in finding.detail for finding in verdict.findings)


def test_control_characters_in_a_trusted_comment_are_escaped(image: Path, signer: Signer) -> None:
    signer.sign(image, "-t", "fine\x1b[2J")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.vouchers[0].notes == {"trusted comment": "fine\\x1b[2J"}


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.builds(
            lambda lines: b"\n".join(lines),
            st.lists(
                st.one_of(
                    st.sampled_from([b"untrusted comment: x", b"trusted comment: y", b"RWQ=" * 25]),
                    st.binary(max_size=90),
                ),
                max_size=6,
            ),
        ),
    )
)
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    for scheme in (MINISIGN, SIGNIFY):
        scheme.recognise(data)
        for read in (
            lambda s=scheme: s.prepare(data, "file", "sig", ""),
            lambda s=scheme: s.inline(data, "file", "sig"),
        ):
            with contextlib.suppress(AssayError):
                read()
        with contextlib.suppress(UsageError):
            scheme.load_keys(data, "key:1")
