"""Signatures over files: what we sign, the peers verify; and what verifies is what we signed."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from assay.crypto.algorithms import Ecdsa, RsaPss
from assay.crypto.check import Check
from assay.evidence.intoto import PAYLOAD_TYPE, parse_statement
from assay.model.finding import AssayError, UsageError
from assay.model.secret import Secret
from assay.pipeline import VerifyOptions, verify
from assay.produce.formats.model import FORMATS, Wishes, format_named
from assay.produce.formats.ssh import public_line
from assay.produce.keys import cosign, minisign, pkcs8
from assay.produce.keys.kinds import KINDS, generate
from assay.produce.signing_key import SigningKey
from assay.produce.statement import TYPES, predicate_type, statement
from assay.signing import attest, find_subject, sign
from assay.sources.model import OpenOptions
from tests.signatures.support import codes_of, run, says_yes, tool, trust_in, verdict_of
from tests.support import peers

DIGEST = {"sha256": "00" * 32}


@pytest.fixture(scope="module")
def keys() -> dict[str, SigningKey]:
    return {kind: generate(kind) for kind in KINDS if kind != "rsa-4096"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"assay" * 400)
    return path


def public(folder: Path, key: SigningKey) -> Path:
    path = folder / "signer.pub"
    path.write_bytes(pkcs8.FORM.write_public(key))
    return path


def signed(image: Path, key: SigningKey, form: str, **wishes: Any) -> Path:
    made = sign(find_subject(str(image), OpenOptions()), key, form, Wishes(**wishes))
    path = image.with_name(image.name + made.suffix)
    path.write_bytes(made.data)
    return path


# of every form and kind


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_signed_verifies_and_nothing_else(
    image: Path, keys: dict[str, SigningKey], form: str
) -> None:
    content = image.read_bytes()
    for kind, key in keys.items():
        if format_named(form).misfit(key):
            with pytest.raises(UsageError, match=f"--format {form}"):
                signed(image, key, form)
            continue
        path = signed(image, key, form)
        pem = public(image.parent, key)
        trusted = pem
        if form in ("minisign", "signify"):
            trusted = image.parent / "minisign.pub"
            trusted.write_bytes(minisign.FORM.write_public(key))
        if form == "ssh":
            trusted = image.parent / "ssh.pub"
            trusted.write_bytes(public_line(key))
        if form == "dsse":
            envelope = json.loads(path.read_bytes())
            assert base64.b64decode(envelope["payload"]) == content
            path.unlink()
            continue
        assert verdict_of(image, trust_in(trusted)).exit_status == 0, kind
        image.write_bytes(content[:-1] + b"!")
        assert "signature-invalid" in codes_of(verdict_of(image, trust_in(trusted))), kind
        image.write_bytes(content)
        path.unlink()


def test_an_empty_file_and_one_from_a_pipe(tmp_path: Path, keys: dict[str, SigningKey]) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    signed(empty, keys["ecdsa-p256"], "sigstore")
    assert verdict_of(empty, trust_in(public(tmp_path, keys["ecdsa-p256"]))).exit_status == 0


def test_algorithms_that_are_asked_for(image: Path, keys: dict[str, SigningKey]) -> None:
    rsa, ecdsa = keys["rsa-3072"], keys["ecdsa-p256"]
    content = image.read_bytes()
    value = signed(image, rsa, "raw", algorithm="rsa-pss-sha512").read_bytes()
    check = Check(rsa.public, RsaPss("sha512"))
    assert check.confirms(value, hashlib.sha512(content).digest())
    for form in ("raw", "sigstore"):
        path = signed(image, ecdsa, form, algorithm="ecdsa-sha384")
        assert verdict_of(image, trust_in(public(image.parent, ecdsa))).exit_status == 0
        path.unlink()
    for key, form, name in (
        (rsa, "raw", "ecdsa-sha256"),
        (rsa, "raw", "no-such"),
        (ecdsa, "sigstore", "ecdsa-sha3-256"),
        (keys["ed25519"], "minisign", "eddsa"),
    ):
        with pytest.raises(UsageError, match="--signature-algorithm"):
            signed(image, key, form, algorithm=name)


def test_a_faulty_signature_is_never_handed_out(keys: dict[str, SigningKey]) -> None:
    key, other = keys["ecdsa-p256"], generate("ecdsa-p256")
    mixed = SigningKey(key.native)
    mixed.public = other.public
    with pytest.raises(AssayError, match="signing-failed"):
        mixed.sign_bytes(b"content")


def test_numbers_side_by_side(keys: dict[str, SigningKey]) -> None:
    key = keys["ecdsa-p384"]
    assert len(key.sign_bytes(b"content", Ecdsa("sha384", "p1363"))) == 96


# peers


def test_openssl_verifies_bare_signatures(image: Path, keys: dict[str, SigningKey]) -> None:
    openssl = tool("openssl")
    for kind, digest in (
        ("ecdsa-p256", "sha256"),
        ("ecdsa-p384", "sha384"),
        ("rsa-3072", "sha256"),
    ):
        value, pem = signed(image, keys[kind], "raw"), public(image.parent, keys[kind])
        run(openssl, "dgst", f"-{digest}", "-verify", pem, "-signature", value, image)
    value, pem = signed(image, keys["ed25519"], "raw"), public(image.parent, keys["ed25519"])
    words = ("pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", image)
    run(openssl, *words, "-sigfile", value)
    image.write_bytes(b"other")
    assert not says_yes(openssl, *words, "-sigfile", value)


def test_minisign_verifies(image: Path, keys: dict[str, SigningKey]) -> None:
    key, program = keys["ed25519"], tool("minisign")
    trusted = image.parent / "minisign.pub"
    trusted.write_bytes(minisign.FORM.write_public(key))
    signed(image, key, "minisign", comment="release 7 of 9 \u2713")
    said = run(program, "-V", "-p", trusted, "-m", image).decode()
    assert "release 7 of 9 \u2713" in said
    signed(image, key, "minisign", seconds=1_700_000_000)
    said = run(program, "-V", "-p", trusted, "-m", image).decode()
    assert "timestamp:1700000000\tfile:disk.img\thashed" in said
    for comment in ("two\nlines", "x" * 10_000, "\0"):
        with pytest.raises(UsageError, match="--trusted-comment"):
            signed(image, key, "minisign", comment=comment)


def test_ssh_keygen_verifies(image: Path, keys: dict[str, SigningKey]) -> None:
    program, content = tool("ssh-keygen"), image.read_bytes()
    for kind in ("ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-3072"):
        value = signed(image, keys[kind], "ssh", namespace="release")
        allowed = image.parent / "allowed"
        allowed.write_bytes(b"me@example.test " + public_line(keys[kind]) + b"\n")
        words = (program, "-Y", "verify", "-f", allowed, "-I", "me@example.test", "-s", value)
        assert says_yes(*words, "-n", "release", stdin=content), kind
        assert not says_yes(*words, "-n", "file", stdin=content), kind
        assert not says_yes(*words, "-n", "release", stdin=content + b"!"), kind
    for namespace in ("", "two\nlines"):
        with pytest.raises(UsageError, match="--ssh-namespace"):
            signed(image, keys["ed25519"], "ssh", namespace=namespace)


def test_signify_verifies(image: Path, keys: dict[str, SigningKey]) -> None:
    program = tool("signify-openbsd", "signify")
    trusted = image.parent / "signify.pub"
    trusted.write_bytes(minisign.FORM.write_public(keys["ed25519"]))
    value = signed(image, keys["ed25519"], "signify")
    words = (program, "-V", "-p", trusted, "-x", value, "-m", image)
    assert says_yes(*words)
    image.write_bytes(b"other")
    assert not says_yes(*words)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trusted root with nothing in it, so that cosign asks nobody."""
    path = tmp_path_factory.mktemp("root") / "root.json"
    path.write_text('{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    return path


def _cosign_says_yes(image: Path, key: Path, bundle: Path, root: Path, *more: str) -> bool:
    words = ("--key", key, "--bundle", bundle, "--trusted-root", root, "--insecure-ignore-tlog")
    verb = "verify-blob-attestation" if more else "verify-blob"
    return says_yes(tool("cosign"), verb, *words, *more, image)


def test_cosign_verifies_bundles(image: Path, keys: dict[str, SigningKey], root: Path) -> None:
    content = image.read_bytes()
    for kind in ("ecdsa-p256", "ed25519", "rsa-3072"):
        bundle, pem = signed(image, keys[kind], "sigstore"), public(image.parent, keys[kind])
        assert _cosign_says_yes(image, pem, bundle, root), kind
        image.write_bytes(content + b"!")
        assert not _cosign_says_yes(image, pem, bundle, root), kind
        image.write_bytes(content)


def test_cosign_looks_at_p_384_with_sha_256(
    image: Path, keys: dict[str, SigningKey], root: Path
) -> None:
    """What it signs itself by such a key it does not verify; the guide tells the way around."""
    key = keys["ecdsa-p384"]
    pem = public(image.parent, key)
    bundle = signed(image, key, "sigstore", algorithm="ecdsa-sha256")
    assert _cosign_says_yes(image, pem, bundle, root)


def test_we_verify_what_cosign_signs_with_our_key(
    tmp_path: Path, image: Path, keys: dict[str, SigningKey], root: Path
) -> None:
    pytest.importorskip("nacl")
    key = keys["ecdsa-p256"]
    (tmp_path / "our.key").write_bytes(cosign.FORM.write(key, Secret(b"correct horse")))
    config = {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogConfig": {},
        "tsaConfig": {},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    peers.run(
        tool("cosign"), "sign-blob", "--key", "our.key", "--trusted-root", root, "--signing-config",
        "config.json", "-y", "--bundle", "disk.img.sigstore.json", "disk.img", folder=tmp_path,
        environment={"COSIGN_PASSWORD": "correct horse"},
    )  # fmt: skip
    assert verdict_of(image, trust_in(public(tmp_path, key))).exit_status == 0


# statements and envelopes


def test_an_envelope_of_a_statement_says_that_it_is_one(
    tmp_path: Path, keys: dict[str, SigningKey]
) -> None:
    document = tmp_path / "statement.json"
    document.write_bytes(statement(DIGEST, predicate_type("custom"), b"{}"))
    key = keys["ecdsa-p256"]
    envelope = json.loads(signed(document, key, "dsse").read_bytes())
    assert envelope["payloadType"] == PAYLOAD_TYPE
    assert envelope["signatures"][0]["keyid"] == key.public.fingerprint.partition(":")[2]
    document.write_bytes(b"text")
    envelope = json.loads(signed(document, key, "dsse").read_bytes())
    assert envelope["payloadType"] == "application/octet-stream"
    envelope = json.loads(signed(document, key, "dsse", payload_type="text/plain").read_bytes())
    assert envelope["payloadType"] == "text/plain"


def test_securesystemslib_verifies_envelopes(image: Path, keys: dict[str, SigningKey]) -> None:
    for kind in ("ecdsa-p256", "ed25519", "rsa-3072"):
        key = keys[kind]
        algorithm = "rsa-pss-sha256" if kind == "rsa-3072" else ""
        path = signed(image, key, "dsse", algorithm=algorithm)
        envelope = Envelope.from_dict(json.loads(path.read_bytes()))
        reader = SSlibKey.from_crypto(key.public.native, key.public.fingerprint.partition(":")[2])
        envelope.verify([reader], 1)
        envelope.payload += b"!"
        with pytest.raises(Exception, match=r"[Ss]ignature|threshold"):
            envelope.verify([reader], 1)


@pytest.mark.parametrize("form", ["sigstore", "dsse"])
def test_an_attestation_of_a_file(
    image: Path, keys: dict[str, SigningKey], root: Path, form: str
) -> None:
    key = keys["ecdsa-p256"]
    predicate = (
        b'{"scanner": {"uri": "a:b", "big": 1234567890123456789, "n": 1.10}, "metadata": {}}'
    )
    made = attest(find_subject(str(image), OpenOptions()), key, "vuln", predicate, form)
    path = image.with_name(image.name + made.suffix)
    path.write_bytes(made.data)
    assert path.name.startswith("disk.img.vuln.")
    trust, pem = trust_in(public(image.parent, key)), public(image.parent, key)
    [verdict] = verify(str(image), VerifyOptions(trust=trust, attestations=[str(path)]))
    [report] = verdict.statements
    assert (report.trusted, report.about) == (True, ("file",))  # a scan vouches for nothing
    if form == "sigstore":
        assert _cosign_says_yes(image, pem, path, root, "--type", "vuln")
    image.write_bytes(b"other")
    [verdict] = verify(str(image), VerifyOptions(trust=trust, attestations=[str(path)]))
    assert verdict.statements[0].about == ()
    if form == "sigstore":
        assert not _cosign_says_yes(image, pem, path, root, "--type", "vuln")


def test_a_predicate_goes_into_the_statement_as_it_stands() -> None:
    predicate = b' {"n": 1.10, "big": 12345678901234567890, "t": "\\u00e9"}\n'
    made = statement(DIGEST, predicate_type("custom"), predicate, name='a "name"')
    assert predicate.strip() in made
    read = parse_statement(made, "")
    assert read.subjects[0].name == 'a "name"'
    assert read.predicate["big"] == 12345678901234567890


@pytest.mark.parametrize("name", TYPES)
def test_types_by_name_and_by_uri(name: str) -> None:
    kind = predicate_type(name)
    assert predicate_type(kind.uri).uri == kind.uri
    predicate = json.dumps(dict.fromkeys(kind.needs, 1)).encode()
    assert parse_statement(statement(DIGEST, kind, predicate), "").predicate_type == kind.uri
    if kind.needs:
        with pytest.raises(UsageError, match=kind.needs[0]):
            statement(DIGEST, kind, b'{"other": 1}')


@pytest.mark.parametrize(
    "predicate",
    [
        b"", b"[]", b"null", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": 1} {"b": 2}', b"{}}",
        b'{"a": "\\ud800"}', b"\xff", b"[" * 100_000,
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "a:b"}',
        b'{"payload": "", "payloadType": "", "signatures": []}',
    ],
    ids=[
        "empty", "list", "null", "duplicate-key", "nan", "two-documents", "added-brace",
        "half-a-character", "no-utf-8", "deep", "a-statement", "an-envelope",
    ],
)  # fmt: skip
def test_predicates_that_are_none(predicate: bytes) -> None:
    with pytest.raises(UsageError, match="--predicate"):
        statement(DIGEST, predicate_type("custom"), predicate)


@pytest.mark.parametrize("name", ["", "provenance", "two words:x", "a:b\n", "é:x"])
def test_types_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="--type"):
        predicate_type(name)
