"""MACs: what OpenSSL and Python compute verifies, secrets never show, and any change is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.digest import ALGORITHMS as DIGESTS
from assay.model.finding import AssayError, UsageError
from assay.model.secret import Secret
from assay.model.signature import Key, Status
from assay.report import json as json_report
from assay.report import text as text_report
from assay.signatures.mac import ALGORITHMS
from assay.signatures.mac import SCHEME_PLUGIN as MAC
from tests.signatures.support import check, codes_of, flips, run, tool, trust_in, verdict_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = b"correct horse battery staple 32b"
CONTENT = b"assay" * 400
HASHLIB = {"sha512-256": "sha512_256"}
HMACS = [algorithm for algorithm in ALGORITHMS if algorithm != "blake3"]


def hmac_of(algorithm: str, secret: bytes = SECRET, content: bytes = CONTENT) -> bytes:
    return hmac.new(secret, content, HASHLIB.get(algorithm, algorithm.replace("-", "_"))).digest()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "shared.secret"
    path.write_bytes(SECRET)
    return f"secret:{path}"


def keyed(secret: bytes = SECRET, **demands: str) -> list[Key]:
    named = {name.replace("_", "-"): value for name, value in demands.items()}
    return [Key("secret:1", "secret", "secret:1", Secret(secret), named)]


def status_of(data: bytes, keys: list[Key], content: bytes = CONTENT) -> Status:
    [prepared] = MAC.prepare(data, "file", "disk.img.mac", "")
    return check(prepared, content, keys, NOW).status


@pytest.mark.parametrize("algorithm", HMACS)
def test_each_hmac_is_allowed_in_every_form(algorithm: str) -> None:
    tag = hmac_of(algorithm)
    named = f"HMAC-{algorithm.upper()}"
    for line in (
        f"{named}(disk.img)= {tag.hex()}\n",
        f"{named} (disk.img) = {tag.hex().upper()}\r\n",
    ):
        assert status_of(line.encode(), keyed()) is Status.VERIFIED
    for form in (
        tag.hex().encode(),
        base64.b64encode(tag) + b"\n",
        tag,
        tag.hex().encode() + b"  f",
    ):
        demanded = keyed(mac_algorithm=f"hmac-{algorithm}")
        assert status_of(form, demanded) is Status.VERIFIED


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_bare_code_is_taken_for_the_sha_2_of_its_length(algorithm: str) -> None:
    assert status_of(hmac_of(algorithm).hex().encode(), keyed()) is Status.VERIFIED


def test_keyed_blake3_is_allowed_with_a_secret_of_32_bytes() -> None:
    tag = blake3(CONTENT, key=SECRET).digest()
    keys = keyed(mac_algorithm="blake3")
    assert status_of(tag.hex().encode(), keys) is Status.VERIFIED
    assert status_of(tag.hex().encode() + b"  disk.img\n", keys) is Status.VERIFIED
    assert status_of(f"BLAKE3 (disk.img) = {tag.hex()}".encode(), keyed()) is Status.VERIFIED
    [prepared] = MAC.prepare(tag.hex().encode(), "file", "mac", "")
    outcome = check(prepared, CONTENT, keyed(SECRET[:31], mac_algorithm="blake3"), NOW)
    assert outcome.status is Status.INVALID
    assert "exactly 32 bytes" in outcome.attempts[0].reason


def test_the_suffix_of_the_file_names_the_algorithm(image: Path, secret: str) -> None:
    for algorithm in ("sha3-256", "sha512"):
        path = image.with_name(f"disk.img.hmac-{algorithm}")
        path.write_text(hmac_of(algorithm).hex())
        verdict = verdict_of(image, trust_in(secret))
        assert verdict.exit_status == 0
        assert verdict.vouchers[0].kind == "secret"
        path.unlink()


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "sha3-256", "sha3-512"])
@pytest.mark.parametrize("form", [[], ["-r"], ["-binary"]], ids=["named", "coreutils", "binary"])
def test_what_openssl_computes_is_allowed(
    image: Path, tmp_path: Path, algorithm: str, form: list[str]
) -> None:
    key = "0123456789abcdef0123456789abcdef"
    (tmp_path / "key").write_text(key)
    output = run(
        tool("openssl"), "dgst", f"-{algorithm}", "-hmac", key, *form, image.name, cwd=tmp_path
    )
    path = tmp_path / "disk.img.mac"
    path.write_bytes(output)
    trust = trust_in(f"secret:{tmp_path / 'key'}", mac_algorithm=f"hmac-{algorithm}")
    assert verdict_of(image, trust).exit_status == 0
    image.write_bytes(CONTENT + b" ")
    verdict = verdict_of(image, trust)
    assert verdict.exit_status == 1
    assert "mac-invalid" in codes_of(verdict)


def test_a_mac_over_a_checksum_file_binds_what_it_lists(
    image: Path, tmp_path: Path, secret: str
) -> None:
    listing = tmp_path / "SHA256SUMS"
    listing.write_text(f"{hashlib.sha256(CONTENT).hexdigest()}  disk.img\n")
    (tmp_path / "SHA256SUMS.hmac").write_text(hmac_of("sha256", content=listing.read_bytes()).hex())
    trust = trust_in(secret)
    trust.add_checksums(str(listing))
    verdict = verdict_of(image, trust)
    assert verdict.exit_status == 0
    assert {vouching.kind for vouching in verdict.vouchers} == {"secret", "checksums"}
    listing.write_text(f"{hashlib.sha256(b'evil').hexdigest()}  disk.img\n")
    image.write_bytes(b"evil")
    assert verdict_of(image, trust).exit_status == 1


def test_any_code_of_a_list_may_be_the_one(image: Path, secret: str, tmp_path: Path) -> None:
    lines = [f"{hmac_of('sha256', content=other).hex()}  {other!r}" for other in (b"1", b"2")]
    lines.append(f"{hmac_of('sha256').hex()}  disk.img")
    (tmp_path / "disk.img.mac").write_text("\n".join(lines))
    assert verdict_of(image, trust_in(secret)).exit_status == 0


def test_algorithm_confusion_is_refused() -> None:
    """A code that names another algorithm than the user demands is not computed at all."""
    line = f"HMAC-SHA256(x)= {hmac_of('sha256').hex()}".encode()
    [prepared] = MAC.prepare(line, "file", "mac", "")
    outcome = check(prepared, CONTENT, keyed(mac_algorithm="hmac-sha512"), NOW)
    assert outcome.status is Status.INVALID
    assert outcome.findings[0].code == "key-not-permitted"
    assert prepared.requests(keyed(mac_algorithm="hmac-sha512")) == ()
    assert status_of(line, keyed(mac_algorithm="nonsense")) is Status.INVALID


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_weak_algorithms_are_refused(algorithm: str) -> None:
    [prepared] = MAC.prepare(hmac_of(algorithm).hex().encode(), "file", "mac", "")
    outcome = check(prepared, CONTENT, keyed(), NOW)
    assert outcome.status is Status.INVALID
    assert outcome.findings[0].code == "weak-signature"


def test_every_flipped_bit_is_refused() -> None:
    for algorithm in ("sha256", "sha3-512"):
        tag = hmac_of(algorithm)
        for changed in flips(tag):
            line = f"HMAC-{algorithm.upper()}(x)= {changed.hex()}".encode()
            assert status_of(line, keyed()) is Status.INVALID
    for changed in flips(CONTENT, 997):
        assert status_of(hmac_of("sha256").hex().encode(), keyed(), changed) is Status.INVALID
    for changed in flips(SECRET, 5):
        assert status_of(hmac_of("sha256").hex().encode(), keyed(changed)) is Status.INVALID


def test_a_truncated_code_is_refused() -> None:
    tag = hmac_of("sha512")
    for length in (16, 28, 32, 48):
        assert status_of(tag[:length].hex().encode(), keyed()) is Status.INVALID
    with pytest.raises(AssayError):
        MAC.prepare(f"HMAC-SHA512(x)= {tag[:32].hex()}".encode(), "file", "mac", "")


def test_a_line_feed_at_the_end_of_the_secret_is_pointed_out(image: Path, tmp_path: Path) -> None:
    (tmp_path / "disk.img.mac").write_text(hmac_of("sha256").hex())
    (tmp_path / "key").write_bytes(SECRET + b"\n")
    verdict = verdict_of(image, trust_in(f"secret:{tmp_path / 'key'}"))
    assert verdict.exit_status == 1
    assert any("line feed" in finding.detail for finding in verdict.findings)


def test_the_secret_comes_from_a_file_an_environment_variable_or_a_descriptor(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk.img.mac").write_text(hmac_of("sha256").hex())
    (tmp_path / "raw").write_bytes(SECRET)
    (tmp_path / "hex").write_text(SECRET.hex() + "\n")
    (tmp_path / "base64").write_text(base64.b64encode(SECRET).decode() + "\n")
    monkeypatch.setenv("ASSAY_TEST_SECRET", SECRET.decode())
    monkeypatch.setenv("ASSAY_TEST_HEX", SECRET.hex())
    reader, writer = os.pipe()
    os.write(writer, SECRET)
    os.close(writer)
    for name in (
        f"secret:{tmp_path / 'raw'}",
        f"secret-hex:{tmp_path / 'hex'}",
        f"secret-base64:{tmp_path / 'base64'}",
        "secret:env:ASSAY_TEST_SECRET",
        "secret-hex:env:ASSAY_TEST_HEX",
        f"secret:fd:{reader}",
    ):
        assert verdict_of(image, trust_in(name)).exit_status == 0, name
    os.close(reader)


@pytest.mark.parametrize(
    "name",
    [
        "secret:",
        "secret:/nonexistent/of/course",
        "secret:env:ASSAY_TEST_UNSET",
        "secret:fd:x",
        "secret:fd:12345",
        "secret-hex:env:ASSAY_TEST_VALUE",
        "secret:env:ASSAY_TEST_SHORT",
    ],
)
def test_a_secret_that_cannot_be_used_is_a_usage_error_that_does_not_show_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TEST_VALUE", "not hexadecimal: xyzzy")
    monkeypatch.setenv("ASSAY_TEST_SHORT", "xyzzy")
    with pytest.raises(UsageError) as raised:
        trust_in(name)
    assert "xyzzy" not in str(raised.value)


def test_a_secret_given_in_place_of_its_file_is_not_repeated() -> None:
    with pytest.raises(UsageError) as raised:
        trust_in(f"secret:{SECRET.decode()}")
    assert SECRET.decode() not in str(raised.value)


def test_the_secret_shows_nowhere(image: Path, secret: str, tmp_path: Path) -> None:
    trust = trust_in(secret)
    for tag in (hmac_of("sha256").hex(), "00" * 32):
        (tmp_path / "disk.img.mac").write_text(tag)
        verdict = verdict_of(image, trust)
        shown = [
            text_report.render(verdict, verbose=2),
            json_report.render([verdict]),
            repr(verdict),
            repr(trust),
            str(trust.keys),
        ]
        for text in shown:
            for form in (SECRET.decode(), SECRET.hex(), base64.b64encode(SECRET).decode()):
                assert form not in text
        if tag == "00" * 32:
            # the right code must not show either: it would let anyone forge this very file
            assert hmac_of("sha256").hex() not in "".join(shown)


def test_without_a_secret_a_mac_is_not_checked() -> None:
    line = f"HMAC-SHA256(disk.img)= {hmac_of('sha256').hex()}"
    outcome = MAC.prepare(line.encode(), "file", "mac", "")[0].verify({}, [], NOW)
    assert outcome.status is Status.UNKNOWN_SIGNER


def test_wycheproof_vectors_agree() -> None:
    folder = Path("../shared/vectors/wycheproof")
    if not folder.is_dir():
        pytest.skip("the Wycheproof vectors are not here")
    for algorithm in ("sha256", "sha512"):
        data = json.loads((folder / f"hmac_{algorithm}_test.json").read_bytes())
        for group in data["testGroups"]:
            if group["tagSize"] != 8 * DIGESTS[algorithm].size:
                continue
            for case in group["tests"]:
                line = f"HMAC-{algorithm.upper()}(x)= {case['tag']}".encode()
                status = status_of(
                    line, keyed(bytes.fromhex(case["key"])), bytes.fromhex(case["msg"])
                )
                assert (status is Status.VERIFIED) == (case["result"] == "valid"), case


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.from_regex(r"\A(HMAC-)?SHA(256|1|3-256) ?\(.*\)= ?[0-9a-f]{32,70}\Z").map(str.encode),
        st.from_regex(r"\A[0-9A-Fa-f]{30,130}( [ *].*)?\Z").map(str.encode),
    )
)
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    MAC.recognise(data)
    try:
        prepared = MAC.prepare(data, "file", "mac", "")
    except AssayError:
        return
    for signature in prepared:
        assert check(signature, CONTENT, keyed(), NOW).status is not Status.VERIFIED


@pytest.mark.parametrize(
    ("name", "status"), [("hmac-sha3-256", 0), ("hmac-sha256", 1), ("nonsense", 2)]
)
def test_the_command_line_says_which_mac_it_is(tmp_path: Path, name: str, status: int) -> None:
    from click.testing import CliRunner

    from assay.cli.main import cli

    image, key = tmp_path / "disk.img", tmp_path / "key"
    image.write_bytes(CONTENT)
    key.write_bytes(SECRET)
    tag = hmac.new(SECRET, CONTENT, "sha3_256").hexdigest()
    (tmp_path / "disk.img.hmac").write_text(f"{tag}\n")
    words = ["verify", str(image), "--key", f"secret:{key}", "--mac-algorithm", name]
    words += ["--signature", str(tmp_path / "disk.img.hmac")]
    assert CliRunner().invoke(cli, words).exit_code == status
